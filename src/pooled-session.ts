// One open session and the references that share it; closed when the last of them is let go (spec/session.md §5).
// Leaves out which sessions may be shared (pool.ts) and what a reference is used for (root.ts).
import type { Capability } from './capability/index.js'
import { NoisecapError } from './errors.js'
import { CallError, Peer, type RemoteReference } from './rpc/index.js'
import {
  type CloseReason,
  type InitiatedSession,
  type LocalLimits,
  namedRefusalError,
  presentCapability,
  refusalError,
  type SessionLimits,
} from './session/index.js'
import { untilAborted } from './until-aborted.js'

/** What the holder of a lease is told, each once at most. */
interface LeaseEvents {
  /** The service ended the capability. */
  broken(reason: CloseReason): void
  /** The session is over or takes no more calls: another is needed. */
  lost(): void
}

/** A reference on a shared session. */
export interface Lease {
  readonly reference: RemoteReference
  /** Whether calls may go through it; false once broken, lost or released. */
  readonly isLive: boolean
  /** Whom to tell what happens from now on. */
  events: LeaseEvents | undefined
  /** Let go; resolves when the session is closed, if this was the last. */
  release(): Promise<void>
}

/** An open session of this host. */
export class PooledSession {
  readonly #peer: Peer
  readonly #limits: SessionLimits
  readonly #leases = new Set<Lease>()
  readonly #gone: () => void
  readonly #closed: Promise<void>
  #presenting = 0
  #isFull = false
  #isLeaving = false

  /** @param locations - hints of the capability that opened it.
   * @param gone - called when nobody should join any more. */
  constructor(
    { connection, limits }: InitiatedSession,
    localLimits: LocalLimits,
    locations: readonly string[],
    gone: () => void,
  ) {
    this.#limits = limits
    this.#gone = gone
    let closed: () => void
    this.#closed = new Promise((resolve) => {
      closed = resolve
    })
    this.#peer = new Peer(connection, {
      remoteLimits: limits,
      localLimits,
      locations,
      goingAway: () => this.#leave(),
      last: () => this.#leave(),
      closed: () => {
        this.#leave()
        closed()
      },
    })
    this.#peer.start()
  }

  /** Whether a further capability may be shown. */
  get hasRoom(): boolean {
    const used = this.#leases.size + this.#presenting
    if (this.#peer.connection.batchDeadlineMs !== undefined) return false // one batch, of one capability
    return !this.#isLeaving && !this.#isFull && this.#peer.connection.isOpen && used < this.#limits.maxExports
  }

  /** The lease of the capability that opened the session. */
  root(): Lease {
    return this.#lease(this.#peer.root())
  }

  /** Show a further capability.
   * @returns undefined when the session ended meanwhile or takes no more.
   * @throws the service's refusal; the signal's reason. */
  async present(capability: Capability, signal: AbortSignal): Promise<Lease | undefined> {
    this.#presenting += 1
    const presenting = this.#peer.present(presentCapability(this.#peer.connection.session, capability))
    try {
      const reference = await untilAborted(presenting, signal)
      const lease = this.#lease(reference)
      // Broken between the answer and now; or the session is over, and another is needed.
      if (reference.broken !== undefined) throw refusalError(reference.broken)
      return lease.isLive ? lease : undefined
    } catch (error) {
      if (signal.aborted) presenting.then((late) => late.release()).catch(() => {})
      return this.#refused(error)
    } finally {
      this.#presenting -= 1
      this.#closeIfUnused()
    }
  }

  /** What the service said to a presentation. */
  #refused(error: unknown): undefined {
    if (!(error instanceof CallError)) throw error
    switch (error.code) {
      case 'rpc/disconnected':
        return undefined
      case 'rpc/resource_exhausted':
      case 'rpc/unimplemented':
        this.#isFull = true
        return undefined
      case 'rpc/permission_denied':
        throw namedRefusalError(error.failureName)
      default:
        throw new NoisecapError('session/denied', 'Cannot use capability: the service does not know it', {
          hint: 'Check that the capability is complete, and of this service',
        })
    }
  }

  #lease(reference: RemoteReference): Lease {
    const leases = this.#leases
    const lease: Lease = {
      reference,
      get isLive() {
        return leases.has(lease)
      },
      events: undefined,
      release: () => this.#release(lease),
    }
    if (!this.#isLeaving && reference.broken === undefined) leases.add(lease)
    reference.onBroken = (reason) => {
      this.#leases.delete(lease)
      reference.release()
      lease.events?.broken(reason)
      this.#closeIfUnused()
    }
    return lease
  }

  async #release(lease: Lease): Promise<void> {
    if (!this.#leases.delete(lease)) return
    if (this.#leases.size + this.#presenting > 0) {
      lease.reference.release()
      return
    }
    this.#closeIfUnused()
    await this.#closed
  }

  #closeIfUnused(): void {
    if (this.#leases.size + this.#presenting > 0 || this.#isLeaving) return
    this.#leave()
    this.#peer.close()
  }

  #leave(): void {
    if (this.#isLeaving) return
    this.#isLeaving = true
    this.#gone()
    for (const lease of [...this.#leases]) lease.events?.lost()
    this.#leases.clear()
  }
}
