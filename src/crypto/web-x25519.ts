// X25519 of Web Cryptography, which answers later: secret keys are imported so that no script can read them back, and each
// DH runs outside of the page's own thread (W3C "Secure Curves in the Web Cryptography API"; RFC 7748, RFC 8410).
// Any failure is an undefined result, for the caller to compute and to judge by itself. Leaves out what the results are for
// (dh-ahead.ts).
import { equalConstantTime, hexDecode, wipe } from '../bytes.js'
import { asPublicKey, asSecretKey, type PublicKey, type SecretKey } from './keys.js'

/** A secret key inside of Web Cryptography, which computes with it. */
export interface HeldX25519Key {
  /** The shared secret, 32 bytes for the caller to wipe; undefined where it was refused: a low-order point.
   * @param publicKey - borrowed. */
  dh(publicKey: PublicKey): Promise<Uint8Array | undefined>
}

/** X25519 whose results come later. */
export interface LaterX25519 {
  /** @param secretKey - borrowed; undefined where it was refused. */
  hold(secretKey: SecretKey): Promise<HeldX25519Key | undefined>
}

/** The base point, whose DH with a secret key is its public key (RFC 7748 §6.1). */
export const X25519_BASE_POINT: PublicKey = /* @__PURE__ */ asPublicKey(
  /* @__PURE__ */ Uint8Array.from({ length: 32 }, (_, index) => (index === 0 ? 9 : 0)),
)

const ALGORITHM = { name: 'X25519' }
const SHARED_BITS = 256
/** PrivateKeyInfo before the 32 bytes of the key (RFC 8410 §7). */
const PKCS8_HEAD = '302e020100300506032b656e04220420'

/** What is used of Web Cryptography, of which only secure contexts have `subtle`. */
interface Subtle {
  importKey(
    format: 'pkcs8' | 'raw',
    key: Uint8Array,
    algorithm: object,
    extractable: false,
    usages: readonly string[],
  ): Promise<object>
  deriveBits(algorithm: object, key: object, bits: number): Promise<ArrayBuffer>
}

/** Keys and result of RFC 7748 §6.1. */
const KNOWN = {
  secretKey: '77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a',
  publicKey: '8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a',
  peer: 'de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f',
  shared: '4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742',
}

let found: Promise<LaterX25519 | undefined> | undefined

/** X25519 of this host's Web Cryptography, undefined where it has none or computes otherwise than RFC 7748 §6.1: tried once. */
export function webX25519(): Promise<LaterX25519 | undefined> {
  found ??= tried((globalThis.crypto as { readonly subtle?: Subtle } | undefined)?.subtle)
  return found
}

/** X25519 of `subtle`, undefined where it has none or does not compute the known results. */
export async function tried(subtle: Subtle | undefined): Promise<LaterX25519 | undefined> {
  if (subtle === undefined) return undefined
  const later = laterX25519(subtle)
  const held = await later.hold(asSecretKey(hexDecode(KNOWN.secretKey)))
  if (held === undefined) return undefined
  const [publicKey, shared] = await Promise.all([
    held.dh(X25519_BASE_POINT),
    held.dh(asPublicKey(hexDecode(KNOWN.peer))),
  ])
  return isKnown(publicKey, KNOWN.publicKey) && isKnown(shared, KNOWN.shared) ? later : undefined
}

function isKnown(bytes: Uint8Array | undefined, hex: string): boolean {
  return bytes !== undefined && equalConstantTime(bytes, hexDecode(hex))
}

function laterX25519(subtle: Subtle): LaterX25519 {
  return {
    async hold(secretKey) {
      const head = hexDecode(PKCS8_HEAD)
      const bytes = new Uint8Array(head.length + secretKey.length)
      bytes.set(head)
      bytes.set(secretKey, head.length)
      try {
        const own = await subtle.importKey('pkcs8', bytes, ALGORITHM, false, ['deriveBits'])
        return { dh: (publicKey) => derived(subtle, own, publicKey) }
      } catch {
        return undefined
      } finally {
        wipe(bytes)
      }
    },
  }
}

async function derived(subtle: Subtle, own: object, publicKey: PublicKey): Promise<Uint8Array | undefined> {
  try {
    const peer = await subtle.importKey('raw', publicKey, ALGORITHM, false, [])
    return new Uint8Array(await subtle.deriveBits({ ...ALGORITHM, public: peer }, own, SHARED_BITS))
  } catch {
    return undefined // an all-zero result is an OperationError (Secure Curves §X25519, derive bits)
  }
}
