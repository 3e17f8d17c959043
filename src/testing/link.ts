// One connection of a test network: two pairs of pipes in memory and, between them, the two flows that a test impairs or
// cuts. Both ends are the real stacks; what they see are pipes like any other.
// Leaves out who dials and who listens (network.ts).
import type { Clock } from '../clock.js'
import { memoryPair, type Pipe } from '../transport/index.js'
import { Flow } from './flow.js'
import { checkImpairment, type Direction, directionsOf, type Impairment, SOUND } from './impairment.js'

/** Where a connection breaks off. */
export interface CutPoint {
  /** So many bytes still arrive, from now on, not one more. Default 0. */
  readonly afterBytes?: number
  /** Whose bytes are counted; default `toService`. */
  readonly direction?: Direction
}

/** One open connection, with faults of its own besides those of its network. */
export interface TestConnection {
  /** Of the service that was dialled. */
  readonly keyHash: string
  /** False once it is lost or closed. */
  readonly isOpen: boolean
  /** Bytes that have arrived so far, frames, padding and handshake included. */
  readonly arrivedBytes: Readonly<Record<Direction, number>>
  /** Set what is wrong; what is left out stays as it is. Holds at once, for bytes on their way too, except that those
   * keep the delay with which they were sent.
   * @throws RangeError, TypeError for values that mean nothing. */
  impair(impairment: Impairment, direction?: Direction | 'both'): void
  /** No faults but those of the network. */
  repair(): void
  /** Break off there: both sides are told that the connection was lost.
   * @throws RangeError, TypeError for a point that means nothing. */
  cut(point?: CutPoint): void
}

type PerDirection = Readonly<Record<Direction, Impairment>>

/** Faults that have been set, by direction. */
export class Faults {
  #set: PerDirection = { toService: {}, toClient: {} }

  impair(impairment: Impairment, direction: Direction | 'both'): void {
    checkImpairment(impairment)
    for (const each of directionsOf(direction)) {
      this.#set = { ...this.#set, [each]: { ...this.#set[each], ...impairment } }
    }
  }

  repair(): void {
    this.#set = { toService: {}, toClient: {} }
  }

  of(direction: Direction): Impairment {
    return this.#set[direction]
  }
}

/** What a link needs. */
export interface LinkOptions {
  readonly clock: Clock
  readonly keyHash: string
  /** Those of the network. */
  readonly faults: Faults
  readonly closed: (link: Link) => void
}

/** The connection, as its network sees it. */
export class Link implements TestConnection {
  readonly keyHash: string
  /** For the two stacks. */
  readonly ends: { readonly client: Pipe; readonly service: Pipe }
  readonly #inner: Readonly<Record<'client' | 'service', Pipe>>
  readonly #flows: Readonly<Record<Direction, Flow>>
  readonly #faults = new Faults()
  readonly #options: LinkOptions
  #closedEnds = 0

  constructor(options: LinkOptions) {
    this.keyHash = options.keyHash
    this.#options = options
    const [near, far] = [memoryPair(), memoryPair()]
    this.ends = { client: near.client, service: far.server }
    this.#inner = { client: near.server, service: far.client }
    const { client, service } = this.#inner
    this.#flows = {
      toService: this.#flow(client, service),
      toClient: this.#flow(service, client),
    }
    this.faultsChanged()
    this.#start(client, this.#flows.toService, this.#flows.toClient)
    this.#start(service, this.#flows.toClient, this.#flows.toService)
  }

  get isOpen(): boolean {
    return this.#closedEnds < 2
  }

  get arrivedBytes(): Readonly<Record<Direction, number>> {
    const { toService, toClient } = this.#flows
    return { toService: toService.arrivedBytes, toClient: toClient.arrivedBytes }
  }

  impair(impairment: Impairment, direction: Direction | 'both' = 'both'): void {
    this.#faults.impair(impairment, direction)
    this.faultsChanged()
  }

  repair(): void {
    this.#faults.repair()
    this.faultsChanged()
  }

  cut({ afterBytes = 0, direction = 'toService' }: CutPoint = {}): void {
    checkCut({ afterBytes, direction })
    this.#flows[direction].cutAfter(afterBytes)
  }

  /** Those of the network or of this connection; its own prevail. */
  faultsChanged(): void {
    const { faults } = this.#options
    for (const direction of directionsOf('both')) {
      this.#flows[direction].impair({ ...SOUND, ...faults.of(direction), ...this.#faults.of(direction) })
    }
  }

  /** Lost, now. */
  destroy(): void {
    this.#flows.toService.stop()
    this.#flows.toClient.stop()
    this.#inner.client.destroy()
    this.#inner.service.destroy()
  }

  #flow(from: Pipe, to: Pipe): Flow {
    return new Flow({ clock: this.#options.clock, from, to, cut: () => this.destroy() })
  }

  #start(pipe: Pipe, outward: Flow, inward: Flow): void {
    pipe.start({
      data: (bytes) => outward.push(bytes),
      drain: () => inward.drained(),
      end: () => outward.push('end'),
      closed: (error) => {
        inward.stop()
        if (error !== undefined) outward.push('reset')
        this.#closedEnds += 1
        if (this.#closedEnds === 2) this.#options.closed(this)
      },
    })
  }
}

/** @throws RangeError, TypeError for a point that means nothing. */
export function checkCut({ afterBytes = 0, direction = 'toService' }: CutPoint): void {
  directionsOf(direction)
  if (!(Number.isSafeInteger(afterBytes) && afterBytes >= 0)) {
    throw new RangeError(`Cannot cut connection: expected a number of bytes from 0, got ${afterBytes}`)
  }
}
