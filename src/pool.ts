// The open sessions of one host, shared: a further capability of the same service rides on a session that is there, by one
// HMAC instead of a dial (spec/session.md §5). Shared only by the same client key or anonymity, pattern and partition.
// Leaves out what holds a lease and re-dials (root.ts) and the dial itself (dial.ts).

import { hexEncode } from './bytes.js'
import type { Capability } from './capability/index.js'
import { type DialOptions, dialService, type Via } from './dial.js'
import { NoisecapError } from './errors.js'
import { type Lease, PooledSession } from './pooled-session.js'
import type { LocalLimits } from './session/index.js'
import { untilAborted } from './until-aborted.js'

/** How to open a session where none can be shared. */
export interface PoolOptions extends DialOptions {
  readonly limits: LocalLimits
  /** Sessions of different partitions are never shared. */
  readonly partition: string | undefined
}

/** How the attempt of another ended, for those who waited for it. */
interface Attempt {
  /** Where it looked; undefined when it succeeded or failed for a reason of its own. */
  readonly route: string | undefined
  readonly error: unknown
}

/** Failures that everybody would meet who dials the same places. */
const SHARED_FAILURES: ReadonlySet<string> = new Set(['transport/unreachable', 'resolve/not_found'])

/** Sessions by what may share them. */
export class SessionPool {
  readonly #open = new Map<string, PooledSession>()
  readonly #opening = new Map<string, Promise<Attempt>>()

  /** A reference to the object of `capability`, over a session that is open or one that is opened for it.
   * @param signal - carries the deadline.
   * @throws as `dialService`; `session/denied` and the like when the service refuses the capability. */
  async acquire(capability: Capability, options: PoolOptions, signal: AbortSignal): Promise<Lease> {
    const key = keyOf(capability, options)
    for (;;) {
      if (signal.aborted) throw timeoutOr(signal)
      const session = this.#open.get(key)
      if (session?.hasRoom === true) {
        const lease = await session.present(capability, signal)
        if (lease !== undefined) return lease
        continue // it ended meanwhile, or takes no more: the next round finds or opens another
      }
      const opening = this.#opening.get(key)
      if (opening === undefined) return this.#dial(key, capability, options, signal)
      const { route, error } = await untilAborted(opening, signal).catch(() => {
        throw timeoutOr(signal)
      })
      if (route === routeOf(capability)) throw error
    }
  }

  async #dial(
    key: string,
    capability: Capability,
    options: PoolOptions,
    signal: AbortSignal,
  ): Promise<Lease> {
    const dialing = this.#openSession(key, capability, options, signal)
    const attempt = dialing.then(
      () => ({ route: undefined, error: undefined }),
      (error: unknown) => ({
        route:
          error instanceof NoisecapError && SHARED_FAILURES.has(error.code) ? routeOf(capability) : undefined,
        error,
      }),
    )
    this.#opening.set(key, attempt)
    try {
      return (await dialing).root()
    } finally {
      this.#opening.delete(key)
    }
  }

  async #openSession(
    key: string,
    capability: Capability,
    options: PoolOptions,
    signal: AbortSignal,
  ): Promise<PooledSession> {
    const initiated = await dialService(capability, options, signal)
    const session: PooledSession = new PooledSession(initiated, options.limits, capability.locations, () => {
      if (this.#open.get(key) === session) this.#open.delete(key)
    })
    this.#open.set(key, session)
    return session
  }
}

/** An anonymous capability never rides on a named session, nor the other way round. */
function keyOf(capability: Capability, options: PoolOptions): string {
  const { keyPair, pattern, partition, limits, via } = options
  const client = keyPair === undefined ? '' : hexEncode(keyPair.publicKey)
  return JSON.stringify([capability.keyHash, client, pattern, partition ?? '', limits, numberOf(via)])
}

const numbers = new WeakMap<Via, number>()
let lastNumber = 0

/** Sessions over pipes that another function opened lead elsewhere. */
function numberOf(via: Via | undefined): number {
  if (via === undefined) return 0
  const known = numbers.get(via)
  if (known !== undefined) return known
  lastNumber += 1
  numbers.set(via, lastNumber)
  return lastNumber
}

/** Which places a dial would try. */
function routeOf(capability: Capability): string {
  return capability.locations.join(' ')
}

function timeoutOr(signal: AbortSignal): unknown {
  const reason: unknown = signal.reason
  if (!(reason instanceof DOMException) || reason.name !== 'TimeoutError') return reason
  return new NoisecapError('transport/unreachable', 'Cannot connect: the service was not reached in time', {
    hint: 'Start the service, or give the capability a location where it listens',
  })
}
