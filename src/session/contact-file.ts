// A book of contacts in a file that several processes append to and re-read when it changes (spec/session.md §4).
// Durable before `add` and `remove` resolve. While the file cannot be trusted nobody is a contact: KK meets silence, the
// other patterns go on. Node only. Leaves out the file itself (src/append-log) and the text of its records (contact-log.ts).
import { LogFile, type LogFileKind } from '../append-log/index.js'
import { hexEncode } from '../bytes.js'
import { type PublicKey, primitives } from '../crypto/index.js'
import { NoisecapError } from '../errors.js'
import { CONTACT_FILE_MAX_BYTES, LOG_POLL_MS } from '../limits.js'
import { redact } from '../redact.js'
import { additionBody, CONTACT_LOG, contactLine, contactRecord, removalBody } from './contact-log.js'
import { type Contact, type ContactBook, ContactIndex } from './contacts.js'

/** How {@link ContactFile.open} opens. */
export interface ContactFileOptions {
  /** Create an empty file where there is none; default true. */
  readonly create?: boolean
  /** Between two looks at the file, should the system not report a change, ms; default 2,000. */
  readonly pollMs?: number
  /** Told when the file cannot be trusted any more; must not throw. */
  readonly onFailure?: ((failure: NoisecapError) => void) | undefined
}

const KIND: LogFileKind = {
  format: CONTACT_LOG,
  maxBytes: CONTACT_FILE_MAX_BYTES,
  noun: 'contact file',
  code: 'session/contact_file',
  hint: 'Nobody is a contact until the file can be trusted; restore it, or move it away and let clients befriend again',
  isSecret: true,
}

const nowSeconds = () => Math.floor(Date.now() / 1000)

/** Contacts in a file with mode 0600; `await using` closes it. Prints as `[redacted]`. */
export class ContactFile implements ContactBook, AsyncDisposable {
  readonly path: string
  #index = new ContactIndex()
  /** Bodies of all records of the file. */
  #seen = new Set<string>()
  /** Removals in force here and not yet seen in the file: body to client. */
  readonly #removing = new Map<string, string>()
  #log: LogFile | undefined

  private constructor(path: string) {
    this.path = path
  }

  /** The book of a file.
   * @throws `session/contact_file` when the file is damaged, too large, open to others, or missing and not to be created;
   * it stays as it was. */
  static async open(path: string, options: ContactFileOptions = {}): Promise<ContactFile> {
    const { create = true, pollMs = LOG_POLL_MS, onFailure } = options
    const book = new ContactFile(path)
    const owner = {
      taken: (bodies: readonly string[], isWhole: boolean) => book.#take(bodies, isWhole),
      failed: (failure: NoisecapError) => onFailure?.(failure),
    }
    book.#log = await LogFile.open(path, KIND, owner, { create, pollMs })
    return book
  }

  /** Why nobody is a contact at the moment; undefined while all is well. */
  get failure(): NoisecapError | undefined {
    return this.#opened.failure
  }

  /** Records that crashes cut off, the last line included; none of them was acknowledged. */
  get torn(): number {
    return this.#opened.torn
  }

  find(tag: Uint8Array, unixSeconds: number): PublicKey | undefined {
    const log = this.#opened
    if (log.isClosed || log.failure !== undefined) return undefined
    const client = this.#index.find(tag, unixSeconds)
    return client === undefined || this.#removalsOf(client).length > 0 ? undefined : client
  }

  /** Remember a contact: on disk and known here when it resolves, in other processes once they see it.
   * @throws `session/limit` when the book or its file is full, `session/contact_file` when it could not be written. */
  async add(contact: Contact): Promise<void> {
    const body = additionBody(contact, nowSeconds())
    const { client, contactKey } = contactRecord(body) // a copy
    const before = this.#removalsOf(client)
    let records: readonly string[] = []
    await this.#opened.append({
      records: () => {
        const removals = this.#stillRemoving(before)
        if (this.#index.has({ client, contactKey }) && removals.length === 0) return ''
        this.#checkRoom()
        records = [...removals, body]
        return records.map(contactLine).join('')
      },
      isThere: () => records.every((record) => this.#seen.has(record)),
    })
    // The last place went to another process: whoever reads the file sees it so.
    if (this.#index.isFull && !this.#index.has({ client, contactKey })) this.#index.refuse()
  }

  /** Forget a client: in this process at once, on disk when it resolves, in other processes once they see it.
   * @throws `session/contact_file` when it could not be written; it then holds in this process only, and calling again
   * tries again. */
  async remove(client: PublicKey): Promise<void> {
    const body = removalBody(client, primitives().randomBytes(32), nowSeconds())
    const known = contactRecord(body).client // a copy
    if (!this.#opened.isClosed) this.#removing.set(body, hexEncode(known))
    const asked = this.#removalsOf(known)
    let records: readonly string[] = []
    await this.#opened.append({
      records: () => {
        const removals = this.#stillRemoving(asked)
        if (this.#index.knows(known)) records = removals
        else for (const removal of removals) this.#removing.delete(removal)
        return records.map(contactLine).join('')
      },
      isThere: () => records.every((record) => this.#seen.has(record)),
    })
  }

  /** Look at the file now; resolves when what it holds is in force. */
  reload(): Promise<void> {
    return this.#opened.reload()
  }

  /** Finish what was begun and let go of the file; nobody is a contact from then on. */
  close(): Promise<void> {
    return this.#opened.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** Nobody has the book before its log is open. */
  get #opened(): LogFile {
    return this.#log!
  }

  #removalsOf(client: PublicKey): readonly string[] {
    if (this.#removing.size === 0) return []
    const name = hexEncode(client)
    return [...this.#removing].filter(([, removed]) => removed === name).map(([body]) => body)
  }

  /** Those that were not written meanwhile; what was asked for later has its own turn. */
  #stillRemoving(bodies: readonly string[]): readonly string[] {
    return bodies.filter((body) => this.#removing.has(body))
  }

  /** Beyond half of the file nothing is added: a removal needs an addition before it, so that each finds its place. */
  #checkRoom(): void {
    if (this.#index.isFull) this.#index.refuse()
    if (this.#opened.size < CONTACT_FILE_MAX_BYTES / 2) return
    throw new NoisecapError('session/limit', 'Cannot add contact: the contact file is full of past changes', {
      hint: 'Stop all services that use it, move it away, and let clients befriend again',
    })
  }

  /** Take in records; where they are all that the file holds, what it held before must be among them. Past 16,384 an
   * addition does not count: by the order in the file, so that all processes agree which. */
  #take(bodies: readonly string[], isWhole: boolean): void {
    const index = isWhole ? new ContactIndex() : this.#index
    const seen = isWhole ? new Set<string>() : this.#seen
    for (const body of bodies) {
      const record = contactRecord(body)
      if (record.isRemoval) index.remove(record.client)
      else if (!index.isFull) index.add(record)
      seen.add(body)
    }
    if (isWhole) this.#checkKept(seen)
    this.#index = index
    this.#seen = seen
    for (const body of bodies) this.#removing.delete(body)
  }

  #checkKept(present: ReadonlySet<string>): void {
    for (const body of this.#seen) {
      if (!present.has(body)) throw new Error('records are missing that were there before')
    }
  }
}

redact(ContactFile, ({ path }) => `ContactFile ${path} [redacted]`)
