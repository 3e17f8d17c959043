// An export of the other side, as this side holds it: calls go through it until it is released or broken (spec/rpc.md §4).
// Counted twice: how often the other side has sent it, which a RELEASE gives back, and how many stubs stand for it here.
// Leaves out re-dialling (src/root.ts), which turns a lost reference into a new one.
import type { Capability, Restrictions } from '../capability/index.js'
import type { NoisecapError } from '../errors.js'
import { type CloseReason, refusalError } from '../session/index.js'
import type { CallOptions } from './call-options.js'
import type { Authority } from './exports.js'
import { noCapability } from './introductions.js'
import type { MethodDefinition } from './method-definition.js'
import type { Caller, CallResult } from './stub.js'

/** What a reference needs of its peer. */
export interface ReferenceOwner {
  callExport(
    reference: RemoteReference,
    method: MethodDefinition,
    input: unknown,
    options: CallOptions | undefined,
  ): CallResult
  befriend(exportId: number): Promise<void>
  save(exportId: number, restrictions: Restrictions): Promise<Capability>
  /** Nobody holds it here any more; it was received `count` times. */
  releaseExport(exportId: number, count: number): void
}

/** One reference, shared by the stubs that stand for it. */
export class RemoteReference implements Caller {
  readonly exportId: number
  /** For what this side sends along with calls on it: under whose authority that is. */
  readonly authority: Authority | undefined
  /** Whether the other side says that it passes calls on. */
  readonly isProxied: boolean
  /** Told once when the other side breaks it; never after a release. */
  onBroken: ((reason: CloseReason) => void) | undefined
  readonly #owner: ReferenceOwner
  #state: 'live' | 'broken' | 'released' = 'live'
  #broken: CloseReason | undefined
  #received = 1
  #holders = 1
  #listeners: ((error: NoisecapError) => void)[] | undefined

  constructor(owner: ReferenceOwner, exportId: number, authority?: Authority, isProxied = false) {
    this.#owner = owner
    this.exportId = exportId
    this.authority = authority
    this.isProxied = isProxied
  }

  /** Why the other side broke it, once it did. */
  get broken(): CloseReason | undefined {
    return this.#broken
  }

  /** Whether it belongs to the session of `owner`. */
  isOf(owner: ReferenceOwner): boolean {
    return this.#owner === owner
  }

  call(method: MethodDefinition, input: unknown, options: CallOptions | undefined): CallResult {
    return this.#owner.callExport(this, method, input, options)
  }

  /** Ask to be remembered as a contact for this capability. */
  befriend(): Promise<void> {
    return this.#owner.befriend(this.exportId)
  }

  /** Ask the host for a capability; who only passes calls on has none to give. */
  save(restrictions: Restrictions): Promise<Capability> {
    if (!this.isProxied) return this.#owner.save(this.exportId, restrictions)
    const hint = 'Ask whoever sent the reference to send capabilityOf(reference) instead'
    return Promise.reject(noCapability('the reference is proxied', hint))
  }

  /** The other side sent it once more. */
  receive(): void {
    this.#received += 1
    this.#holders += 1
  }

  retain(): void {
    this.#holders += 1
  }

  /** Let go; calls that are open still finish. */
  release(): void {
    if (this.#state === 'released') return
    this.#holders -= 1
    if (this.#holders > 0) return
    this.#state = 'released'
    this.#listeners = undefined
    this.#owner.releaseExport(this.exportId, this.#received)
  }

  whenBroken(tell: (error: NoisecapError) => void): void {
    if (this.#state === 'broken') queueMicrotask(() => tell(refusalError(this.#broken!)))
    else this.#listeners = [...(this.#listeners ?? []), tell]
  }

  /** The other side broke it. */
  break(reason: CloseReason): void {
    if (this.#state !== 'live') return
    this.#state = 'broken'
    this.#broken = reason
    this.onBroken?.(reason)
    this.lost(refusalError(reason))
  }

  /** It can no longer be called, because of `error`. */
  lost(error: NoisecapError): void {
    const listeners = this.#listeners
    this.#listeners = undefined
    for (const tell of listeners ?? []) tell(error)
  }
}
