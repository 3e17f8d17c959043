// A host of its own for tests: services listen on it, `connect` dials in it, everything between them is real except the
// wire, which is memory and can be made slow, narrow, silent or broken. No sockets, no files, no registry.
// Leaves out the faults themselves (link.ts, flow.ts) and fake time (fake-clock.ts).
import { ServiceKey } from '../capability/index.js'
import { type Clock, SYSTEM_CLOCK } from '../clock.js'
import { type Connect, connectIn } from '../connect.js'
import type { Environment } from '../environment.js'
import { NoisecapError } from '../errors.js'
import type { Resolver } from '../resolve/index.js'
import { Service, type ServiceOptions } from '../service.js'
import type { Listener, Pipe } from '../transport/index.js'
import type { Direction, Impairment } from './impairment.js'
import { type CutPoint, checkCut, Faults, Link, type TestConnection } from './link.js'

/** Options of a {@link TestNetwork}. */
export interface TestNetworkOptions {
  /** What time it is for services and clients here, and for delays of the wire; default the clock of the machine. */
  readonly clock?: Clock | undefined
}

/** Options of {@link TestNetwork.createService}. */
export interface TestServiceOptions extends Omit<ServiceOptions, 'announcers'> {
  /** Default a fresh one. With the key of a service that was closed, it is that service, started again. */
  readonly key?: ServiceKey | undefined
}

/** Services, clients and the wire between them, in one process. `await using` closes all of it. */
export class TestNetwork implements AsyncDisposable {
  readonly clock: Clock
  /** As `connect` of `noisecap`, to services of this network. */
  readonly connect: Connect
  /** Whether new connections are refused, as where nobody listens. Open ones stay. */
  refusesConnections = false
  readonly #environment: Environment
  readonly #faults = new Faults()
  readonly #links = new Set<Link>()
  readonly #services = new Set<Service>()
  readonly #listening = new Map<string, (pipe: Pipe) => void>()
  readonly #known = new Set<string>()
  readonly #cuts: CutPoint[] = []

  constructor({ clock = SYSTEM_CLOCK }: TestNetworkOptions = {}) {
    this.clock = clock
    const directory: Resolver = {
      name: 'test network',
      resolve: (keyHash) => Promise.resolve(this.#locate(keyHash)),
    }
    const dial = async (location: string, signal: AbortSignal): Promise<Pipe> => this.#dial(location, signal)
    const listen = async (location: string, accept: (pipe: Pipe) => void): Promise<Listener> =>
      this.#listen(location, accept)
    this.#environment = {
      transports: new Map([['memory', { dial, listen }]]),
      resolvers: () => [directory],
      announcers: () => [],
      clock,
    }
    this.connect = connectIn(this.#environment)
  }

  /** A service that listens already. `connect` finds it by its key hash; capabilities need no location.
   * @throws TypeError while another service with this key is open. */
  createService({ key = ServiceKey.generate(), ...options }: TestServiceOptions = {}): Service {
    const location = locationOf(key.keyHash)
    if (this.#listening.has(location)) {
      throw new TypeError('Cannot create service: expected a key that no open service of this network has')
    }
    const service = new Service(this.#environment, key, options)
    this.#known.add(key.keyHash)
    this.#services.add(service)
    // It listens when this returns; there is nothing on the way that could fail.
    void service.listen(location)
    return service
  }

  /** Open connections, the oldest first. Capabilities of one service share one, as everywhere. */
  get connections(): readonly TestConnection[] {
    return [...this.#links]
  }

  /** Set what is wrong with every connection, open or to come; what is left out stays as it is. Holds at once.
   * @throws RangeError, TypeError for values that mean nothing. */
  impair(impairment: Impairment, direction: Direction | 'both' = 'both'): void {
    this.#faults.impair(impairment, direction)
    for (const link of this.#links) link.faultsChanged()
  }

  /** As at first: no faults, no cuts to come, nothing refused. What is lost stays lost. */
  repair(): void {
    this.#faults.repair()
    this.#cuts.length = 0
    this.refusesConnections = false
    for (const link of this.#links) link.repair()
  }

  /** Cut the next connection that is opened, there, counted from its first byte. Twice: the next two.
   * @throws RangeError, TypeError for a point that means nothing. */
  cutNext(point: CutPoint = {}): void {
    checkCut(point)
    this.#cuts.push(point)
  }

  /** Lose all open connections, now; both sides are told. */
  disconnect(): void {
    for (const link of this.#links) link.destroy()
  }

  /** Close all services, and lose all connections without ceremony. */
  async close(): Promise<void> {
    this.refusesConnections = true
    this.disconnect()
    await Promise.all([...this.#services].map((service) => service.close(0)))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #locate(keyHash: string) {
    return this.#known.has(keyHash) ? [{ uri: locationOf(keyHash), priority: 0, weight: 1 }] : []
  }

  #listen(location: string, accept: (pipe: Pipe) => void): Listener {
    this.#listening.set(location, accept)
    return {
      location,
      close: async () => {
        this.#listening.delete(location)
      },
    }
  }

  #dial(location: string, signal: AbortSignal): Pipe {
    signal.throwIfAborted()
    const accept = this.#listening.get(location)
    if (accept === undefined || this.refusesConnections) {
      throw new NoisecapError('transport/unreachable', `Cannot reach ${location}: nobody listens there`)
    }
    const link = new Link({
      clock: this.clock,
      keyHash: location.slice(location.indexOf(':') + 1),
      faults: this.#faults,
      closed: () => this.#links.delete(link),
    })
    this.#links.add(link)
    const cut = this.#cuts.shift()
    if (cut !== undefined) link.cut(cut)
    accept(link.ends.service)
    return link.ends.client
  }
}

function locationOf(keyHash: string): string {
  return `memory:${keyHash}`
}
