// Blind indexes (spec/sealed-rows.md): an HMAC of a normalised value under a key of the column, cut short on demand, so that a
// database can look for equal values that it cannot read. The root is nobody's reading or writing key; whoever holds it can try
// out values. Leaves out tables and fields.
import { base64urlDecode, hexDecode, utf8 } from '../../bytes.js'
import { primitives } from '../../crypto/index.js'
import { encodeDcbor } from '../../dcbor.js'
import { BLIND_INDEX_ROOT_BYTES } from '../../limits.js'
import { redact } from '../../redact.js'

const BITS_PER_BYTE = 8

/** The secret from which all blind indexes of an application are made. Prints as `[redacted]`. */
export class IndexRoot {
  readonly #bytes: Uint8Array
  readonly #columnKeys = new Map<string, Uint8Array>()

  /** @param secret - 32 random bytes, copied; or their text in base64url (43 characters) or hexadecimal (64).
   * @throws TypeError for anything else. */
  constructor(secret: Uint8Array | string) {
    const bytes = typeof secret === 'string' ? decoded(secret) : secret
    if (!(bytes instanceof Uint8Array) || bytes.length !== BLIND_INDEX_ROOT_BYTES) {
      throw new TypeError(
        'Cannot use index root: expected 32 random bytes, as base64url or hexadecimal where they are text',
      )
    }
    this.#bytes = new Uint8Array(bytes)
  }

  /** The index of `value` in a column: `bits` bits in whole bytes, the rest of the last one zero.
   * @param column - that holds the index.
   * Source: spec/sealed-rows.md §2. */
  indexOf(table: string, column: string, value: string | Uint8Array, bits: number): Uint8Array {
    const key = this.#columnKey(table, column)
    const content = typeof value === 'string' ? utf8(value) : value
    return cut(primitives().hash('SHA256').hmac(key, content), bits)
  }

  #columnKey(table: string, column: string): Uint8Array {
    const name = JSON.stringify([table, column])
    const known = this.#columnKeys.get(name)
    if (known !== undefined) return known
    const key = primitives()
      .hash('SHA256')
      .hmac(this.#bytes, encodeDcbor([table, column]))
    this.#columnKeys.set(name, key)
    return key
  }
}

redact(IndexRoot, () => 'IndexRoot [redacted]')

/** What stands in the index of a row without a value: random, so that it cannot be told from one with a value. */
export function randomIndex(bits: number): Uint8Array {
  return cut(primitives().randomBytes(BLIND_INDEX_ROOT_BYTES), bits)
}

function cut(bytes: Uint8Array, bits: number): Uint8Array {
  const index = bytes.slice(0, Math.ceil(bits / BITS_PER_BYTE))
  const surplus = index.length * BITS_PER_BYTE - bits
  index[index.length - 1]! &= (0xff << surplus) & 0xff
  return index
}

function decoded(text: string): Uint8Array | undefined {
  try {
    return text.length === 2 * BLIND_INDEX_ROOT_BYTES ? hexDecode(text) : base64urlDecode(text)
  } catch {
    return undefined
  }
}
