// Rewrapping (spec/seal.md §9): other readers for an epoch of pattern N, by somebody who can read it. Only the header changes:
// commitment, salt and values stay, so whoever could read before can still read what he has kept.
// X, K and seals under a capability prove their writer, so only the writer can seal them to somebody else.
import { concat, wipe } from '../bytes.js'
import { asPublicKey, type KeyPair, type PublicKey } from '../crypto/index.js'
import { NoisecapError } from '../errors.js'
import { SEAL_WRAPS_MAX } from '../limits.js'
import { malformed } from './failure.js'
import { epochKeyOf } from './header-opener.js'
import { encodeHeader, FORM, formOf, OFFSET, readHeader } from './layout.js'
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

/** The same sealed value or header for other readers.
 * @param sealed - a header, or a value that carries its header; borrowed. Of compact values the stored header is rewrapped.
 * @returns a new array; what was sealed is the same to the byte.
 * @throws `seal/reseal` for patterns other than N; `seal/not_for_reader`, `seal/altered`, `seal/malformed`, `seal/version`,
 * `seal/too_large`; RangeError past 64 readers or when none is left. */
export function rewrap(sealed: Uint8Array, { key, add, dropOwn = false }: RewrapOptions): Uint8Array {
  const form = formOf(sealed)
  if (form === 'compact') throw malformed('a header or a value that carries one, got a compact value')
  const header = readHeader(sealed)
  if (form === 'header' && header.end !== sealed.length)
    throw malformed('a header, got one with further bytes')
  const { pattern, core, commitment, wraps } = header
  if (pattern.name !== 'N') throw mustReseal(pattern.name)
  const { epochKey, wrap: own } = epochKeyOf(header, key)
  try {
    const kept = wraps.filter((wrap) => !dropOwn || wrap !== own).map(({ bytes }) => bytes)
    if (kept.length + add.length > SEAL_WRAPS_MAX || kept.length + add.length === 0) {
      throw new RangeError(
        `Cannot rewrap: expected 1 to ${SEAL_WRAPS_MAX} readers, got ${kept.length + add.length}`,
      )
    }
    const parts = {
      pattern,
      writer: undefined,
      psk: undefined,
      sealedLocator: undefined,
      core,
      commitment,
      epochKey,
    }
    const added = add.map((reader) => writeWrap({ ...parts, reader: asPublicKey(reader) }))
    const rewrapped = encodeHeader(core, commitment, [...kept, ...added])
    rewrapped[OFFSET.form] = FORM[form]
    return concat(rewrapped, sealed.subarray(header.end))
  } finally {
    wipe(epochKey)
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
