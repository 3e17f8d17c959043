// The sealed locator (spec/seal.md §5): what the reader needs in order to recompute a capability's PSK (its locator, the
// salts of its holder caveats, for K the writer's key), encrypted to the reader by a Noise N message of its own.
// Says nothing about who made it: only the wrap under the PSK does. Leaves out reading the plaintext and judging the
// capability, which an authority brings along (src/capability/sealed-use.ts).
import { EMPTY, label } from '../bytes.js'
import type { Capability } from '../capability/index.js'
import type { KeyPair, PublicKey } from '../crypto/index.js'
import { CAVEATS_MAX, HOLDER_SALT_BYTES, LOCATOR_MAX_BYTES, SEAL_LOCATOR_PADDING_BYTES } from '../limits.js'
import { withHandshake } from '../noise/own-handshake.js'
import { encodePaddedItem, paddedLength } from '../padded-item.js'
import { prologueOf } from './epoch-keys.js'
import { altered } from './failure.js'
import { patternOfName } from './pattern.js'

const PROTOCOL = patternOfName('N').protocol
const LOCATOR_LABEL = label('noisecap/v1 locator')
/** Noise N around its payload: e and a tag, bytes. */
const OVERHEAD_BYTES = 48

/** Locator, salts of as many holders as there can be caveats, the writer's key and what CBOR puts around them, padded, bytes. */
const PLAINTEXT_MAX_BYTES = paddedLength(
  LOCATOR_MAX_BYTES + CAVEATS_MAX * (HOLDER_SALT_BYTES + 2) + 64,
  SEAL_LOCATOR_PADDING_BYTES,
)

/** The padded plaintext, the same for every epoch of a writer.
 * @param writer - for K, the writer's public key. */
export function locatorPlaintext(capability: Capability<unknown>, writer: PublicKey | undefined): Uint8Array {
  const { locator } = capability
  return encodePaddedItem([locator, capability.holderSalts(), writer ?? null], SEAL_LOCATOR_PADDING_BYTES)
}

/** @param plaintext - of {@link locatorPlaintext}. */
export function sealLocator(
  reader: PublicKey,
  core: Uint8Array,
  commitment: Uint8Array,
  plaintext: Uint8Array,
): Uint8Array {
  const prologue = prologueOf(LOCATOR_LABEL, core, commitment, EMPTY)
  return withHandshake({ protocol: PROTOCOL, role: 'initiator', rs: reader, prologue }, (noise) =>
    noise.writeMessage(plaintext),
  )
}

/** The plaintext of a sealed locator.
 * @throws `seal/altered`, or what Noise throws when the message is not authentic. */
export function openLocator(
  reader: KeyPair,
  core: Uint8Array,
  commitment: Uint8Array,
  sealed: Uint8Array,
): Uint8Array {
  const length = sealed.length - OVERHEAD_BYTES
  if (length <= 0 || length > PLAINTEXT_MAX_BYTES) throw altered()
  const prologue = prologueOf(LOCATOR_LABEL, core, commitment, EMPTY)
  return withHandshake({ protocol: PROTOCOL, role: 'responder', s: reader, prologue }, (noise) =>
    noise.readMessage(sealed),
  )
}
