// Who may make the service compute, and how much (spec/session.md §5, §9): a token bucket for unproven hellos by address,
// the ephemerals already used, the sockets that have proven nothing yet, the handshakes that hold a slot.
// All of it is bounded; time is an argument. Leaves out the handshake (server-handshake.ts).
import {
  HANDSHAKES_COMPUTING_MAX,
  SEEN_EPHEMERALS_MAX,
  SOCKETS_UNPROVEN_MAX,
  UNPROVEN_HELLOS_BURST,
  UNPROVEN_HELLOS_PER_SECOND,
} from '../limits.js'

/** Addresses remembered at once, the one that asked longest ago first; a quarter of a second later its bucket is full again. */
const ADDRESSES_MAX = 65_536

/** The last ephemerals of proven hellos: a replayed hello meets silence. */
export class SeenEphemerals {
  readonly #seen = new Set<string>()
  readonly #max: number

  constructor(max: number = SEEN_EPHEMERALS_MAX) {
    this.#max = max
  }

  has(ephemeral: string): boolean {
    return this.#seen.has(ephemeral)
  }

  /** Remember one; false when it was there already. */
  add(ephemeral: string): boolean {
    if (this.#seen.has(ephemeral)) return false
    if (this.#seen.size >= this.#max) {
      for (const oldest of this.#seen) {
        this.#seen.delete(oldest)
        break
      }
    }
    this.#seen.add(ephemeral)
    return true
  }
}

/** Limits of {@link Admission}, each with the default of DESIGN. */
export interface AdmissionLimits {
  readonly hellosPerSecond?: number
  readonly hellosBurst?: number
  readonly socketsUnprovenMax?: number
  readonly handshakesComputingMax?: number
}

/** A socket whose client has proven nothing yet. */
export interface Unproven {
  destroy(): void
}

interface Bucket {
  tokens: number
  updatedMs: number
}

/** Admission control of one service process. */
export class Admission {
  readonly seen = new SeenEphemerals()
  readonly #perSecond: number
  readonly #burst: number
  readonly #socketsMax: number
  readonly #computingMax: number
  readonly #buckets = new Map<string, Bucket>()
  readonly #unproven = new Set<Unproven>()
  #computing = 0

  constructor(limits: AdmissionLimits = {}) {
    this.#perSecond = limits.hellosPerSecond ?? UNPROVEN_HELLOS_PER_SECOND
    this.#burst = limits.hellosBurst ?? UNPROVEN_HELLOS_BURST
    this.#socketsMax = limits.socketsUnprovenMax ?? SOCKETS_UNPROVEN_MAX
    this.#computingMax = limits.handshakesComputingMax ?? HANDSHAKES_COMPUTING_MAX
  }

  /** Sockets that are tracked by {@link trackUnproven}. */
  get unproven(): number {
    return this.#unproven.size
  }

  /** Handshakes that hold a slot. */
  get computing(): number {
    return this.#computing
  }

  /** Take one token of an address, before the first DH.
   * @returns false when it has none left: silence. */
  takeToken(address: string, nowMs: number): boolean {
    const bucket = this.#bucket(addressGroup(address), nowMs)
    if (bucket.tokens < 1) return false
    bucket.tokens -= 1
    return true
  }

  /** Give the token back once the hello was proven. */
  giveBackToken(address: string, nowMs: number): void {
    const bucket = this.#bucket(addressGroup(address), nowMs)
    bucket.tokens = Math.min(this.#burst, bucket.tokens + 1)
  }

  #bucket(group: string, nowMs: number): Bucket {
    let bucket = this.#buckets.get(group)
    if (bucket === undefined) {
      if (this.#buckets.size >= ADDRESSES_MAX) this.#forgetOldest()
      bucket = { tokens: this.#burst, updatedMs: nowMs }
      this.#buckets.set(group, bucket)
      return bucket
    }
    // Behind all others again: what stands first was asked for longest ago.
    this.#buckets.delete(group)
    this.#buckets.set(group, bucket)
    const elapsedSeconds = Math.max(0, nowMs - bucket.updatedMs) / 1_000
    bucket.tokens = Math.min(this.#burst, bucket.tokens + elapsedSeconds * this.#perSecond)
    bucket.updatedMs = nowMs
    return bucket
  }

  /** In constant time, lest somebody with many addresses make each new one cost a walk over all. */
  #forgetOldest(): void {
    for (const oldest of this.#buckets.keys()) {
      this.#buckets.delete(oldest)
      break
    }
  }

  /** Register a socket whose client has not sent its first record; the oldest is dropped when there are too many. Call
   * {@link untrackUnproven} when that record came or the socket is gone. */
  trackUnproven(socket: Unproven): void {
    if (this.#unproven.size >= this.#socketsMax) {
      for (const oldest of this.#unproven) {
        this.#unproven.delete(oldest)
        oldest.destroy()
        break
      }
    }
    this.#unproven.add(socket)
  }

  untrackUnproven(socket: Unproven): void {
    this.#unproven.delete(socket)
  }

  /** Take a slot for the rest of a proven handshake; undefined when all are taken. */
  takeSlot(): (() => void) | undefined {
    if (this.#computing >= this.#computingMax) return undefined
    this.#computing += 1
    let held = true
    return () => {
      if (held) this.#computing -= 1
      held = false
    }
  }
}

/** IPv6 peers own a /64, so they share one bucket; IPv4 peers have one each. */
function addressGroup(address: string): string {
  if (!address.includes(':') || address.startsWith('::ffff:')) return address
  const [head = '', tail] = address.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length)
  return [...left, ...Array<string>(zeros).fill('0'), ...right].slice(0, 4).join(':')
}
