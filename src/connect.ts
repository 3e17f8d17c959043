// connect: from a capability to an object whose methods can be called. The root re-dials after a lost connection, with
// backoff and jitter; a refusal by the service itself is final. Leaves out dialling (dial.ts) and calls (src/rpc).
import { Capability, type PatternName } from './capability/index.js'
import type { KeyPair } from './crypto/index.js'
import { type DialOptions, dialService } from './dial.js'
import type { Environment } from './environment.js'
import { NoisecapError } from './errors.js'
import { choosePattern } from './pattern-choice.js'
import type { Resolver } from './resolve/index.js'
import {
  CallError,
  type Caller,
  type CallOptions,
  type Calls,
  createStub,
  Interface,
  type MethodDefinition,
  type Methods,
  Peer,
  type Stub,
} from './rpc/index.js'
import { type CloseOutcome, DEFAULT_LIMITS, type SessionLimits } from './session/index.js'

const CONNECT_TIMEOUT_MS = 10_000
const BACKOFF_FIRST_MS = 100
const BACKOFF_MAX_MS = 10_000

/** Options of {@link connect}. */
export interface ConnectOptions {
  /** The client's own key, proven to the service; anonymous without (NK). */
  readonly key?: KeyPair | undefined
  /** How to greet. Default NK without a key, IK with one, or XK where the capability forbids IK. XK hides the key best
   * and takes a round trip more; KK needs to have been befriended before. */
  readonly pattern?: PatternName | undefined
  /** Cancels connecting. */
  readonly signal?: AbortSignal | undefined
  /** For finding, dialling and the handshake, ms; default 10,000. Holds for each re-dial too. */
  readonly timeoutMs?: number | undefined
  /** Asked after the hints in the capability; default the file registry of this machine. */
  readonly resolvers?: readonly Resolver[] | undefined
  /** Budgets of this side. */
  readonly limits?: Partial<SessionLimits> | undefined
}

/** The `connect` of one host. */
export interface Connect {
  /** Connect with a capability that knows its interface: one that was minted here, or got one by `withInterface`. */
  <T>(capability: Capability<T>, options?: ConnectOptions): Promise<Stub<T>>
  /** Connect with a capability, or its text, to an object of the given interface. */
  <M extends Methods>(
    capability: Capability | string,
    description: Interface<M>,
    options?: ConnectOptions,
  ): Promise<Stub<Calls<M>>>
}

/** Make the `connect` of a host. */
export function connectIn(environment: Environment): Connect {
  return async <T>(
    given: Capability<T> | string,
    second?: Interface | ConnectOptions,
    third?: ConnectOptions,
  ): Promise<Stub<T>> => {
    const capability = typeof given === 'string' ? Capability.parse(given) : given
    const description = second instanceof Interface ? second : capability.describes
    if (!(description instanceof Interface)) {
      throw new TypeError(
        'Cannot connect: expected an interface as the second argument, because the capability knows none',
      )
    }
    const options = (second instanceof Interface ? third : second) ?? {}
    const { key, signal, timeoutMs, resolvers, limits } = options
    const root = new Root(capability as Capability, {
      environment,
      keyPair: key,
      pattern: choosePattern(capability, key, options.pattern),
      resolvers,
      limits: { ...DEFAULT_LIMITS, ...limits },
      timeoutMs: timeoutMs ?? CONNECT_TIMEOUT_MS,
    })
    await root.open(signal)
    return createStub<T>(description, root)
  }
}

interface RootOptions extends DialOptions {
  readonly limits: SessionLimits
  readonly timeoutMs: number
}

/** The object behind a capability, over whatever session is open. */
class Root implements Caller {
  readonly #capability: Capability
  readonly #options: RootOptions
  #peer: Peer | undefined
  #opening: Promise<Peer> | undefined
  #final: NoisecapError | undefined
  #failures = 0
  #notBeforeMs = 0
  #closed: (() => void) | undefined

  constructor(capability: Capability, options: RootOptions) {
    this.#capability = capability
    this.#options = options
  }

  /** Open the first session. */
  async open(signal: AbortSignal | undefined): Promise<void> {
    await this.#open(signal)
  }

  call(method: MethodDefinition, input: unknown, options: CallOptions | undefined): Promise<unknown> {
    const peer = this.#peer
    if (peer !== undefined) return peer.call(method, input, options)
    return this.#callLater(method, input, options)
  }

  async dispose(): Promise<void> {
    this.#final ??= new NoisecapError('session/closed', 'Cannot call: the reference was disposed')
    const peer = this.#peer
    this.#peer = undefined
    if (peer === undefined) return
    const closed = new Promise<void>((resolve) => {
      this.#closed = resolve
    })
    peer.close()
    await closed
  }

  /** The session was lost: open another, as often as calls ask for it and backoff allows. */
  async #callLater(
    method: MethodDefinition,
    input: unknown,
    options: CallOptions | undefined,
  ): Promise<unknown> {
    const { timeoutMs, signal } = options ?? {}
    const began = performance.now()
    const waits = [signal, timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs)]
    const giveUp = AbortSignal.any(waits.filter((each) => each !== undefined))
    let peer: Peer
    try {
      peer = await untilAborted(this.#reopen(), giveUp)
    } catch (cause) {
      throw unavailable(method.name, cause, this.#final)
    }
    const left = timeoutMs === undefined ? undefined : Math.max(1, timeoutMs - (performance.now() - began))
    return peer.call(method, input, { signal, timeoutMs: left })
  }

  #reopen(): Promise<Peer> {
    if (this.#final !== undefined) return Promise.reject(this.#final)
    this.#opening ??= this.#openAfterBackoff().finally(() => {
      this.#opening = undefined
    })
    return this.#opening
  }

  async #openAfterBackoff(): Promise<Peer> {
    const waitMs = this.#notBeforeMs - performance.now()
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs))
    if (this.#final !== undefined) throw this.#final
    try {
      const peer = await this.#open(undefined)
      this.#failures = 0
      return peer
    } catch (error) {
      const delayMs = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** this.#failures)
      this.#failures += 1
      this.#notBeforeMs = performance.now() + delayMs * (0.5 + Math.random() / 2)
      throw error
    }
  }

  async #open(signal: AbortSignal | undefined): Promise<Peer> {
    const deadline = AbortSignal.timeout(this.#options.timeoutMs)
    const dialSignal = signal === undefined ? deadline : AbortSignal.any([signal, deadline])
    const { connection, limits } = await dialService(this.#capability, this.#options, dialSignal)
    const peer: Peer = new Peer(connection, {
      remoteLimits: limits,
      localLimits: this.#options.limits,
      goingAway: () => this.#forget(peer),
      closed: (outcome) => this.#lost(peer, outcome),
    })
    peer.start()
    if (this.#final !== undefined) {
      peer.close()
      throw this.#final
    }
    this.#peer = peer
    return peer
  }

  #forget(peer: Peer): void {
    if (this.#peer === peer) this.#peer = undefined
  }

  #lost(peer: Peer, outcome: CloseOutcome): void {
    this.#forget(peer)
    this.#final ??= refusal(outcome)
    this.#closed?.()
  }
}

/** The error for a reason that another session would meet again. */
function refusal({ reason, by }: CloseOutcome): NoisecapError | undefined {
  if (by !== 'peer') return undefined
  switch (reason) {
    case 'expired':
      return new NoisecapError('session/expired', 'The capability has expired (caveat expires)')
    case 'revoked':
      return new NoisecapError('session/revoked', 'The capability was revoked')
    case 'holder':
      return new NoisecapError(
        'session/denied',
        'The capability is bound to another client key (caveat holder)',
      )
    case 'claims':
      return new NoisecapError(
        'session/denied',
        'The service does not accept a claim of the capability (caveat claims)',
      )
    case 'object':
      return new NoisecapError('session/denied', 'The service does not offer the object of the capability')
    default:
      return undefined
  }
}

function unavailable(method: string, cause: unknown, final: NoisecapError | undefined): unknown {
  if (final !== undefined && cause === final) return final
  if (cause instanceof DOMException) {
    const code = cause.name === 'TimeoutError' ? 'rpc/deadline_exceeded' : 'rpc/canceled'
    return new CallError(code, `Call ${method} was given up while connecting`, {
      method,
      mayHaveRun: false,
      cause,
    })
  }
  const why = cause instanceof Error ? cause.message : 'the service is away'
  return new CallError('rpc/unavailable', `Call ${method} failed: ${why}`, {
    method,
    mayHaveRun: false,
    cause,
  })
}

/** `promise`, or the signal's reason if that comes first. */
function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason)
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}
