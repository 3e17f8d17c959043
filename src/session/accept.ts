// Accepts sessions as the service: reads the hello under every limit, asks the verifier, answers or stays silent until
// the deadline (spec/session.md §5, §9). Strangers, replays, malformed bytes and bad proofs look the same from outside.
// Leaves out listening (src/service.ts) and what the session is used for.
import { concat, wipe } from '../bytes.js'
import type { Verified } from '../capability/index.js'
import { type Clock, letGo, SYSTEM_CLOCK, type Timer } from '../clock.js'
import { HANDSHAKE_DEADLINE_MS, HELLO_MAX_BYTES, SERVICES_PER_PORT_MAX } from '../limits.js'
import type { Pipe, PipeEvents } from '../transport/index.js'
import type { Admission } from './admission.js'
import { Connection, type ConnectionTimes, DEFAULT_TIMES } from './connection.js'
import { FrameReader } from './framing.js'
import { u16 } from './hello.js'
import type { ClientParameters } from './parameters.js'
import { type HelloQuestion, ServerHandshake, type ServiceIdentity } from './server-handshake.js'
import type { Session } from './session.js'
import type { Verdict, Verifier } from './verifier.js'

/** A session whose client proved a capability. Holder, claims and object are yet to be judged. */
export interface AcceptedSession<Identity extends ServiceIdentity> {
  readonly service: Identity
  readonly connection: Connection
  readonly verified: Verified
  /** With the holder salts, which XK told in message 3. */
  readonly parameters: ClientParameters
}

/** What accepting needs besides the pipe. */
export interface AcceptOptions<Identity extends ServiceIdentity> {
  readonly services: readonly Identity[]
  readonly verifier: Verifier<Identity>
  readonly admission: Admission
  /** Start the connection at once: it is dropped when its first record was not read by the handshake's deadline. */
  readonly accepted: (session: AcceptedSession<Identity>) => void
  /** The handshake is over, one way or the other. */
  readonly finished?: () => void
  readonly handshakeDeadlineMs?: number
  readonly times?: ConnectionTimes
  readonly clock?: Clock
}

/** Take a fresh pipe through the handshake.
 * @returns drops the pipe if its handshake is still going on. */
export function acceptSession<Identity extends ServiceIdentity>(
  pipe: Pipe,
  options: AcceptOptions<Identity>,
): () => void {
  if (options.services.length > SERVICES_PER_PORT_MAX) {
    // Each costs a stranger's hello one HMAC more.
    throw new RangeError(
      `Cannot accept: expected at most ${SERVICES_PER_PORT_MAX} services, got ${options.services.length}`,
    )
  }
  const accepting = new Accepting(pipe, options)
  return () => accepting.drop()
}

/** A hello that proved a capability, and what was decided about it. */
interface Proven<Identity extends ServiceIdentity> {
  readonly handshake: ServerHandshake<Identity>
  readonly question: HelloQuestion<Identity>
  readonly verdict: Verdict
}

/** One handshake, told of its pipe itself: whoever knocks costs few objects. */
class Accepting<Identity extends ServiceIdentity> implements PipeEvents {
  readonly #pipe: Pipe
  readonly #options: AcceptOptions<Identity>
  readonly #frames: FrameReader
  readonly #clock: Clock
  readonly #deadline: Timer
  #state: 'hello' | 'verifying' | 'message3' | 'silent' | 'refused' | 'open' | 'gone' = 'hello'
  #proven: Proven<Identity> | undefined
  #connection: Connection | undefined
  #releaseSlot: (() => void) | undefined
  #isSettled = false

  constructor(pipe: Pipe, options: AcceptOptions<Identity>) {
    this.#pipe = pipe
    this.#options = options
    this.#clock = options.clock ?? SYSTEM_CLOCK
    this.#frames = new FrameReader(pipe.framing, HELLO_MAX_BYTES)
    options.admission.trackUnproven(pipe)
    const deadlineMs = options.handshakeDeadlineMs ?? HANDSHAKE_DEADLINE_MS
    this.#deadline = this.#clock.setTimeout(() => this.#expire(), deadlineMs)
    letGo(this.#deadline)
    pipe.limitUnanswered?.(HELLO_MAX_BYTES)
    pipe.start(this)
  }

  data(bytes: Uint8Array): void {
    if (this.#connection === undefined) this.#receive(bytes)
    else this.#pass(bytes)
  }

  drain(): void {
    this.#connection?.pipeEvents.drain()
  }

  last(): void {
    if (this.#connection === undefined) this.#pipe.destroy()
    else this.#connection.pipeEvents.last?.()
  }

  /** The peer will send nothing more. Behind a whole hello it meets silence until the deadline all the same: the time at
   * which we let go would tell how much its hello made us compute. */
  end(): void {
    if (this.#connection !== undefined) this.#connection.pipeEvents.end()
    else if (this.#state === 'hello' || this.#state === 'refused') this.#pipe.destroy()
    else this.#silence()
  }

  closed(error: Error | undefined): void {
    this.#finish()
    this.#settle()
    if (this.#state !== 'open') this.#state = 'gone'
    this.#forget()
    this.#connection?.pipeEvents.closed(error)
  }

  /** Drop the pipe unless the session is open. */
  drop(): void {
    if (this.#state !== 'open') this.#pipe.destroy()
  }

  /** The deadline: a session whose client did not say a word counts as little as one that was never opened. */
  #expire(): void {
    if (this.#connection?.isConfirmed !== true) this.#pipe.destroy()
    this.#settle()
  }

  /** The handshake leads nowhere: wipe what it knows of the capability. */
  #forget(): void {
    this.#frames.clear()
    this.#releaseSlot?.()
    this.#proven?.handshake.abandon()
    if (this.#proven !== undefined) discard(this.#proven.verdict)
    this.#proven = undefined
  }

  /** The handshake is over. */
  #finish(): void {
    this.#releaseSlot?.()
    this.#options.finished?.()
  }

  /** The client has proven all there is to prove, or is gone. */
  #settle(): void {
    this.#clock.clearTimeout(this.#deadline)
    this.#options.admission.untrackUnproven(this.#pipe)
  }

  #pass(bytes: Uint8Array): void {
    this.#connection?.pipeEvents.data(bytes)
    if (this.#isSettled || this.#connection?.isConfirmed !== true) return
    this.#isSettled = true
    this.#settle()
  }

  #receive(bytes: Uint8Array): void {
    if (this.#state === 'verifying') this.#silence()
    if (this.#state !== 'hello' && this.#state !== 'message3') return
    try {
      this.#frames.push(bytes)
    } catch {
      this.#silence()
      return
    }
    this.#readFrame()
  }

  #readFrame(): void {
    let frame: Uint8Array | undefined
    try {
      frame = this.#frames.next()
    } catch {
      this.#silence()
      return
    }
    if (frame === undefined) return
    if (this.#state === 'message3') this.#complete(frame)
    // Before message 2 a genuine client has nothing more to say: nothing has to be kept while a verifier takes its time.
    else if (this.#frames.hasRest) this.#silence()
    else {
      this.#state = 'verifying'
      this.#verify(frame)
    }
  }

  #verify(hello: Uint8Array): void {
    const { services, verifier } = this.#options
    const handshake = new ServerHandshake(services, this.#options.admission.seen)
    const question = handshake.receive(hello, {
      admit: () => this.#admit(),
      nowSeconds: this.#clock.wallMs() / 1_000,
    })
    if (question === undefined) {
      this.#silence()
      return
    }
    const decide = (verdict: Verdict | undefined): void => this.#decide(handshake, question, verdict)
    let verdict: ReturnType<typeof verifier>
    try {
      verdict = verifier(question)
    } catch {
      // A verifier that fails must not end the process: whoever cannot be judged is denied.
      verdict = undefined
    }
    if (verdict instanceof Promise) verdict.then(decide, () => decide(undefined))
    else decide(verdict)
  }

  /** One token of the peer's address before the first DH; peers on this machine are exempt. */
  #admit(): boolean {
    return (
      this.#pipe.isLocal || this.#options.admission.takeToken(this.#pipe.remoteAddress, this.#clock.nowMs())
    )
  }

  #decide(
    handshake: ServerHandshake<Identity>,
    question: HelloQuestion<Identity>,
    verdict: Verdict | undefined,
  ): void {
    if (this.#state !== 'verifying' || verdict === undefined) {
      handshake.abandon()
      if (verdict !== undefined) discard(verdict)
      if (this.#state === 'verifying') this.#silence()
      return
    }
    this.#proven = { handshake, question, verdict }
    const { admission } = this.#options
    if (!this.#pipe.isLocal) admission.giveBackToken(this.#pipe.remoteAddress, this.#clock.nowMs())
    this.#releaseSlot = admission.takeSlot()
    const status = this.#releaseSlot === undefined ? 'overloaded' : verdict.answer.status
    const answered = handshake.answer({ ...verdict.answer, status })
    if (answered === undefined) {
      this.#silence()
      return
    }
    const { message, session, awaitsMessage3 } = answered
    this.#pipe.write(this.#pipe.framing === 'length' ? concat(u16(message.length), message) : message)
    if (awaitsMessage3) this.#state = 'message3'
    else if (session === undefined) this.#refuse()
    else this.#open(session, question.parameters)
  }

  /** XK: the client proves its key and the PSK, and is told the status. */
  #complete(message3: Uint8Array): void {
    const { handshake, question } = this.#proven! // set before this state
    const completed = handshake.complete(message3, this.#pipe.framing)
    if (completed === undefined) {
      this.#silence()
      return
    }
    const { record, session, holderSalts } = completed
    this.#pipe.write(record)
    if (session === undefined) this.#refuse()
    else this.#open(session, { ...question.parameters, holderSalts })
  }

  /** A genuine holder was told why not; the stream ends. */
  #refuse(): void {
    this.#state = 'refused'
    this.#forget()
    this.#pipe.end()
  }

  #open(session: Session, parameters: ClientParameters): void {
    const { question, verdict } = this.#proven! // whoever opens has been proven
    this.#proven = undefined
    this.#state = 'open'
    this.#finish()
    const { times = DEFAULT_TIMES } = this.#options
    const connection = new Connection(this.#pipe, session, this.#frames, times, this.#clock)
    this.#connection = connection
    const { verified } = verdict
    this.#options.accepted({ service: question.service, connection, verified, parameters })
  }

  /** Discard whatever comes until the deadline closes the pipe. */
  #silence(): void {
    if (this.#state === 'gone') return
    this.#state = 'silent'
    this.#forget()
  }
}

/** Wipe what was decided about a hello that leads nowhere. */
function discard({ answer, verified }: Verdict): void {
  wipe(answer.psk)
  verified[Symbol.dispose]()
}
