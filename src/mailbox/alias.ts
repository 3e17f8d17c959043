// Aliases (spec/mailbox.md §2): random names under which a box is reached, one for each capability that is made for it, none of
// which follows from another. A store keeps their hashes. Leaves out what they are looked up for (relay.ts).
import { base32Decode, base32Encode, label } from '../bytes.js'
import { primitives } from '../crypto/index.js'

const ALIAS_BYTES = 16
const HASH_BYTES = 16
const ALIAS_LABEL = label('noisecap/v1 alias')

/** A fresh alias, 16 bytes. */
export function newAlias(): Uint8Array {
  return primitives().randomBytes(ALIAS_BYTES)
}

/** 26 characters, for an object path. */
export function aliasText(alias: Uint8Array): string {
  return base32Encode(alias)
}

/** The alias of its text; undefined for text that is none. */
export function parseAlias(text: string): Uint8Array | undefined {
  try {
    const alias = base32Decode(text)
    return alias.length === ALIAS_BYTES ? alias : undefined
  } catch {
    return undefined
  }
}

/** What a store keeps of an alias, 16 bytes. */
export function aliasHash(alias: Uint8Array): Uint8Array {
  return primitives().hash('SHA256').hash(ALIAS_LABEL, alias).slice(0, HASH_BYTES)
}
