// A reference of this side that came back to it (tag `yours`): called right here, yet with no more right than the one who
// brought it has. Without that, a caveat `methods` would end where a handler calls what its caller gave it.
// Leaves out dispatch of calls that come over the wire (dispatch.ts).
import type { CallOptions } from './call-options.js'
import { shapeCall } from './call-shape.js'
import type { Exported, Exports } from './exports.js'
import { CallError } from './failure.js'
import { callObject, type LocalTarget } from './local-target.js'
import type { MethodDefinition } from './method-definition.js'
import type { Caller, CallResult } from './stub.js'

/** What a stub of an own export forwards to. */
export class ExportedCaller implements Caller {
  readonly exported: Exported
  readonly #exportId: number
  readonly #target: LocalTarget | undefined

  /** @param target - of an export that was shared. */
  constructor(exported: Exported, exportId: number, target: LocalTarget | undefined) {
    this.exported = exported
    this.#exportId = exportId
    this.#target = target
    target?.retain()
  }

  /** Export it under its number, once more.
   * @returns undefined when `exports` does not have it. */
  exportAgain(exports: Exports): number | undefined {
    if (exports.find(this.#exportId) !== this.exported) return undefined
    exports.addAgain(this.#exportId)
    return this.#exportId
  }

  call(method: MethodDefinition, input: unknown, options: CallOptions | undefined): CallResult {
    return shapeCall(method, options, (shaped) => this.#call(method, input, shaped))
  }

  async #call(method: MethodDefinition, input: unknown, options: CallOptions | undefined): Promise<unknown> {
    const permission = this.exported.authorize(method.name)
    if (permission !== 'ok') {
      const why = permission === 'broken' ? 'the reference is broken' : 'the capability does not allow it'
      throw new CallError('rpc/permission_denied', `Call ${method.name} failed: ${why}`, {
        method: method.name,
        mayHaveRun: false,
      })
    }
    return callObject(await this.exported.target(), method, input, options)
  }

  retain(): void {
    this.#target?.retain()
  }

  release(): void {
    this.#target?.release()
  }
}
