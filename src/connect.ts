// connect: from a capability to an object whose methods can be called, and what can be done with such an object besides.
// Leaves out re-dialling (root.ts), sharing of sessions (pool.ts) and calls (src/rpc).
import { Capability, type PatternName } from './capability/index.js'
import type { KeyPair } from './crypto/index.js'
import type { Via } from './dial.js'
import type { Environment } from './environment.js'
import { choosePattern } from './pattern-choice.js'
import { SessionPool } from './pool.js'
import type { Resolver } from './resolve/index.js'
import { Root } from './root.js'
import {
  type CallInterceptor,
  type Calls,
  callerOf,
  createStub,
  InterceptedCaller,
  Interface,
  type Methods,
  type Stub,
} from './rpc/index.js'
import { type LocalLimits, localLimitsOf } from './session/index.js'

const CONNECT_TIMEOUT_MS = 10_000

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
  /** Opens a pipe to the service, in the place of looking it up and dialling: `() => messagePortPipe(port)`. Asked anew for
   * each session, so after one was lost, too. Sessions are shared between uses of one and the same function. */
  readonly via?: Via | undefined
  /** Budgets of this side. */
  readonly limits?: Partial<LocalLimits> | undefined
  /** Capabilities of one service share a session when they are used with the same key (or none), pattern and partition;
   * references in different partitions never do. Default: one partition for all. */
  readonly partition?: string | undefined
  /** Run around every call on the object, the first outermost, and on each reference that a method of it returns by its
   * interface; not on references inside other values. */
  readonly interceptors?: readonly CallInterceptor[] | undefined
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
  const pool = new SessionPool()
  return async <T>(
    given: Capability<T> | string,
    second?: Interface | ConnectOptions,
    third?: ConnectOptions,
  ): Promise<Stub<T>> => {
    const capability = capabilityOf(given)
    const description = second instanceof Interface ? second : capability.describes
    if (!(description instanceof Interface)) {
      throw new TypeError(
        'Cannot connect: expected an interface as the second argument, because the capability knows none',
      )
    }
    const options = (second instanceof Interface ? third : second) ?? {}
    const { key, signal, timeoutMs, resolvers, limits } = options
    const root = new Root(capability as Capability, pool, {
      environment,
      keyPair: key,
      pattern: choosePattern(capability, key, options.pattern),
      resolvers,
      via: options.via,
      limits: localLimitsOf(limits),
      partition: options.partition,
      timeoutMs: timeoutMs ?? CONNECT_TIMEOUT_MS,
    })
    await root.open(signal)
    const { interceptors = [] } = options
    const { clock } = environment
    const caller =
      interceptors.length === 0
        ? root
        : new InterceptedCaller(root, description.name, { interceptors: [...interceptors], clock })
    return createStub<T>(description, caller)
  }
}

function capabilityOf<T>(given: Capability<T> | string): Capability<T> {
  if (typeof given === 'string') return Capability.parse(given) as Capability<T> // the interface is the caller's word
  if ((given as unknown) instanceof Capability) return given // JavaScript may give anything
  throw new TypeError(
    `Cannot connect: expected a capability or its text, got ${given === undefined || given === null ? given : typeof given}`,
  )
}

/** Ask the service behind a reference to remember this client's key for this capability, so that the client may greet
 * with KK from now on: `connect(capability, { key, pattern: 'KK' })`, one round trip between two that know each other.
 * @param reference - an object that `connect` gave, with a key.
 * @throws `rpc/failed_precondition` for an anonymous client, `rpc/unimplemented` when the service keeps no contacts,
 * `rpc/permission_denied` when it does not accept this one. */
export function befriend(reference: Disposable): Promise<void> {
  const caller = callerOf(reference)
  if (caller.befriend !== undefined) return caller.befriend()
  return Promise.reject(new TypeError('Cannot befriend: expected an object that connect gave'))
}
