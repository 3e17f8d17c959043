// SealReader: opens sealed values with the reader's key, under what its owner accepts (spec/seal.md §6). Per value one AEAD
// call while its epoch is cached. Nothing is handed out before it is authentic.
// Leaves out writing (writer.ts), and reading many at once (sealed.ts).
import { AEAD_TAG_BYTES, type KeyPair } from '../crypto/index.js'
import { SEAL_EPOCHS_CACHED_MAX } from '../limits.js'
import { redact } from '../redact.js'
import { type Acceptance, judgeAt, type Provenance } from './acceptance.js'
import { type Content, decodeContent } from './codec.js'
import type { Place } from './column.js'
import { contentOf, plaintextBuffer } from './content.js'
import { EpochCache } from './epoch-cache.js'
import { nonceOf } from './epoch-keys.js'
import { altered, malformed, openError } from './failure.js'
import { HeaderOpener, type OpenedEpoch } from './header-opener.js'
import { standsIn } from './known-header.js'
import {
  COMPACT_OFFSET,
  checkCiphertext,
  formOf,
  type Header,
  OFFSET,
  POSITION_BYTES,
  readHeader,
  readPosition,
} from './layout.js'
import type { SealPatternName } from './pattern.js'
import { COPIED_MAX_BYTES, copiedCiphertext, copyValue } from './value-copy.js'

/** What a reader is made of. */
export interface SealReaderOptions<Accepted extends Acceptance> {
  /** Key pairs that values are sealed to, at most 16; referred to, their owner disposes them later. */
  readonly keys: KeyPair | readonly KeyPair[]
  /** Patterns, writers and capabilities that this reader accepts; everything else is refused. */
  readonly accept: readonly Accepted[]
  /** Finds the stored header of an epoch that is not cached, by its 16-byte id, at once. */
  readonly headers?: ((id: Uint8Array) => Uint8Array | undefined) | undefined
  /** Epochs kept open; default 1,024. */
  readonly maxEpochs?: number | undefined
}

/** How to open. */
export interface OpenOptions {
  /** Unix seconds at which capabilities are judged: when the value was stored, if that is known and trusted; default now. */
  readonly at?: number | undefined
}

/** An opened value and what is known about who sealed it. */
export interface Opened<Value, Pattern extends SealPatternName = SealPatternName> {
  readonly value: Value
  readonly from: Provenance<Pattern>
}

const MS_PER_SECOND = 1_000

/** For stream-opener.ts alone, which a page that opens values does not load: the epoch of the stream that begins with `prelude`.
 * @param at - Unix seconds; default now.
 * @throws as {@link SealReader.open}, save for what concerns a value. */
export let streamEpoch: (reader: SealReader, prelude: Uint8Array, at: number | undefined) => OpenedEpoch

/** Opens sealed values; prints as `[redacted]`, `using` wipes the keys of its epochs. */
export class SealReader<const Accepted extends Acceptance = Acceptance> implements Disposable {
  readonly #opener: HeaderOpener
  readonly #cache: EpochCache
  readonly #headers: SealReaderOptions<Accepted>['headers']
  #disposed = false

  /** @throws TypeError, RangeError. */
  constructor({ keys, accept, headers, maxEpochs = SEAL_EPOCHS_CACHED_MAX }: SealReaderOptions<Accepted>) {
    if (!Number.isSafeInteger(maxEpochs) || maxEpochs < 1) {
      throw new RangeError('Cannot read seals: expected maxEpochs to be a whole number above 0')
    }
    this.#opener = new HeaderOpener(Array.isArray(keys) ? keys : [keys as KeyPair], accept)
    this.#cache = new EpochCache(maxEpochs)
    this.#headers = headers
  }

  /** Open a stored header, so that compact values of its epoch open. It stays open until 1,024 others were used after it.
   * @param header - borrowed.
   * @throws as {@link open}, save for what concerns a value. */
  learn(header: Uint8Array): void {
    if (formOf(header) !== 'header') throw malformed('a header, got a value')
    this.#learn(header)
  }

  /** Open one value.
   * @param sealed - borrowed.
   * @param place - where it was found; it opens in no other.
   * @throws `seal/malformed`, `seal/version`, `seal/too_large` for what is no seal; `seal/not_for_reader`,
   * `seal/not_accepted`, `seal/unknown_epoch`; `seal/altered` for whatever is not authentic; `seal/denied`, `seal/expired`,
   * `seal/not_yet_valid`, `seal/revoked` for a genuine capability; `seal/bad_value` for what the codec does not read. */
  open<Value>(
    sealed: Uint8Array,
    place: Place<never, Value>,
    options?: OpenOptions,
  ): Opened<Value, Accepted['pattern']> {
    if (this.#disposed) throw new TypeError('Cannot open seal: the reader has been disposed')
    const form = formOf(sealed)
    if (form === 'header') throw malformed('a value, got a header alone')
    if (form === 'stream') throw malformed('a value, got a stream, which openStream opens')
    const epoch = form === 'compact' ? this.#namedEpoch(sealed) : this.#carriedEpoch(sealed)
    const positionStart = form === 'compact' ? COMPACT_OFFSET.position : OFFSET.core + epoch.header.length
    const ciphertextStart = positionStart + POSITION_BYTES
    checkCiphertext(sealed, ciphertextStart)
    judge(epoch, options?.at)
    const { codec } = place.column
    const ad = place.column.associatedData(place.row)
    const plaintext = plaintextBuffer(sealed.length - ciphertextStart - AEAD_TAG_BYTES)
    const nonce = nonceOf(readPosition(sealed, positionStart))
    // Where nobody else's code ran since the header was found, the value still is the copied one.
    const isCopied = form === 'value' && epoch.admitted === undefined
    const ciphertext = ciphertextOf(sealed, ciphertextStart, isCopied)
    if (!epoch.cipher.open(nonce, ad, ciphertext, plaintext)) throw altered()
    const content = takeContent(plaintext, codec.content)
    // `from` is of a pattern that is accepted: the opener refuses others.
    return { value: decodeContent(codec, content), from: epoch.from as Provenance<Accepted['pattern']> }
  }

  #streamEpoch(prelude: Uint8Array, at: number | undefined): OpenedEpoch {
    if (this.#disposed) throw new TypeError('Cannot open seal: the reader has been disposed')
    const epoch = this.#carriedEpoch(prelude)
    judge(epoch, at)
    return epoch
  }

  static {
    streamEpoch = (reader, prelude, at) => reader.#streamEpoch(prelude, at)
  }

  [Symbol.dispose](): void {
    this.#disposed = true
    this.#cache[Symbol.dispose]()
  }

  #learn(bytes: Uint8Array): OpenedEpoch {
    if (this.#disposed) throw new TypeError('Cannot open header: the reader has been disposed')
    const header = readHeader(bytes)
    if (header.end !== bytes.length) throw malformed('a header, got one with further bytes')
    return this.#openOnce(header)
  }

  /** The epoch of a compact value: cached, or learnt from the header that the caller finds. */
  #namedEpoch(sealed: Uint8Array): OpenedEpoch {
    if (sealed.length < COMPACT_OFFSET.ciphertext)
      throw malformed('a whole sealed value, got one that ends early')
    const cached = this.#cache.byId(sealed, COMPACT_OFFSET.epochId)
    if (cached !== undefined) return cached
    const id = new Uint8Array(sealed.subarray(COMPACT_OFFSET.epochId, COMPACT_OFFSET.position))
    const header = this.#headers?.(id)
    if (header === undefined) throw unknownEpoch()
    if (formOf(header) !== 'header') throw malformed('a header, got a value')
    const epoch = this.#learn(header)
    if (!standsIn(epoch.commitment, 0, id)) throw unknownEpoch()
    return epoch
  }

  /** The epoch of a value that carries its header, which as a whole must be the one that was opened: nothing else vouches for
   * its wraps. */
  #carriedEpoch(sealed: Uint8Array): OpenedEpoch {
    const cached = sealed.length < OFFSET.wraps ? undefined : this.#cache.byHeader(sealed)
    if (cached !== undefined) return cached
    const epoch = this.#openOnce(readHeader(sealed))
    epoch.header.beginsValue(sealed) // so that it is the copied value, as where the epoch was cached
    return epoch
  }

  #openOnce(header: Header): OpenedEpoch {
    const cached = this.#cache.byCommitment(header.commitment, 0)
    if (cached?.header.is(header.body)) return cached
    const epoch = this.#opener.open(header)
    epoch.formerHeader = cached?.header
    this.#cache.add(epoch)
    return epoch
  }
}

redact(SealReader, () => 'SealReader [redacted]')

function judge({ admitted }: OpenedEpoch, at: number | undefined): void {
  if (admitted !== undefined) judgeAt(admitted, at ?? Date.now() / MS_PER_SECOND)
}

/** The ciphertext of a value, for one call. */
function ciphertextOf(sealed: Uint8Array, start: number, isCopied: boolean): Uint8Array {
  const length = sealed.length - start
  if (sealed.length > COPIED_MAX_BYTES)
    return new Uint8Array(sealed.buffer, sealed.byteOffset + start, length)
  if (!isCopied) copyValue(sealed, start)
  return copiedCiphertext(length)
}

function takeContent(plaintext: Uint8Array, wanted: 'text' | 'bytes'): Content {
  try {
    return contentOf(plaintext, wanted)
  } finally {
    plaintext.fill(0)
  }
}

function unknownEpoch(): Error {
  return openError('seal/unknown_epoch', 'expected a value of an epoch whose header this reader has', {
    hint: 'Read the stored header of that epoch and give it to learn()',
  })
}
