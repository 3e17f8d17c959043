// capabilityOf: from a live reference to a capability for its object, to be kept, or given to somebody who dials the host
// himself (docs/capabilities.md). Leaves out the host's side (src/served-session.ts) and offline narrowing (src/root.ts).
import type { Capability, MethodNameOf, NarrowedTo, Restrictions } from '../capability/index.js'
import { CallError } from './failure.js'
import type { ShapeOf } from './shapes.js'
import { callerOf, descriptionOf } from './stub.js'

/** Restrictions and hints of the capability that is asked for. */
export interface CapabilityOptions<M extends string = string> extends Restrictions<M> {
  /** For people, in the text form. */
  readonly label?: string | undefined
  /** Location hints; default those of the capability by which the host was reached. */
  readonly at?: readonly string[] | undefined
}

/** A capability for the object of a reference. It extends the chain of the capability by which you came to the reference: it
 * never outlives or exceeds that, falls with it when it is revoked, and is bound to your key if that is.
 *
 * For an object that `connect` gave, it is narrowed offline. For one that a method returned, the host is asked: it must have
 * handed the object out by name (`offer.reference`).
 * @param reference - one, or the promise of one; borrowed.
 * @param options - restrictions on top of those that are there.
 * @throws `rpc/failed_precondition` for an object without a name, for one that is proxied (see `isProxied`), and for a
 * `holder` other than the one that your own capability is bound to, since nobody could use that; `rpc/invalid_argument` for
 * restrictions that the host refuses; `capability/final`, `capability/too_large` where it is narrowed offline. */
export function capabilityOf<R extends object, const M extends MethodNameOf<ShapeOf<R>>>(
  reference: R,
  options: CapabilityOptions<M> & { readonly methods: readonly M[] },
): Promise<Capability<NarrowedTo<ShapeOf<R>, M>>>
export function capabilityOf<R extends object>(
  reference: R,
  options?: Omit<CapabilityOptions, 'methods'>,
): Promise<Capability<ShapeOf<R>>>
export async function capabilityOf(
  reference: object,
  options: CapabilityOptions = {},
): Promise<Capability<unknown>> {
  const { label, at, ...restrictions } = options
  const caller = callerOf(reference)
  if (caller.save === undefined)
    throw new TypeError('Cannot make capability: expected a reference of a host that can be asked for one')
  let capability = await caller.save(restrictions)
  if (label !== undefined) capability = capability.withLabel(label)
  if (at !== undefined) capability = capability.withLocations(at)
  const description = descriptionOf(reference)
  // The interface of a stub is that of its object; which methods are left, the type says.
  return description === undefined ? capability : capability.withInterface<unknown>(description)
}

/** Why there is no capability, and what helps. */
export function noCapability(why: string, hint: string): CallError {
  return new CallError('rpc/failed_precondition', `Cannot make capability: ${why}`, {
    method: 'capabilityOf',
    mayHaveRun: false,
    hint,
  })
}

/** The host's refusal, with what helps. */
export function saveRefused(error: unknown): unknown {
  if (!(error instanceof CallError) || error.code !== 'rpc/failed_precondition') return error
  return noCapability(
    error.message,
    'Ask for objects that the service hands out by offer.reference, with a capability that is not bound to another key',
  )
}
