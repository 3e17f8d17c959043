// One epoch of a writer (spec/seal.md §4): a fresh key that lives in this object only, the header that carries it, and the
// counter that gives every value its position. The counter moves before the cipher is called, so nothing that fails can make
// a position come twice. Leaves out the end of an epoch by time or place (incarnation.ts).
import { EMPTY, wipe } from '../bytes.js'
import { type AeadKey, primitives } from '../crypto/index.js'
import { redact } from '../redact.js'
import { commitmentOf, epochIdOf, nonceOf, streamCipher, valueCipher } from './epoch-keys.js'
import {
  EPOCH_KEY_BYTES,
  encodeHeader,
  SALT_BYTES,
  SUITE_25519_CHACHAPOLY_BLAKE2B,
  VERSION,
} from './layout.js'
import type { Recipients } from './recipients.js'
import { sealLocator } from './sealed-locator.js'
import { writeWrap } from './wrap.js'

const CORE_START_BYTES = 3

/** The key and the positions of one epoch; wiped by `using`. */
export class WriterEpoch implements Disposable {
  /** Header form, bytes. */
  readonly header: Uint8Array
  /** 16 bytes. */
  readonly id: Uint8Array
  readonly #cipher: AeadKey
  readonly #epochKey: Uint8Array
  readonly #core: Uint8Array
  readonly #writer: Uint8Array
  readonly #maxValues: number
  readonly #maxBytes: number
  #position = 0
  #bytes = 0
  #forgotten = false

  /** Draw a fresh epoch key and wrap it: the public-key work of an epoch. */
  constructor(recipients: Recipients, maxValues: number, maxBytes: number) {
    const random = primitives().randomBytes(EPOCH_KEY_BYTES + SALT_BYTES)
    const epochKey = random.slice(0, EPOCH_KEY_BYTES)
    const core = new Uint8Array(CORE_START_BYTES + SALT_BYTES)
    core[0] = VERSION
    core[1] = SUITE_25519_CHACHAPOLY_BLAKE2B
    core[2] = recipients.pattern.code
    core.set(random.slice(EPOCH_KEY_BYTES), CORE_START_BYTES)
    const writer = recipients.writer?.publicKey ?? EMPTY
    const commitment = commitmentOf(epochKey, core, writer)
    this.header = encodeHeader(core, commitment, wrapsOf(recipients, core, commitment, epochKey))
    this.id = epochIdOf(commitment)
    this.#cipher = valueCipher(epochKey, core, writer)
    this.#epochKey = epochKey
    this.#core = core
    this.#writer = writer
    this.#maxValues = maxValues
    this.#maxBytes = maxBytes
    wipe(random)
  }

  /** Whether its key is still here and there is room for one more value. */
  get open(): boolean {
    return !this.#forgotten && this.#position < this.#maxValues && this.#bytes < this.#maxBytes
  }

  /** Take the next position, for good.
   * @param bytes - how long what is sealed there is. */
  take(bytes: number): number {
    if (!this.open) throw new RangeError('Cannot seal: the epoch has ended')
    this.#bytes += bytes
    return this.#position++
  }

  /** Encrypt the one plaintext of a taken position. */
  encrypt(position: number, ad: Uint8Array, plaintext: Uint8Array, out: Uint8Array): void {
    this.#cipher.seal(nonceOf(position), ad, plaintext, out)
  }

  /** The cipher of the one stream of a taken position, which outlives the epoch; the caller's to dispose. */
  streamCipher(position: number): AeadKey {
    return streamCipher(this.#epochKey, this.#core, this.#writer, position)
  }

  [Symbol.dispose](): void {
    this.#forgotten = true
    wipe(this.#epochKey)
    this.#cipher[Symbol.dispose]()
  }
}

redact(WriterEpoch, () => 'WriterEpoch [redacted]')

function wrapsOf(
  { pattern, readers, writer, psk, locator }: Recipients,
  core: Uint8Array,
  commitment: Uint8Array,
  epochKey: Uint8Array,
): readonly Uint8Array[] {
  return readers.map((reader) => {
    const sealedLocator = locator === undefined ? undefined : sealLocator(reader, core, commitment, locator)
    return writeWrap({ pattern, reader, writer, psk, sealedLocator, core, commitment, epochKey })
  })
}
