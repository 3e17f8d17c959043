// The object behind a capability, over whatever session is open: after a lost connection the next call dials again, with
// backoff and jitter; a refusal by the service itself is final. Leaves out sharing of sessions (pool.ts) and calls (src/rpc).
import { type Capability, judgeHolder, type Restrictions } from './capability/index.js'
import { type Clock, sleep } from './clock.js'
import type { PublicKey } from './crypto/index.js'
import { NoisecapError } from './errors.js'
import type { PoolOptions, SessionPool } from './pool.js'
import type { Lease } from './pooled-session.js'
import { repeatCall } from './repetition.js'
import {
  CallError,
  type Caller,
  type CallOptions,
  type CallResult,
  type MethodDefinition,
  noCapability,
  repeatable,
  shapeCall,
} from './rpc/index.js'
import { type CloseReason, refusalError } from './session/index.js'
import { untilAborted } from './until-aborted.js'

const BACKOFF_FIRST_MS = 100
const BACKOFF_MAX_MS = 10_000

/** How to reach the object, each time anew. */
export interface RootOptions extends PoolOptions {
  readonly timeoutMs: number
}

/** A sturdy reference: lasts as long as its capability. */
export class Root implements Caller {
  readonly #capability: Capability
  readonly #pool: SessionPool
  readonly #options: RootOptions
  readonly #clock: Clock
  #lease: Lease | undefined
  #opening: Promise<Lease> | undefined
  #final: NoisecapError | undefined
  #holders = 1
  readonly #listeners: ((error: NoisecapError) => void)[] = []
  #failures = 0
  #notBeforeMs = 0

  constructor(capability: Capability, pool: SessionPool, options: RootOptions) {
    this.#capability = capability
    this.#pool = pool
    this.#options = options
    this.#clock = options.environment.clock
  }

  /** Reach the object for the first time. */
  async open(signal: AbortSignal | undefined): Promise<void> {
    await this.#open(signal)
  }

  /** What needs closures is apart, here and below: they would cost the calls that need none. */
  call(method: MethodDefinition, input: unknown, options: CallOptions | undefined): CallResult {
    if (method.kind !== 'call' || !(method.idempotent || options?.idempotent === true))
      return this.#callOnce(method, input, options)
    return this.#callRepeatable(method, input, options)
  }

  #callRepeatable(method: MethodDefinition, input: unknown, options: CallOptions | undefined): CallResult {
    const clock = this.#clock
    const beganMs = clock.nowMs()
    const again = (left: CallOptions): Promise<unknown> => this.#callLater(method, input, left)
    return repeatable(method, this.#callOnce(method, input, options), (error) =>
      repeatCall(error, { input, options, beganMs, clock, again }),
    )
  }

  #callOnce(method: MethodDefinition, input: unknown, options: CallOptions | undefined): CallResult {
    const lease = this.#lease
    return lease === undefined
      ? this.#callOnceOpen(method, input, options)
      : lease.reference.call(method, input, options)
  }

  #callOnceOpen(method: MethodDefinition, input: unknown, options: CallOptions | undefined): CallResult {
    return shapeCall(method, options, (shaped) => this.#callLater(method, input, shaped))
  }

  /** The reference of the session that is open, if one is. */
  current(): Caller | undefined {
    return this.#lease?.reference
  }

  whenBroken(tell: (error: NoisecapError) => void): void {
    if (this.#final === undefined) this.#listeners.push(tell)
    else queueMicrotask(() => tell(this.#final!))
  }

  retain(): void {
    this.#holders += 1
  }

  /** Offline: this side holds the capability itself. */
  async save(restrictions: Restrictions): Promise<Capability> {
    const capability = this.#capability
    const { holder } = restrictions
    if (holder !== undefined && isBoundToAnother(capability, holder))
      throw noCapability(
        'it is bound to another client key, so the holder named could not use it',
        'Ask the service for a capability that is not bound to a key, or bound to that one',
      )
    const isRestricted = Object.values(restrictions).some((value) => value !== undefined)
    return isRestricted ? capability.attenuate(restrictions) : capability.withLabel(capability.label)
  }

  async befriend(): Promise<void> {
    const lease = this.#lease ?? (await this.#reopen())
    await lease.reference.befriend()
  }

  async release(): Promise<void> {
    this.#holders -= 1
    if (this.#holders > 0) return
    this.#final ??= new NoisecapError('session/closed', 'Cannot call: the reference was disposed')
    const lease = this.#lease
    this.#lease = undefined
    await lease?.release()
  }

  /** The session was lost: open another, as often as calls ask for it and backoff allows. */
  async #callLater(
    method: MethodDefinition,
    input: unknown,
    options: CallOptions | undefined,
  ): Promise<unknown> {
    const { timeoutMs, signal } = options ?? {}
    const clock = this.#clock
    const began = clock.nowMs()
    const waits = [signal, isEndless(timeoutMs) ? undefined : clock.timeoutSignal(Math.ceil(timeoutMs))]
    const giveUp = AbortSignal.any(waits.filter((each) => each !== undefined))
    let lease: Lease
    try {
      lease = this.#lease ?? (await untilAborted(this.#reopen(), giveUp))
    } catch (cause) {
      throw unavailable(method.name, cause, this.#final)
    }
    const left = timeoutMs === undefined ? undefined : Math.max(1, timeoutMs - (clock.nowMs() - began))
    return lease.reference.call(method, input, { ...options, timeoutMs: left })
  }

  #reopen(): Promise<Lease> {
    if (this.#final !== undefined) return Promise.reject(this.#final)
    this.#opening ??= this.#openAfterBackoff().finally(() => {
      this.#opening = undefined
    })
    return this.#opening
  }

  async #openAfterBackoff(): Promise<Lease> {
    const waitMs = this.#notBeforeMs - this.#clock.nowMs()
    if (waitMs > 0) await sleep(this.#clock, waitMs)
    if (this.#final !== undefined) throw this.#final
    try {
      const lease = await this.#open(undefined)
      this.#failures = 0
      return lease
    } catch (error) {
      const delayMs = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** this.#failures)
      this.#failures += 1
      this.#notBeforeMs = this.#clock.nowMs() + delayMs * (0.5 + Math.random() / 2)
      throw error
    }
  }

  async #open(signal: AbortSignal | undefined): Promise<Lease> {
    const deadline = this.#clock.timeoutSignal(this.#options.timeoutMs)
    const dialSignal = signal === undefined ? deadline : AbortSignal.any([signal, deadline])
    const lease = await this.#pool.acquire(this.#capability, this.#options, dialSignal)
    lease.events = {
      broken: (reason) => this.#broken(lease, reason),
      lost: () => this.#forget(lease),
    }
    if (this.#final !== undefined) {
      await lease.release()
      throw this.#final
    }
    // Lost in between: the next call dials again.
    if (lease.isLive) this.#lease = lease
    return lease
  }

  #broken(lease: Lease, reason: CloseReason): void {
    this.#forget(lease)
    if (this.#final !== undefined) return
    this.#final = refusalError(reason)
    for (const tell of this.#listeners.splice(0)) tell(this.#final)
  }

  #forget(lease: Lease): void {
    if (this.#lease === lease) this.#lease = undefined
  }
}

/** Whether a capability has holders, and `client` is not all of them. */
function isBoundToAnother(capability: Capability, client: PublicKey): boolean {
  const salts = capability.holderSalts()
  return salts.length > 0 && judgeHolder(capability, client, salts) !== 'ok'
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

/** Longer than a timer of the platform takes. */
function isEndless(timeoutMs: number | undefined): timeoutMs is undefined {
  return timeoutMs === undefined || timeoutMs > 0x7fff_ffff
}
