// Keeps the answers of a resolver for a while, misses only briefly, and remembers per service the newest record that led
// to a real handshake: older ones are no longer believed (spec/resolve.md §5). Bounded; asks once for all who wait.
// Leaves out any judgement whether a location works: `confirm` and `forget` are called by whoever dialled.
import { addAbortListener, removeAbortListener } from '../abort-listeners.js'
import { RESOLVE_CACHE_MAX, RESOLVE_MISS_TTL_MS, RESOLVE_TTL_MS } from '../limits.js'
import type { Location, ResolveContext, Resolver } from './resolver.js'

/** How a {@link LocationCache} keeps answers. */
export interface LocationCacheOptions {
  /** Life of an answer with locations, ms, unless the resolver says so itself (`ResolveContext.keepFor`). */
  readonly ttlMs?: number
  /** Life of an answer without, ms, unless the resolver says so itself. */
  readonly missTtlMs?: number
  /** Services that are kept; the one not asked for longest goes first. */
  readonly maxServices?: number
  /** Unix ms. */
  readonly now?: () => number
}

interface Entry {
  readonly locations: readonly Location[]
  readonly until: number
}

/** One question to the resolver, for everybody who asks the same meanwhile. */
interface Pending {
  readonly locations: Promise<readonly Location[]>
  readonly abort: AbortController
  waiting: number
}

/** A resolver in front of another. */
export class LocationCache implements Resolver {
  readonly name: string
  readonly #resolver: Resolver
  readonly #ttlMs: number
  readonly #missTtlMs: number
  readonly #maxServices: number
  readonly #now: () => number
  readonly #entries = new Map<string, Entry>()
  readonly #floors = new Map<string, number>()
  readonly #pending = new Map<string, Pending>()

  constructor(resolver: Resolver, options: LocationCacheOptions = {}) {
    this.name = resolver.name
    this.#resolver = resolver
    this.#ttlMs = options.ttlMs ?? RESOLVE_TTL_MS
    this.#missTtlMs = options.missTtlMs ?? RESOLVE_MISS_TTL_MS
    this.#maxServices = options.maxServices ?? RESOLVE_CACHE_MAX
    this.#now = options.now ?? Date.now
  }

  /** The kept answer, or a new one; without locations of records that are older than one that was confirmed. */
  async resolve(keyHash: string, context: ResolveContext): Promise<readonly Location[]> {
    context.signal?.throwIfAborted()
    const entry = this.#entries.get(keyHash)
    const kept = entry !== undefined && this.#now() < entry.until
    const locations = kept ? entry.locations : await this.#ask(keyHash, context)
    if (kept) touch(this.#entries, keyHash, entry, this.#maxServices)
    const floor = this.#floors.get(keyHash) ?? 0
    return locations.filter(({ sequence }) => sequence === undefined || sequence >= floor)
  }

  /** A handshake succeeded at a location of the record with this sequence: believe no older one.
   * Only ever raises the floor; a record alone never does, since everybody who knows the public key can make one. */
  confirm(keyHash: string, sequence: number | undefined): void {
    if (sequence === undefined) return
    const floor = Math.max(sequence, this.#floors.get(keyHash) ?? 0)
    touch(this.#floors, keyHash, floor, this.#maxServices)
  }

  /** No location of the kept answer worked: ask anew next time. The floor stays. */
  forget(keyHash: string): void {
    this.#entries.delete(keyHash)
  }

  async #ask(keyHash: string, { publicKey, signal }: ResolveContext): Promise<readonly Location[]> {
    const pending = this.#pending.get(keyHash) ?? this.#start(keyHash, publicKey)
    pending.waiting++
    try {
      return await abortable(pending.locations, signal)
    } finally {
      pending.waiting--
      // The last who waited has gone, so nobody needs the answer.
      if (pending.waiting === 0) pending.abort.abort()
    }
  }

  #start(keyHash: string, publicKey: ResolveContext['publicKey']): Pending {
    const abort = new AbortController()
    let lifeMs: number | undefined
    const keepFor = (ms: number): void => {
      lifeMs = ms
    }
    const locations = this.#resolver
      .resolve(keyHash, { publicKey, signal: abort.signal, keepFor })
      .then((found) => this.#keep(keyHash, found, lifeMs))
      .finally(() => {
        if (this.#pending.get(keyHash) === pending) this.#pending.delete(keyHash)
      })
    const pending: Pending = { locations, abort, waiting: 0 }
    this.#pending.set(keyHash, pending)
    abort.signal.addEventListener('abort', () => {
      if (this.#pending.get(keyHash) === pending) this.#pending.delete(keyHash)
    })
    return pending
  }

  #keep(keyHash: string, locations: readonly Location[], lifeMs: number | undefined): readonly Location[] {
    const ttlMs = lifeMs ?? (locations.length > 0 ? this.#ttlMs : this.#missTtlMs)
    touch(this.#entries, keyHash, { locations, until: this.#now() + ttlMs }, this.#maxServices)
    return locations
  }
}

/** Set `key` as the one used last, and drop the one used longest ago when there are too many. */
function touch<T>(map: Map<string, T>, key: string, value: T, max: number): void {
  map.delete(key)
  map.set(key, value)
  if (map.size <= max) return
  for (const oldest of map.keys()) {
    map.delete(oldest)
    return
  }
}

/** `promise`, or the signal's reason as soon as it is aborted. */
async function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise
  let onAbort: (() => void) | undefined
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason)
    addAbortListener(signal, onAbort)
  })
  try {
    return await Promise.race([promise, aborted])
  } finally {
    if (onAbort !== undefined) removeAbortListener(signal, onAbort)
  }
}
