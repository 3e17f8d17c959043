// Rewrapping (spec/seal.md §9): other readers for an epoch of pattern N, by somebody who can read it. Only the header changes:
// commitment, salt and values stay, so whoever could read before can still read what he has kept.
// Values of one epoch share a header before and after. X, K and seals under a capability prove their writer, so only the writer can seal them to somebody else.
import { concat, equalConstantTime, hexEncode, wipe } from '../bytes.js'
import { asPublicKey, type KeyPair, type PublicKey } from '../crypto/index.js'
import { NoisecapError } from '../errors.js'
import { SEAL_EPOCHS_CACHED_MAX } from '../limits.js'
import { malformed } from './failure.js'
import { epochKeyOf } from './header-opener.js'
import { encodeHeader, FORM, formOf, type Header, OFFSET, readHeader } from './layout.js'
import { writeWrap } from './wrap.js'

/** Whose header becomes whose. */
export interface RewrapOptions {
  /** Key pair of a reader of the header. */
  readonly key: KeyPair
  /** Public keys of readers to add. */
  readonly add: readonly PublicKey[]
  /** Whether the wrap of `key` is left out, as when `key` is replaced by a new one; default false. */
  readonly dropOwn?: boolean | undefined
}

interface Rewrapped {
  readonly from: Uint8Array
  /** Header form. */
  readonly header: Uint8Array
}

/** Makes the same sealed values and headers for other readers, one new header for each old one: the values of an epoch go on
 * sharing theirs, so readers open it once. Holds headers, and no epoch key. */
export class Rewrapper {
  readonly #key: KeyPair
  readonly #add: readonly PublicKey[]
  readonly #dropOwn: boolean
  /** By commitment, in hexadecimal; the oldest is forgotten first. */
  readonly #done = new Map<string, Rewrapped>()

  /** @throws TypeError for what is no public key. */
  constructor({ key, add, dropOwn = false }: RewrapOptions) {
    this.#key = key
    this.#add = add.map((reader) => asPublicKey(new Uint8Array(asPublicKey(reader))))
    this.#dropOwn = dropOwn
  }

  /** @param sealed - a header, or a value that carries its header; borrowed. Of compact values the stored header is rewrapped.
   * @returns a new array; what was sealed is the same to the byte.
   * @throws `seal/reseal` for patterns other than N; `seal/not_for_reader`, `seal/altered`, `seal/malformed`,
   * `seal/version`, `seal/too_large`; RangeError past 64 readers or when none is left. */
  rewrap(sealed: Uint8Array): Uint8Array {
    const form = formOf(sealed)
    if (form === 'compact') throw malformed('a header or a value that carries one, got a compact value')
    if (form === 'stream') throw malformed('a header or a value, got a stream, which rewrapStream takes')
    const header = readHeader(sealed)
    if (form === 'header' && header.end !== sealed.length) {
      throw malformed('a header, got one with further bytes')
    }
    if (header.pattern.name !== 'N') throw mustReseal(header.pattern.name)
    const rewrapped = concat(this.#headerFor(header), sealed.subarray(header.end))
    rewrapped[OFFSET.form] = FORM[form]
    return rewrapped
  }

  #headerFor(header: Header): Uint8Array {
    const name = hexEncode(header.commitment)
    const known = this.#done.get(name)
    if (known !== undefined && equalConstantTime(known.from, header.body)) return known.header
    const made = this.#makeHeader(header)
    const [oldest] = this.#done.keys()
    if (oldest !== undefined && this.#done.size >= SEAL_EPOCHS_CACHED_MAX) this.#done.delete(oldest)
    this.#done.set(name, { from: new Uint8Array(header.body), header: made })
    return made
  }

  #makeHeader(header: Header): Uint8Array {
    const { pattern, core, commitment, wraps } = header
    const { epochKey, wrap: own } = epochKeyOf(header, this.#key)
    try {
      const kept = wraps.filter((wrap) => !this.#dropOwn || wrap !== own).map(({ bytes }) => bytes)
      const parts = { pattern, core, commitment, epochKey, writer: undefined, psk: undefined }
      const added = this.#add.map((reader) => writeWrap({ ...parts, reader, sealedLocator: undefined }))
      return encodeHeader(core, commitment, [...kept, ...added])
    } finally {
      wipe(epochKey)
    }
  }
}

function mustReseal(pattern: string): NoisecapError {
  return new NoisecapError(
    'seal/reseal',
    `Cannot rewrap: expected pattern N without a capability, got ${pattern}`,
    {
      hint: 'A seal that proves its writer can be sealed to somebody else by that writer only: open it there and seal it again',
    },
  )
}
