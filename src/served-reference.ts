// One capability at work in a session: its caveats are judged at each dispatch, it ends by expiry, revocation or release,
// and nothing of the session outlives it unless another capability carries that (spec/session.md §5).
// Leaves out the session that holds several (served-session.ts) and the objects they share (served-objects.ts).
import { allowedMethods, expiresAt, judgeTime, notBefore, type Verified } from './capability/index.js'
import type { Clock } from './clock.js'
import { CLOCK_LEEWAY_SECONDS } from './limits.js'
import {
  type Authority,
  type Exported,
  type LocalTarget,
  NamedTarget,
  type Permission,
  type Target,
} from './rpc/index.js'
import type { ObjectUse } from './served-objects.js'
import type { CloseReason } from './session/index.js'

/** What a reference tells its session. */
export interface ReferenceHost {
  readonly clock: Clock
  /** It is over: tell the client, and end the session if it was the last. */
  ended(reference: ServedReference, reason: CloseReason): void
  /** The client needs it no more, nor anything that was handed out under it. */
  released(reference: ServedReference): void
  /** A share in the object at `path` of `service` for the grant of this reference; undefined for another service. */
  open(reference: ServedReference, service: object, path: string): ObjectUse | undefined
  /** Call `expire` in `delayMs`.
   * @returns call it to forget that. */
  expireIn(subject: { expire(): void }, delayMs: number): () => void
}

/** Between two looks at a clock that went back, ms. */
const RECHECK_MS = 1_000

/** A capability that a client has proven. */
export class ServedReference implements Exported, Authority {
  readonly verified: Verified
  readonly holderSalts: readonly Uint8Array[]
  readonly mapCalls: number | undefined
  readonly #host: ReferenceHost
  readonly #use: ObjectUse
  /** Whether a caveat looks at the clock: a dispatch without one does not. */
  readonly #isTimed: boolean
  /** Methods that its caveats leave; undefined for all. */
  readonly #methods: readonly string[] | undefined
  #live = true
  /** Itself, and what was handed out under it. */
  #holds = 1
  #stopExpiry: (() => void) | undefined

  /** @param verified - taken over.
   * @param mapCalls - as its offer allows. */
  constructor(
    host: ReferenceHost,
    verified: Verified,
    holderSalts: readonly Uint8Array[],
    use: ObjectUse,
    mapCalls: number | undefined,
  ) {
    this.#host = host
    this.verified = verified
    this.holderSalts = holderSalts
    this.#use = use
    this.mapCalls = mapCalls
    this.#isTimed = expiresAt(verified) !== undefined || notBefore(verified) !== undefined
    this.#methods = allowedMethods(verified)
    this.#scheduleExpiry()
  }

  /** Whether calls may still go through it. */
  get isLive(): boolean {
    return this.#live
  }

  get authority(): Authority {
    return this
  }

  isInForce(): boolean {
    return this.#live && this.#isInTime()
  }

  derive(target: LocalTarget): Exported {
    this.#holds += 1
    return new DerivedReference(this, target, () => this.released())
  }

  open(service: object, path: string): ObjectUse | undefined {
    return this.#host.open(this, service, path)
  }

  authorize(method: string): Permission {
    // A revocation needs no look here: its change event has ended the reference before any later record.
    if (!this.#live || !this.#isInTime()) return 'broken'
    return this.#methods === undefined || this.#methods.includes(method) ? 'ok' : 'denied'
  }

  target(): Target | Promise<Target> {
    return this.#use.target()
  }

  /** Its time has come, or the clock went back. */
  expire(): void {
    this.#stopExpiry = undefined
    if (this.#live && this.#isInTime()) this.#scheduleExpiry()
  }

  /** It is over for this reason; the client is told. */
  end(reason: CloseReason): void {
    if (!this.#live) return
    this.#stop()
    this.#host.ended(this, reason)
  }

  released(): void {
    this.#holds -= 1
    if (this.#holds > 0 || !this.#live) return
    this.#stop()
    this.#host.released(this)
  }

  /** The session is over. */
  abandon(): void {
    this.#stop()
  }

  #isInTime(): boolean {
    if (!this.#isTimed || judgeTime(this.verified, this.#host.clock.wallMs() / 1_000) === 'ok') return true
    this.end('expired')
    return false
  }

  #scheduleExpiry(): void {
    const expires = expiresAt(this.verified)
    if (expires === undefined) return
    const delayMs = (expires + CLOCK_LEEWAY_SECONDS) * 1_000 - this.#host.clock.wallMs()
    this.#stopExpiry = this.#host.expireIn(this, Math.max(RECHECK_MS, delayMs))
  }

  #stop(): void {
    if (!this.#live) return
    this.#live = false
    this.#stopExpiry?.()
    this.#stopExpiry = undefined
    this.#use.end()
    this.verified[Symbol.dispose]()
  }
}

/** An object that a method handed out: it may be called as long as the capability holds that gave the right to the method. */
export class DerivedReference implements Exported {
  readonly authority: ServedReference
  readonly #target: LocalTarget
  readonly #gone: () => void

  constructor(authority: ServedReference, target: LocalTarget, gone: () => void) {
    this.authority = authority
    this.#target = target
    this.#gone = gone
    target.retain()
  }

  get isLive(): boolean {
    return this.authority.isLive
  }

  get lane(): object {
    return this.#target
  }

  authorize(): Permission {
    return this.authority.isInForce() ? 'ok' : 'broken'
  }

  /** The path of its object, if it was handed out by name. */
  get named(): NamedTarget | undefined {
    return this.#target instanceof NamedTarget ? this.#target : undefined
  }

  target(): Target | LocalTarget | Promise<Target> {
    return this.#target.under(this.authority)
  }

  released(): void {
    this.#target.release()
    this.#gone()
  }
}
