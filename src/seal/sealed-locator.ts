// The sealed locator (spec/seal.md §5): what the reader needs in order to recompute a capability's PSK (its locator, the
// salts of its holder caveats, for K the writer's key), encrypted to the reader by a Noise N message of its own.
// Says nothing about who made it: only the wrap under the PSK does. Leaves out judging the capability (acceptance.ts).
import { EMPTY, label } from '../bytes.js'
import type { Capability } from '../capability/index.js'
import { asPublicKey, type KeyPair, type PublicKey } from '../crypto/index.js'
import type { Dcbor } from '../dcbor.js'
import { CAVEATS_MAX, LOCATOR_MAX_BYTES, SEAL_LOCATOR_PADDING_BYTES } from '../limits.js'
import { OwnHandshake } from '../noise/own-handshake.js'
import { decodePaddedItem, encodePaddedItem, paddedLength } from '../padded-item.js'
import { prologueOf } from './epoch-keys.js'
import { altered } from './failure.js'
import { patternOfName } from './pattern.js'

/** What a sealed locator holds. */
export interface LocatorParts {
  readonly locator: Uint8Array
  readonly holderSalts: readonly Uint8Array[]
  /** K: the writer's public key. */
  readonly writer: PublicKey | undefined
}

const PROTOCOL = patternOfName('N').protocol
const LOCATOR_LABEL = label('noisecap/v1 locator')
const HOLDER_SALT_BYTES = 32
const KEY_BYTES = 32
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
  using noise = new OwnHandshake({ protocol: PROTOCOL, role: 'initiator', rs: reader, prologue })
  return noise.writeMessage(plaintext)
}

/** @throws `seal/altered`, or what Noise throws when the message is not authentic. */
export function openLocator(
  reader: KeyPair,
  core: Uint8Array,
  commitment: Uint8Array,
  sealed: Uint8Array,
): LocatorParts {
  const length = sealed.length - OVERHEAD_BYTES
  if (length <= 0 || length > PLAINTEXT_MAX_BYTES) {
    throw altered()
  }
  const prologue = prologueOf(LOCATOR_LABEL, core, commitment, EMPTY)
  using noise = new OwnHandshake({ protocol: PROTOCOL, role: 'responder', s: reader, prologue })
  const parts = partsOf(decodePaddedItem(noise.readMessage(sealed), SEAL_LOCATOR_PADDING_BYTES))
  if (parts === undefined) throw altered()
  return parts
}

function partsOf(item: Dcbor | undefined): LocatorParts | undefined {
  if (!isList(item) || item.length !== 3) return undefined
  const [locator, salts, writer] = item
  if (!(locator instanceof Uint8Array) || !isList(salts) || salts.length > CAVEATS_MAX) return undefined
  const holderSalts: Uint8Array[] = []
  for (const salt of salts) {
    if (!(salt instanceof Uint8Array) || salt.length !== HOLDER_SALT_BYTES) return undefined
    holderSalts.push(salt)
  }
  if (writer === null) return { locator, holderSalts, writer: undefined }
  if (!(writer instanceof Uint8Array) || writer.length !== KEY_BYTES) return undefined
  return { locator, holderSalts, writer: asPublicKey(writer) }
}

function isList(item: Dcbor | undefined): item is readonly Dcbor[] {
  return Array.isArray(item)
}

/** Zero bytes up to a block: the number of caveats shall not show in the length. */
