// Text of a contact file: a first line, then one line for each contact that was added or client that was removed;
// spec/session.md §4. Leaves out checksums and what crashes leave (src/append-log) and the file (contact-file.ts).
import { encodeLine, type LogFormat, utcText } from '../append-log/index.js'
import { hexDecode, hexEncode } from '../bytes.js'
import type { ContactKey } from '../capability/index.js'
import type { PublicKey } from '../crypto/index.js'
import type { Contact } from './contacts.js'
import { KEY_BYTES } from './wire.js'

const KEY_CHARS = 2 * KEY_BYTES
const CLIENT_AT = 2
const SECOND_AT = CLIENT_AT + KEY_CHARS + 1

/** Records are `+` or `-`, the client's key, the contact key (or, after `-`, 32 random bytes), and when. */
export const CONTACT_LOG: LogFormat = {
  header: 'noisecap contacts v1\n',
  checkLabel: 'noisecap/v1 contacts',
  body: /^[+-] [0-9a-f]{64} [0-9a-f]{64} \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/,
  bodyChars: SECOND_AT + KEY_CHARS + 1 + 20,
}

/** What a record says. */
export interface ContactRecord {
  readonly isRemoval: boolean
  /** 32 bytes. */
  readonly client: PublicKey
  /** The contact key; of a removal nothing that means anything. */
  readonly contactKey: ContactKey
}

/** Says that a contact is known from now on.
 * @throws TypeError unless both keys have 32 bytes. */
export function additionBody({ client, contactKey }: Contact, unixSeconds: number): string {
  return `+ ${hexOf(client)} ${hexOf(contactKey)} ${utcText(unixSeconds)}`
}

/** Says that a client is forgotten.
 * @param unique - 32 random bytes, so that no two removals are alike.
 * @throws TypeError unless `client` has 32 bytes. */
export function removalBody(client: PublicKey, unique: Uint8Array, unixSeconds: number): string {
  return `- ${hexOf(client)} ${hexOf(unique)} ${utcText(unixSeconds)}`
}

/** The record of a body that `CONTACT_LOG` accepts. */
export function contactRecord(body: string): ContactRecord {
  const keyAt = (start: number) => hexDecode(body.slice(start, start + KEY_CHARS))
  return {
    isRemoval: body.startsWith('-'),
    client: keyAt(CLIENT_AT) as PublicKey, // 32 bytes, by the format
    contactKey: keyAt(SECOND_AT) as ContactKey,
  }
}

/** The line of a body. */
export function contactLine(body: string): string {
  return encodeLine(CONTACT_LOG, body)
}

function hexOf(key: Uint8Array): string {
  if (key.length !== KEY_BYTES) {
    throw new TypeError(`Cannot keep contact: expected keys of ${KEY_BYTES} bytes, got ${key.length}`)
  }
  return hexEncode(key)
}
