// SAVE at the host (spec/rpc.md §3): a capability for an object that was handed out by name. It extends the chain of the
// capability by which the caller came to it, so that it ends with that and all its caveats hold (spec/capability.md §7).
// Leaves out the session that asks (served-session.ts) and the chain itself (src/capability/verify.ts).
import { equalConstantTime } from './bytes.js'
import type { Capability, Restrictions, ServiceKey, Verified } from './capability/index.js'
import type { PublicKey } from './crypto/index.js'
import { NoisecapError } from './errors.js'
import { type Exported, Failure } from './rpc/index.js'
import { DerivedReference } from './served-reference.js'

/** Who asks whom, and when. */
export interface SaveContext {
  readonly service: { readonly key: ServiceKey }
  /** The proven key of the caller. */
  readonly client: PublicKey | undefined
  /** Unix seconds. */
  readonly nowSeconds: number
}

/** A capability for the object of `exported`, narrowed by `restrictions`.
 * @throws Failure when it has no name, the reference is over, or the restrictions cannot be met. */
export function saveReference(
  exported: Exported,
  restrictions: Restrictions,
  context: SaveContext,
): Capability {
  const named = exported instanceof DerivedReference ? exported.named : undefined
  if (!(exported instanceof DerivedReference) || named === undefined)
    throw new Failure('failed_precondition', 'the object has no name under which it is offered')
  const { authority } = exported
  if (!authority.isInForce()) throw new Failure('permission_denied', 'the reference is broken')
  if (named.host !== context.service)
    throw new Failure('failed_precondition', 'the object is offered by another service')
  const unknown = restrictions.methods?.some((name) => !named.description.methods.has(name))
  if (unknown === true) throw new Failure('invalid_argument', 'the object has no such method')
  checkHolder(authority.verified, restrictions, context.client)
  const { key } = context.service
  try {
    return authority.verified.extendTo(
      named.path,
      key,
      authority.holderSalts,
      restrictions,
      context.nowSeconds,
    )
  } catch (error) {
    if (error instanceof NoisecapError && error.code === 'capability/too_large')
      throw new Failure('failed_precondition', 'the chain of capabilities would be longer than is allowed')
    if (error instanceof TypeError || error instanceof RangeError)
      throw new Failure('invalid_argument', 'a restriction cannot be expressed')
    throw error
  }
}

/** Two different holders deny everybody, so what was asked for would be of no use: say so, instead of giving it. */
function checkHolder({ caveats }: Verified, { holder }: Restrictions, client: PublicKey | undefined): void {
  if (holder === undefined || !caveats.some(({ type }) => type === 'holder')) return
  // That the caller's own key satisfies its holder caveats was judged before anything was called.
  if (client !== undefined && equalConstantTime(holder, client)) return
  throw new Failure('failed_precondition', 'the capability of the caller is bound to the key of the caller')
}
