// An export of the other side, as this side holds it: calls go through it until it is released or broken (spec/rpc.md §4).
// Leaves out re-dialling (src/root.ts), which turns a lost reference into a new one.
import type { CloseReason } from '../session/index.js'
import type { CallOptions } from './call-options.js'
import type { MethodDefinition } from './interface.js'

/** What a reference needs of its peer. */
export interface ReferenceOwner {
  callExport(
    exportId: number,
    method: MethodDefinition,
    input: unknown,
    options: CallOptions | undefined,
  ): Promise<unknown>
  befriend(exportId: number): Promise<void>
  releaseExport(exportId: number): void
}

/** One reference; held once by this side. */
export class RemoteReference {
  readonly exportId: number
  /** Told once when the other side breaks it; never after a release. */
  onBroken: ((reason: CloseReason) => void) | undefined
  readonly #owner: ReferenceOwner
  #state: 'live' | 'broken' | 'released' = 'live'
  #broken: CloseReason | undefined

  constructor(owner: ReferenceOwner, exportId: number) {
    this.#owner = owner
    this.exportId = exportId
  }

  /** Why the other side broke it, once it did. */
  get broken(): CloseReason | undefined {
    return this.#broken
  }

  call(method: MethodDefinition, input: unknown, options: CallOptions | undefined): Promise<unknown> {
    return this.#owner.callExport(this.exportId, method, input, options)
  }

  /** Ask to be remembered as a contact for this capability. */
  befriend(): Promise<void> {
    return this.#owner.befriend(this.exportId)
  }

  /** Let go; calls that are open still finish. */
  release(): void {
    if (this.#state === 'released') return
    this.#state = 'released'
    this.#owner.releaseExport(this.exportId)
  }

  /** The other side broke it. */
  break(reason: CloseReason): void {
    if (this.#state !== 'live') return
    this.#state = 'broken'
    this.#broken = reason
    this.onBroken?.(reason)
  }
}
