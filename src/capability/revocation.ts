// The revocation set: ids of links that no longer hold, each with all that was narrowed from it; spec/capability.md §8.
// An interface, so that the set can live elsewhere, and the in-memory one. A set that cannot be trusted revokes everything.
// Leaves out the file (revocation-file.ts).
import { hexDecode, hexEncode } from '../bytes.js'
import type { NoisecapError } from '../errors.js'
import { LINK_ID_BYTES } from './chain.js'

/** Id of a link: 16 bytes, or the same as 32 hexadecimal digits. */
export type RevocationId = Uint8Array | string

/** What happened to a set. */
export interface RevocationChange {
  /** Ids that were not revoked before, 16 bytes each. */
  readonly ids: readonly Uint8Array[]
  /** Set while the set cannot be trusted: every id then counts as revoked. */
  readonly failure: NoisecapError | undefined
}

/** Hears of changes; must not throw. */
export type RevocationListener = (change: RevocationChange) => void

/** Ids that are revoked. */
export interface RevocationSet {
  has(id: RevocationId): boolean
  /** Whether any of `ids` is revoked; looks at all, so that its time does not tell which. */
  revokesAny(ids: readonly Uint8Array[]): boolean
  /** Revoke a link and all below. In force at once; resolves when it is as durable as the set can make it. */
  revoke(id: RevocationId): Promise<void>
  /** @returns a function that ends the subscription. */
  onChange(listener: RevocationListener): () => void
}

/** `id` as hexadecimal, the form in which sets keep it.
 * @throws TypeError for anything but 16 bytes or 32 hexadecimal digits. */
export function revocationIdText(id: RevocationId): string {
  const bytes = typeof id === 'string' ? hexDecode(id) : id
  if (bytes.length !== LINK_ID_BYTES) {
    throw new TypeError(`Cannot use revocation id: expected 16 bytes, got ${bytes.length}`)
  }
  return hexEncode(bytes)
}

/** Listeners of a set. */
export class RevocationListeners {
  readonly #listeners = new Set<RevocationListener>()

  add(listener: RevocationListener): () => void {
    const own: RevocationListener = (change) => listener(change) // the same function may subscribe twice
    this.#listeners.add(own)
    return () => {
      this.#listeners.delete(own)
    }
  }

  tell(ids: readonly string[], failure: NoisecapError | undefined): void {
    const change: RevocationChange = { ids: ids.map(hexDecode), failure }
    for (const listener of [...this.#listeners]) listener(change)
  }
}

/** Whether any of `ids` is in `revoked`, without early exit. */
export function containsAny(revoked: ReadonlySet<string>, ids: readonly Uint8Array[]): boolean {
  let found = 0
  for (const id of ids) found |= Number(revoked.has(revocationIdText(id)))
  return found !== 0
}

/** A revocation set that ends with the process. */
export class MemoryRevocationSet implements RevocationSet {
  readonly #revoked: Set<string>
  readonly #listeners = new RevocationListeners()

  constructor(ids: Iterable<RevocationId> = []) {
    this.#revoked = new Set([...ids].map(revocationIdText))
  }

  has(id: RevocationId): boolean {
    return this.#revoked.has(revocationIdText(id))
  }

  revokesAny(ids: readonly Uint8Array[]): boolean {
    return containsAny(this.#revoked, ids)
  }

  async revoke(id: RevocationId): Promise<void> {
    const text = revocationIdText(id)
    if (this.#revoked.has(text)) return
    this.#revoked.add(text)
    this.#listeners.tell([text], undefined)
  }

  onChange(listener: RevocationListener): () => void {
    return this.#listeners.add(listener)
  }
}
