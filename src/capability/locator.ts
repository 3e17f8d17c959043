// The locator: what a service needs in order to recompute a capability's secret; spec/capability.md §4.
// dCBOR([kid, grant, [caveat …]]), grant and caveats as byte strings, so that the MACs run over exactly what was received.
// Not secret by itself, yet sent only encrypted. Leaves out the recomputation (verify.ts).
import { type Dcbor, DcborError, decodeDcbor, encodeDcbor } from '../dcbor.js'
import { CAVEATS_MAX, KID_MAX, LOCATOR_MAX_BYTES } from '../limits.js'
import { type CaveatView, decodeCaveat } from './caveats.js'
import { LINK_ID_BYTES } from './chain.js'
import { decodeGrant, type Grant } from './grant.js'
import { Malformed } from './malformed.js'

/** The root number that stands for a pair registered by hand. */
export const REGISTERED_KID = 0

/** One caveat as received and as read. */
interface EncodedCaveat {
  readonly encoded: Uint8Array
  readonly view: CaveatView
}

/** A decoded locator; `encoded` is what was decoded. */
export interface Locator {
  readonly encoded: Uint8Array
  readonly kid: number
  /** Encoded grant, or the 16-byte registration id where `kid` is 0. */
  readonly grantBytes: Uint8Array
  /** Undefined where `kid` is 0: use, object and claims then come from the registration only. */
  readonly grant: Grant | undefined
  readonly caveats: readonly EncodedCaveat[]
}

/** The encoded locator.
 * @param grantBytes - encoded grant, or registration id for kid 0. */
export function encodeLocator(
  kid: number,
  grantBytes: Uint8Array,
  caveats: readonly Uint8Array[],
): Uint8Array {
  return encodeDcbor([kid, grantBytes, caveats])
}

/** The parts of an encoded locator, which is copied.
 * @throws {@link Malformed} for anything that {@link encodeLocator} would not have written, or that is over its limits. */
export function decodeLocator(bytes: Uint8Array): Locator {
  if (bytes.length > LOCATOR_MAX_BYTES) {
    throw new Malformed(`a locator of at most ${LOCATOR_MAX_BYTES} bytes`)
  }
  try {
    return decodeParts(bytes)
  } catch (error) {
    if (error instanceof DcborError) throw new Malformed('deterministic CBOR')
    throw error
  }
}

function decodeParts(bytes: Uint8Array): Locator {
  const parts = decodeDcbor(bytes)
  if (!Array.isArray(parts) || parts.length !== 3) throw new Malformed('a locator of three parts')
  const [kid, grantBytes, caveats] = parts as [Dcbor, Dcbor, Dcbor]
  if (typeof kid !== 'number' || kid < 0 || kid > KID_MAX) throw new Malformed('a root number')
  if (!(grantBytes instanceof Uint8Array)) throw new Malformed('a grant as a byte string')
  return {
    encoded: bytes.slice(),
    kid,
    grantBytes,
    grant: decodeGrantOf(kid, grantBytes),
    caveats: decodeCaveats(caveats),
  }
}

function decodeGrantOf(kid: number, grantBytes: Uint8Array): Grant | undefined {
  if (kid !== REGISTERED_KID) return decodeGrant(grantBytes)
  if (grantBytes.length !== LINK_ID_BYTES) throw new Malformed('a registration id of 16 bytes')
  return undefined
}

function decodeCaveats(value: Dcbor): readonly EncodedCaveat[] {
  if (!Array.isArray(value)) throw new Malformed('a list of caveats')
  if (value.length > CAVEATS_MAX) throw new Malformed(`at most ${CAVEATS_MAX} caveats`)
  return (value as readonly Dcbor[]).map((encoded) => {
    if (!(encoded instanceof Uint8Array)) throw new Malformed('a caveat as a byte string')
    return { encoded, view: decodeCaveat(encoded) }
  })
}
