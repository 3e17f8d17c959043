// A revocation set in a file that several processes append to and re-read when it changes; spec/capability.md §8.
// Durable before `revoke` resolves. A file that cannot be trusted revokes everything, and is never written to again.
// Node only. Leaves out the file itself (src/append-log) and the text of its records (revocation-log.ts).
import { LogFile, type LogFileKind } from '../append-log/index.js'
import type { NoisecapError } from '../errors.js'
import { LOG_POLL_MS, REVOCATION_FILE_MAX_BYTES } from '../limits.js'
import {
  containsAny,
  type RevocationId,
  type RevocationListener,
  RevocationListeners,
  type RevocationSet,
  revocationIdText,
} from './revocation.js'
import { encodeRecord, REVOCATION_LOG, revokedId } from './revocation-log.js'

/** How {@link RevocationFile.open} opens. */
export interface RevocationFileOptions {
  /** Create an empty file where there is none; default true. With false a lost file lets nobody in. */
  readonly create?: boolean
  /** Between two looks at the file, should the system not report a change, ms; default 2,000. */
  readonly pollMs?: number
}

const KIND: LogFileKind = {
  format: REVOCATION_LOG,
  maxBytes: REVOCATION_FILE_MAX_BYTES,
  noun: 'revocation file',
  code: 'capability/revocation_file',
  hint: 'Everything counts as revoked until the file can be trusted; restore it, do not delete it',
  isSecret: false,
}

/** Revoked ids in a file; `await using` closes it. While it cannot be trusted, and once closed, every id is revoked. */
export class RevocationFile implements RevocationSet, AsyncDisposable {
  readonly path: string
  readonly #revoked = new Set<string>()
  /** In force here, not yet seen in the file. */
  readonly #pending = new Set<string>()
  readonly #listeners = new RevocationListeners()
  /** Why the listeners were told that all is revoked. */
  #told: NoisecapError | undefined
  #log: LogFile | undefined

  private constructor(path: string) {
    this.path = path
  }

  /** The set of a file.
   * @throws `capability/revocation_file` when the file is damaged, too large, or missing and not to be created. */
  static async open(path: string, options: RevocationFileOptions = {}): Promise<RevocationFile> {
    const { create = true, pollMs = LOG_POLL_MS } = options
    const set = new RevocationFile(path)
    const owner = {
      taken: (bodies: readonly string[], isWhole: boolean) => set.#take(bodies.map(revokedId), isWhole),
      failed: (failure: NoisecapError) => set.#tell([], failure),
    }
    set.#log = await LogFile.open(path, KIND, owner, { create, pollMs })
    return set
  }

  /** Why every id counts as revoked at the moment; undefined while all is well. */
  get failure(): NoisecapError | undefined {
    return this.#opened.failure
  }

  /** Records that crashes cut off, the last line included; none of them was acknowledged. */
  get torn(): number {
    return this.#opened.torn
  }

  has(id: RevocationId): boolean {
    const text = revocationIdText(id)
    return this.#revokesAll || this.#revoked.has(text)
  }

  revokesAny(ids: readonly Uint8Array[]): boolean {
    const found = containsAny(this.#revoked, ids)
    return this.#revokesAll || found
  }

  /** Revoke a link and all below: in this process at once, on disk when it resolves, in other processes once they see it.
   * @throws `capability/revocation_file` when it could not be written; it then holds in this process only, and calling
   * again tries again. */
  revoke(id: RevocationId): Promise<void> {
    const text = revocationIdText(id)
    const log = this.#opened
    if (!log.isClosed && !this.#revoked.has(text)) {
      this.#revoked.add(text)
      this.#pending.add(text)
      this.#listeners.tell([text], log.failure)
    }
    return log.append({
      records: () => (this.#pending.has(text) ? encodeRecord(text, Math.floor(Date.now() / 1000)) : ''),
      isThere: () => !this.#pending.has(text),
    })
  }

  onChange(listener: RevocationListener): () => void {
    return this.#listeners.add(listener)
  }

  /** Look at the file now; resolves when what it holds is in force. */
  reload(): Promise<void> {
    return this.#opened.reload()
  }

  /** Finish what was begun and let go of the file. */
  close(): Promise<void> {
    return this.#opened.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** Nobody has the set before its log is open. */
  get #opened(): LogFile {
    return this.#log!
  }

  get #revokesAll(): boolean {
    return this.#opened.isClosed || this.#opened.failure !== undefined
  }

  /** Take in ids; where they are all that the file holds, what it held before must be among them. */
  #take(ids: readonly string[], isWhole: boolean): void {
    if (isWhole) this.#checkKept(new Set(ids))
    const added = ids.filter((id) => !this.#revoked.has(id))
    for (const id of added) this.#revoked.add(id)
    for (const id of ids) this.#pending.delete(id)
    if (added.length > 0 || this.#told !== undefined) this.#tell(added, undefined)
  }

  #checkKept(present: ReadonlySet<string>): void {
    for (const id of this.#revoked) {
      if (!present.has(id) && !this.#pending.has(id))
        throw new Error('records are missing that were there before')
    }
  }

  #tell(ids: readonly string[], failure: NoisecapError | undefined): void {
    this.#told = failure
    this.#listeners.tell(ids, failure)
  }
}
