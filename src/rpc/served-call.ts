// Interceptors of a service: code around every handler, outermost first, behind all checks and the input's schema
// (docs/interceptors.md). Leaves out handlers themselves (execution.ts) and interceptors of callers (intercepted-caller.ts).
import type { CallContext } from './call-options.js'
import type { Exported } from './exports.js'

/** A call that may run, as interceptors of the service see it. */
export interface ServedCall {
  /** Name of the interface; undefined for a reference of another service that is passed on: its host checks the call. */
  readonly interface: string | undefined
  readonly method: string
  /** Validated by the method's schema. */
  readonly input: unknown
  readonly context: CallContext
  /** Object path in the grant of the capability on which the call stands; undefined where there is none. */
  readonly object: string | undefined
  /** That capability's grant id, hexadecimal; undefined where there is none. */
  readonly grantId: string | undefined
}

/** Runs around each handler.
 * @param next - goes on to the next interceptor or the handler; gives the result: of a stream method, the stream's source.
 * @returns what the caller gets. What it throws crosses by the rules of handlers: a `Failure` as it is, else an error id. */
export type ServiceInterceptor = (call: ServedCall, next: () => Promise<unknown>) => unknown

/** Where a call stands. */
export type Origin = Pick<ServedCall, 'object' | 'grantId'>

/** What a dispatcher runs around its handlers. */
export interface Around {
  readonly interceptors: readonly ServiceInterceptor[]
  /** Where a call on this export stands. */
  originOf(exported: Exported | undefined): Origin
}

/** Run `handler` inside the interceptors. */
export function runAround(
  { interceptors }: Around,
  call: ServedCall,
  handler: () => unknown,
): Promise<unknown> {
  const runFrom = async (at: number): Promise<unknown> => {
    const interceptor = interceptors[at]
    return interceptor === undefined ? handler() : interceptor(call, () => runFrom(at + 1))
  }
  return runFrom(0)
}
