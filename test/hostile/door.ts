// A real listener whose limits a test sets, honest clients and strangers in front of it. Loopback is exempt from limits by
// address, so a pipe may be made to look as if it came from elsewhere. Not a mock: the socket behind it is real.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { concat } from '../../src/bytes.js'
import type { Capability, PatternName } from '../../src/capability/index.js'
import { u16 } from '../../src/session/hello.js'
import {
  type AcceptedSession,
  Admission,
  type AdmissionLimits,
  acceptSession,
  type Connection,
  type ConnectionTimes,
  DEFAULT_LIMITS,
  DEFAULT_TIMES,
  initiateSession,
  type ServiceIdentity,
} from '../../src/session/index.js'
import type { Verifier } from '../../src/session/verifier.js'
import type { Listener, Pipe } from '../../src/transport/index.js'
import { dialTcp, listenTcp } from '../../src/transport/tcp.js'
import { listen, prepared, Shop } from '../session/parties.js'
import type { StrangerOrder, StrangerReport } from './strangers.js'

/** `pipe`, as if its peer were at `address` on another machine. */
export function elsewhere(pipe: Pipe, address: string): Pipe {
  return new Proxy(pipe, {
    get(target, name) {
      if (name === 'isLocal') return false
      if (name === 'remoteAddress') return address
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

/** `pipe`, whose chunks and end are counted once they have been looked at. */
function counted(pipe: Pipe, counts: { chunks: number; ends: number }): Pipe {
  const start = pipe.start.bind(pipe)
  pipe.start = (events) =>
    start({
      data: (bytes) => {
        events.data(bytes)
        counts.chunks += 1
      },
      drain: () => events.drain(),
      end: () => {
        events.end()
        counts.ends += 1
      },
      closed: (error) => events.closed(error),
    })
  return pipe
}

export interface DoorOptions {
  readonly limits?: AdmissionLimits
  readonly deadlineMs?: number
  readonly times?: Partial<ConnectionTimes>
  /** Where peers seem to come from; undefined: from this machine, as they do. */
  readonly from?: () => string | undefined
}

export const framed = (message: Uint8Array): Uint8Array => concat(u16(message.length), message)

/** A service's door. */
export class Door {
  readonly shop = new Shop()
  readonly admission: Admission
  readonly opened: {
    readonly session: AcceptedSession<ServiceIdentity>
    readonly heard: ReturnType<typeof listen>
  }[] = []
  /** Hellos that reached the verifier, so had passed mac1, the bucket and the replay check. */
  questions = 0
  verifier: Verifier = this.shop.verifier
  /** Peers that have ended their side, with all that they sent before read. */
  ends = 0
  /** Chunks read. */
  chunks = 0
  readonly #options: DoorOptions
  readonly #sockets: Socket[] = []
  readonly #connections: Connection[] = []
  readonly #drops = new Set<() => void>()
  #listener: Listener | undefined

  private constructor(options: DoorOptions) {
    this.#options = options
    this.admission = new Admission(options.limits)
  }

  static async open(options: DoorOptions = {}): Promise<Door> {
    const door = new Door(options)
    door.#listener = await listenTcp('tcp://127.0.0.1:0', (pipe) => door.accept(pipe))
    return door
  }

  accept(pipe: Pipe): void {
    const { from, deadlineMs, times } = this.#options
    const address = from?.()
    const observed = counted(pipe, this)
    const drop = acceptSession(address === undefined ? observed : elsewhere(observed, address), {
      services: [this.shop.identity],
      verifier: (question) => {
        this.questions += 1
        return this.verifier(question)
      },
      admission: this.admission,
      finished: () => this.#drops.delete(drop),
      accepted: (session) => this.opened.push({ session, heard: listen(session.connection) }),
      times: { ...DEFAULT_TIMES, ...times },
      ...(deadlineMs === undefined ? {} : { handshakeDeadlineMs: deadlineMs }),
    })
    this.#drops.add(drop)
  }

  get location(): string {
    return this.#listener?.location ?? ''
  }

  get port(): number {
    return Number(new URL(this.location).port)
  }

  /** A stranger's socket, and what came back over it. */
  stranger(...chunks: readonly Uint8Array[]): Stranger {
    const socket = connect({ port: this.port, host: '127.0.0.1', allowHalfOpen: true })
    this.#sockets.push(socket)
    const stranger = new Stranger(socket)
    for (const chunk of chunks) socket.write(chunk)
    return stranger
  }

  /** A genuine client's session, opened and confirmed. */
  async honest(pattern: PatternName = 'NK', capability?: Capability): Promise<Connection> {
    const pipe = await dialTcp(this.location, AbortSignal.timeout(20_000))
    const { connection } = await initiateSession(
      pipe,
      { ...prepared(pattern, this.shop, capability), pattern, limits: DEFAULT_LIMITS },
      AbortSignal.timeout(20_000),
    )
    this.#connections.push(connection)
    listen(connection)
    return connection
  }

  /** Drop every connection whose handshake goes on, as at its deadline. */
  drop(): void {
    for (const drop of [...this.#drops]) drop()
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    for (const connection of this.#connections) connection.close()
    for (const { session } of this.opened) session.connection.close()
    this.drop()
    await this.#listener?.close()
  }
}

/** One socket that keeps to no protocol. */
export class Stranger {
  readonly socket: Socket
  readonly received: number[] = []
  ended = false
  closed = false
  /** Whether to go on when the service has ended its side. */
  keepsOpen = false

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('error', () => {})
    socket.on('data', (bytes) => this.received.push(...bytes))
    socket.on('end', () => {
      this.ended = true
      if (!this.keepsOpen) socket.end()
    })
    socket.on('close', () => {
      this.closed = true
    })
  }

  send(bytes: Uint8Array): void {
    if (!this.socket.destroyed && !this.socket.writableEnded) this.socket.write(bytes)
  }
}

/** Strangers in a process of their own. */
export class Crowd {
  readonly #child: ChildProcess

  private constructor(child: ChildProcess) {
    this.#child = child
  }

  static async start(): Promise<Crowd> {
    const script = fileURLToPath(new URL('./strangers.ts', import.meta.url))
    const child = fork(script, { execArgv: ['--import', 'tsx'] })
    await once(child, 'message')
    return new Crowd(child)
  }

  async order(order: StrangerOrder): Promise<StrangerReport> {
    const answer = once(this.#child, 'message')
    this.#child.send(order)
    return ((await answer) as [StrangerReport])[0]
  }

  async stop(): Promise<void> {
    const exited = once(this.#child, 'exit')
    this.#child.kill()
    await exited
  }
}

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Bytes that JavaScript holds after everything that can go is gone. */
export async function heldBytes(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    await new Promise((resolve) => setImmediate(resolve))
    collect()
  }
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
