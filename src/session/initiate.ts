// Opens a session as the client: sends the hello over a fresh pipe, goes through the handshake, hands over a Connection.
// Leaves out dialling and the choice of location (src/dial.ts).
import { addAbortListener, removeAbortListener } from '../abort-listeners.js'
import { concat } from '../bytes.js'
import { type Clock, SYSTEM_CLOCK } from '../clock.js'
import type { LaterX25519 } from '../crypto/index.js'
import { NoisecapError } from '../errors.js'
import { HELLO_MAX_BYTES } from '../limits.js'
import type { Pipe, PipeEvents } from '../transport/index.js'
import { ClientDhs } from './client-dhs.js'
import { ClientHandshake, type ClientHandshakeOptions } from './client-handshake.js'
import { Connection, type ConnectionTimes, DEFAULT_TIMES } from './connection.js'
import { FrameReader } from './framing.js'
import { u16 } from './hello.js'
import type { SessionLimits } from './parameters.js'
import type { Session } from './session.js'

/** A session that the service accepted, and what it is willing to receive. */
export interface InitiatedSession {
  readonly connection: Connection
  readonly limits: SessionLimits
  /** Bytes of the handshake's messages without lengths, for those who explain what crossed the wire. */
  readonly handshakeBytes: { readonly sent: number; readonly received: number }
}

/** What a client brings, and perhaps an X25519 that answers later. */
export type InitiateOptions = Omit<ClientHandshakeOptions, 'nowSeconds' | 'dhs'> & {
  /** For the DHs, a step ahead of the handshake; undefined, or none found, means that the handshake computes them itself. */
  readonly laterX25519?: (() => Promise<LaterX25519 | undefined>) | undefined
}

/** Open a session over `pipe`, which is destroyed when that fails.
 * @param signal - carries the deadline.
 * @throws as `ClientHandshake.receive`; `session/no_answer` when the service stays silent or hangs up;
 * the signal's reason when aborted by anything but a timeout. */
export function initiateSession(
  pipe: Pipe,
  options: InitiateOptions,
  signal: AbortSignal,
  times: ConnectionTimes = DEFAULT_TIMES,
  clock: Clock = SYSTEM_CLOCK,
): Promise<InitiatedSession> {
  return new Promise((resolve, reject) => {
    const start = (dhs?: ClientDhs): void =>
      new Initiating(pipe, { ...options, dhs }, signal, { times, clock }, resolve, reject).start()
    if (options.laterX25519 === undefined) start()
    else begun(options.laterX25519, options, signal).then(start).catch(reject)
  })
}

/** The DHs of the hello; undefined where nothing computes them ahead, and once `signal` is aborted. */
async function begun(
  laterX25519: () => Promise<LaterX25519 | undefined>,
  { pattern, capability, keyPair }: InitiateOptions,
  signal: AbortSignal,
): Promise<ClientDhs | undefined> {
  if (signal.aborted) return undefined
  const begin = async (): Promise<ClientDhs | undefined> => {
    const later = await laterX25519()
    const dhs = later && (await ClientDhs.begin(later, { pattern, keyPair, service: capability.publicKey }))
    if (!signal.aborted) return dhs
    dhs?.[Symbol.dispose]() // nobody waits for them any more
    return undefined
  }
  let onAbort = (): void => {}
  const aborted = new Promise<undefined>((resolve) => {
    onAbort = () => resolve(undefined)
  })
  addAbortListener(signal, onAbort)
  try {
    return await Promise.race([begin(), aborted])
  } finally {
    removeAbortListener(signal, onAbort)
  }
}

class Initiating {
  readonly #pipe: Pipe
  readonly #isXk: boolean
  readonly #signal: AbortSignal
  readonly #time: { readonly times: ConnectionTimes; readonly clock: Clock }
  readonly #frames: FrameReader
  readonly #resolve: (session: InitiatedSession) => void
  readonly #reject: (error: unknown) => void
  readonly #handshake: ClientHandshake
  #next: PipeEvents | undefined
  #sent = 0
  #received = 0
  #over = false
  /** What the pipe says while DHs are computed ahead; undefined at all other times. */
  #held: (() => void)[] | undefined

  constructor(
    pipe: Pipe,
    options: Omit<ClientHandshakeOptions, 'nowSeconds'>,
    signal: AbortSignal,
    time: { readonly times: ConnectionTimes; readonly clock: Clock },
    resolve: (session: InitiatedSession) => void,
    reject: (error: unknown) => void,
  ) {
    this.#handshake = new ClientHandshake({ ...options, nowSeconds: time.clock.wallMs() / 1_000 })
    this.#isXk = options.pattern === 'XK'
    this.#pipe = pipe
    this.#signal = signal
    this.#time = time
    this.#frames = new FrameReader(pipe.framing, HELLO_MAX_BYTES)
    this.#resolve = resolve
    this.#reject = reject
  }

  start(): void {
    const signal = this.#signal
    if (signal.aborted) {
      this.#onAbort()
      return
    }
    if (this.#isXk && this.#pipe.batchDeadlineMs !== undefined) {
      this.#fail(needsMessage3())
      return
    }
    addAbortListener(signal, this.#onAbort)
    const data = (bytes: Uint8Array): void =>
      this.#hear((next) => (next === undefined ? this.#receive(bytes) : next.data(bytes)))
    this.#pipe.start({
      data,
      lent: (bytes) => (this.#next?.lent === undefined ? data(bytes.slice()) : this.#next.lent(bytes)),
      drain: () => this.#next?.drain(),
      last: () => this.#hear((next) => next?.last?.()),
      end: () => this.#hear((next) => (next === undefined ? this.#fail(noAnswer()) : next.end())),
      closed: (error) =>
        this.#hear((next) => (next === undefined ? this.#fail(lostBy(error)) : next.closed(error))),
    })
    this.#send(this.#handshake.hello)
  }

  readonly #onAbort = (): void => {
    const { reason } = this.#signal
    this.#fail(isTimeout(reason) ? noAnswer() : reason)
  }

  #send(message: Uint8Array): void {
    this.#sent += message.length
    this.#pipe.write(this.#pipe.framing === 'length' ? concat(u16(message.length), message) : message)
  }

  /** Whoever is served by then hears it: the handshake, or the connection that came of it. */
  #hear(event: (next: PipeEvents | undefined) => void): void {
    if (this.#held === undefined) event(this.#next)
    else this.#held.push(() => event(this.#next))
  }

  #receive(bytes: Uint8Array): void {
    if (this.#over) return
    this.#attempt(() => {
      this.#frames.push(bytes)
      this.#readOn()
    })
  }

  /** Read every whole message, up to one whose DHs are being computed. */
  #readOn(): void {
    for (let message = this.#frames.next(); message !== undefined; message = this.#frames.next()) {
      this.#received += message.length
      const ahead = this.#handshake.ahead(message)
      if (ahead !== undefined) {
        this.#hold(message, ahead)
        return
      }
      if (this.#step(message)) return
    }
  }

  /** Read `message` once what it needs is computed, then whatever came meanwhile. */
  #hold(message: Uint8Array, ahead: Promise<unknown>): void {
    const held: (() => void)[] = []
    this.#held = held
    this.#pipe.pause()
    void ahead.then(() => {
      this.#held = undefined
      if (this.#over) return
      this.#attempt(() => {
        if (this.#step(message)) return // the connection resumes the pipe when it is started
        this.#readOn()
        this.#pipe.resume()
      })
      for (const event of held) event()
    })
  }

  /** @returns whether the handshake is over. */
  #step(message: Uint8Array): boolean {
    const step = this.#handshake.receive(message)
    if ('reply' in step) {
      this.#send(step.reply)
      return false
    }
    this.#open(step)
    return true
  }

  #attempt(read: () => void): void {
    try {
      read()
    } catch (error) {
      this.#fail(
        error instanceof NoisecapError
          ? error
          : new NoisecapError('session/handshake', 'Cannot open session: the answer is malformed'),
      )
    }
  }

  #open({ session, limits }: { readonly session: Session; readonly limits: SessionLimits }): void {
    this.#over = true
    removeAbortListener(this.#signal, this.#onAbort)
    const { times, clock } = this.#time
    const connection = new Connection(this.#pipe, session, this.#frames, times, clock)
    this.#next = connection.pipeEvents
    // The client's first transport message proves the PSK and freshness; until then no handler runs.
    connection.sendKeepalive()
    const handshakeBytes = { sent: this.#sent, received: this.#received }
    this.#resolve({ connection, limits, handshakeBytes })
  }

  #fail(error: unknown): void {
    if (this.#over) return
    this.#over = true
    removeAbortListener(this.#signal, this.#onAbort)
    this.#handshake.abandon()
    this.#pipe.destroy()
    this.#reject(error)
  }
}

/** Whether an abort reason is that of `AbortSignal.timeout`. */
function isTimeout(reason: unknown): boolean {
  return reason instanceof DOMException && reason.name === 'TimeoutError'
}

/** What a transport says of itself is passed on: that no server is there, above all. */
function lostBy(error: Error | undefined): NoisecapError {
  return error instanceof NoisecapError ? error : noAnswer(error)
}

function needsMessage3(): NoisecapError {
  return new NoisecapError(
    'transport/unreachable',
    'Cannot open session: XK has a third message, and this transport carries a hello and its answer',
    { hint: 'Greet with IK, or use another location, such as wss:' },
  )
}

function noAnswer(cause?: Error): NoisecapError {
  return new NoisecapError('session/no_answer', 'Cannot open session: the service did not answer the hello', {
    ...(cause === undefined ? {} : { cause }),
    hint: 'A service is silent towards whoever does not hold a capability of it; check that the capability is complete and of this service',
  })
}
