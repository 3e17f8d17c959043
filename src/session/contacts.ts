// Who may greet a service with KK: clients whose key it knows beforehand, found by the contact tag of their hello
// (spec/session.md §4). A tag is a hint; the handshake proves the key. What is kept of a capability makes tags only.
// Leaves out how a contact comes about (befriending, src/served-session.ts) and the file (contact-file.ts).
import { hexEncode } from '../bytes.js'
import { type ContactKey, contactDay, contactTag } from '../capability/index.js'
import type { PublicKey } from '../crypto/index.js'
import { NoisecapError } from '../errors.js'
import { CONTACTS_MAX } from '../limits.js'
import { redact } from '../redact.js'

const DAY_MAX = 0xffff_ffff

/** A client and a capability that it uses. */
export interface Contact {
  readonly client: PublicKey
  readonly contactKey: ContactKey
}

/** Finds the client behind a contact tag. */
export interface ContactLookup {
  /** @param nowSeconds - Unix seconds; tags of the day, the day before and the day after are found. */
  find(tag: Uint8Array, nowSeconds: number): PublicKey | undefined
}

/** The contacts of one service. */
export interface ContactBook extends ContactLookup {
  /** Remember a contact; once more does no harm.
   * @returns once it is kept as durably as the book keeps anything.
   * @throws `session/limit` when the book is full. */
  add(contact: Contact): Promise<void>
  /** Forget a client with all its capabilities: its KK hellos meet silence from now on. */
  remove(client: PublicKey): Promise<void>
}

/** Contacts by the tags of three days; each day is computed once, when first asked for. Prints as `[redacted]`. */
export class ContactIndex implements ContactLookup {
  readonly #contacts = new Map<string, Contact>()
  /** The contacts of each client, by its key. */
  readonly #clients = new Map<string, Set<string>>()
  readonly #days = new Map<number, Map<string, PublicKey>>()

  get size(): number {
    return this.#contacts.size
  }

  has(contact: Contact): boolean {
    return this.#contacts.has(nameOf(contact))
  }

  /** Whether a client has any contact. */
  knows(client: PublicKey): boolean {
    return this.#clients.has(hexEncode(client))
  }

  /** Whether there is no room for another contact. */
  get isFull(): boolean {
    return this.#contacts.size >= CONTACTS_MAX
  }

  /** Say that the book is full.
   * @throws `session/limit`, always. */
  refuse(): never {
    throw new NoisecapError(
      'session/limit',
      `Cannot add contact: expected at most ${CONTACTS_MAX} in one book`,
      { hint: 'Remove contacts that are not needed any more; without one a client uses XK or IK' },
    )
  }

  /** Keeps copies.
   * @throws `session/limit` past 16,384 contacts. */
  add(contact: Contact): void {
    if (this.has(contact)) return
    if (this.isFull) this.refuse()
    const kept = {
      client: contact.client.slice() as PublicKey, // slice() loses the brand
      contactKey: contact.contactKey.slice() as ContactKey,
    }
    const [name, client] = [nameOf(kept), hexEncode(kept.client)]
    this.#contacts.set(name, kept)
    const names = this.#clients.get(client)
    if (names === undefined) this.#clients.set(client, new Set([name]))
    else names.add(name)
    for (const [day, tags] of this.#days) tags.set(tagName(kept, day), kept.client)
  }

  /** Forget a client with all its contacts. */
  remove(client: PublicKey): void {
    const names = this.#clients.get(hexEncode(client)) ?? []
    this.#clients.delete(hexEncode(client))
    for (const name of names) {
      const contact = this.#contacts.get(name)
      this.#contacts.delete(name)
      if (contact === undefined) continue
      for (const [day, tags] of this.#days) tags.delete(tagName(contact, day))
    }
  }

  /** Never throws: whatever the clock says, a tag is found or it is not. */
  find(tag: Uint8Array, nowSeconds: number): PublicKey | undefined {
    const today = contactDay(nowSeconds)
    if (!isDay(today)) return undefined
    for (const day of this.#days.keys()) if (Math.abs(day - today) > 1) this.#days.delete(day)
    const name = hexEncode(tag)
    for (const day of [today, today - 1, today + 1]) {
      if (!isDay(day)) continue
      const client = this.#tagsOf(day).get(name)
      if (client !== undefined) return client.slice() as PublicKey
    }
    return undefined
  }

  #tagsOf(day: number): Map<string, PublicKey> {
    let tags = this.#days.get(day)
    if (tags === undefined) {
      tags = new Map()
      for (const contact of this.#contacts.values()) tags.set(tagName(contact, day), contact.client)
      this.#days.set(day, tags)
    }
    return tags
  }
}

/** A book that is forgotten with the process; prints as `[redacted]`. */
export class MemoryContactBook implements ContactBook {
  readonly #index = new ContactIndex()

  async add(contact: Contact): Promise<void> {
    this.#index.add(contact)
  }

  async remove(client: PublicKey): Promise<void> {
    this.#index.remove(client)
  }

  find(tag: Uint8Array, nowSeconds: number): PublicKey | undefined {
    return this.#index.find(tag, nowSeconds)
  }
}

redact(ContactIndex, ({ size }) => `ContactIndex of ${size} [redacted]`)
redact(MemoryContactBook, () => 'MemoryContactBook [redacted]')

/** Whether tags are made for such a day. */
function isDay(day: number): boolean {
  return Number.isInteger(day) && day >= 0 && day <= DAY_MAX
}

function nameOf({ client, contactKey }: Contact): string {
  return `${hexEncode(client)} ${hexEncode(contactKey)}`
}

function tagName({ client, contactKey }: Contact, day: number): string {
  return hexEncode(contactTag(contactKey, client, day))
}
