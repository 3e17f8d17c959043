// What follows from an epoch key (spec/seal.md §4): the commitment, which makes all readers of a header see the same
// values, the keys of its values and of its streams, and the hint by which a reader finds its wrap.
// Leaves out how the epoch key travels (wrap.ts).
import { label } from '../bytes.js'
import { AEAD_NONCE_BYTES, type AeadKey, type PublicKey, primitives } from '../crypto/index.js'
import { lastingArray, viewsOf } from '../lasting.js'
import { SEAL_HEADER_MAX_BYTES } from '../limits.js'
import { EPOCH_ID_BYTES, HINT_BYTES } from './layout.js'
import { E_BYTES } from './pattern.js'

const COMMITMENT_LABEL = label('noisecap/v1 seal commit')
const VALUE_LABEL = label('noisecap/v1 seal value')
const STREAM_LABEL = label('noisecap/v1 seal stream')
const HINT_LABEL = label('noisecap/v1 hint')

/** The commitment of an epoch, 32 bytes.
 * @param writer - the writer's public key, empty for N. */
export function commitmentOf(epochKey: Uint8Array, core: Uint8Array, writer: Uint8Array): Uint8Array {
  return primitives().hash('SHA256').hmac(epochKey, COMMITMENT_LABEL, core, writer)
}

/** The cipher of an epoch's values. */
export function valueCipher(epochKey: Uint8Array, core: Uint8Array, writer: Uint8Array): AeadKey {
  const key = primitives().hash('SHA256').hmac(epochKey, VALUE_LABEL, core, writer)
  const cipher = primitives().aead('ChaChaPoly').withKey(key)
  key.fill(0)
  return cipher
}

/** The cipher of the stream that has taken `position` in an epoch. */
export function streamCipher(
  epochKey: Uint8Array,
  core: Uint8Array,
  writer: Uint8Array,
  position: number,
): AeadKey {
  const long = new Uint8Array(8)
  new DataView(long.buffer).setUint32(4, position)
  const key = primitives().hash('SHA256').hmac(epochKey, STREAM_LABEL, core, writer, long)
  const cipher = primitives().aead('ChaChaPoly').withKey(key)
  key.fill(0)
  return cipher
}

/** The epoch id of a commitment, 16 bytes. */
export function epochIdOf(commitment: Uint8Array): Uint8Array {
  return commitment.slice(0, EPOCH_ID_BYTES)
}

/** The hint of a wrap, 4 bytes: of use to whoever knows the reader's key, and random to everybody else.
 * @param message - the Noise message of the wrap, which begins with e. */
export function hintOf(reader: PublicKey, message: Uint8Array): Uint8Array {
  const e = message.slice(0, E_BYTES)
  return primitives().hash('SHA256').hash(HINT_LABEL, reader, e).slice(0, HINT_BYTES)
}

const PROLOGUE_MAX_BYTES = 64 + SEAL_HEADER_MAX_BYTES
const prologueScratch = lastingArray(PROLOGUE_MAX_BYTES)
const prologueViewOf = viewsOf(prologueScratch, 0, 512)

/** The prologue of a Noise message in a header: label ‖ core ‖ commitment ‖ sealed locator.
 * @returns memory that the next call overwrites; Noise hashes it at once. */
export function prologueOf(
  start: Uint8Array,
  core: Uint8Array,
  commitment: Uint8Array,
  sealedLocator: Uint8Array,
): Uint8Array {
  prologueScratch.set(start)
  let end = start.length
  prologueScratch.set(core, end)
  end += core.length
  prologueScratch.set(commitment, end)
  end += commitment.length
  prologueScratch.set(sealedLocator, end)
  return prologueViewOf(end + sealedLocator.length)
}

/** The nonce of a value, for all epochs: public, and written right before each synchronous call. */
const nonce = lastingArray(AEAD_NONCE_BYTES)
const nonceView = new DataView(nonce.buffer)

/** The nonce of the value at `position`: four zero bytes and the position, little-endian, as Noise writes it.
 * @returns an array that the next call overwrites. */
export function nonceOf(position: number): Uint8Array {
  nonceView.setUint32(4, position, true)
  return nonce
}
