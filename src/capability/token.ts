// Token bytes: a capability as one byte string, and their checks; byte table in spec/capability.md §5.
// The locator stands in it verbatim; salts of holder caveats stand beside it, since the locator must not betray who calls.
// Leaves out the text around it with its hints (capability-uri.ts).
import { concat, equalConstantTime, label, wipe } from '../bytes.js'
import { asPublicKey, type PublicKey } from '../crypto/index.js'
import { HOLDER_SALT_BYTES, LOCATOR_MAX_BYTES, TOKEN_MAX_BYTES } from '../limits.js'
import { CHAIN_KEY_BYTES, type ChainKey, type UseKey } from './chain.js'
import { decodeLocator, type Locator } from './locator.js'
import { Malformed } from './malformed.js'
import { sha256 } from './sha256.js'

/** The secret of a token: t_n, or u where the capability is final. */
export type TokenSecret =
  | { readonly final: false; readonly key: ChainKey }
  | { readonly final: true; readonly key: UseKey }

/** What a token holds. */
export interface Token {
  readonly publicKey: PublicKey
  readonly secret: TokenSecret
  readonly locator: Locator
  /** One salt for each holder caveat, in the order of those. */
  readonly holderSalts: readonly Uint8Array[]
}

const VERSION = 1
const SUITE_25519_CHACHAPOLY_BLAKE2B = 1
const FLAG_FINAL = 1
const OFFSET = {
  version: 0,
  suite: 1,
  flags: 2,
  publicKey: 3,
  secret: 35,
  locatorLength: 67,
  locator: 69,
} as const
const CHECKSUM_BYTES = 4
const CHECKSUM_LABEL = label('noisecap/v1 token')

/** The token as bytes, which hold the secret: the caller wipes them. */
export function encodeToken(token: Token): Uint8Array {
  const head = Uint8Array.of(VERSION, SUITE_25519_CHACHAPOLY_BLAKE2B, token.secret.final ? FLAG_FINAL : 0)
  const length = token.locator.encoded.length
  const body = concat(
    head,
    token.publicKey,
    token.secret.key,
    Uint8Array.of(length >> 8, length & 0xff),
    token.locator.encoded,
    ...token.holderSalts,
  )
  const bytes = concat(body, checksum(body))
  wipe(body)
  return bytes
}

/** The token of its bytes, which are borrowed.
 * @throws {@link Malformed} for anything that {@link encodeToken} would not have written. */
export function decodeToken(bytes: Uint8Array): Token {
  checkFrame(bytes)
  const flags = bytes[OFFSET.flags]!
  if (flags !== 0 && flags !== FLAG_FINAL) throw new Malformed('known flags')
  const locatorLength = (bytes[OFFSET.locatorLength]! << 8) | bytes[OFFSET.locatorLength + 1]!
  const saltsStart = OFFSET.locator + locatorLength
  const saltsEnd = bytes.length - CHECKSUM_BYTES
  if (locatorLength > LOCATOR_MAX_BYTES || saltsStart > saltsEnd)
    throw new Malformed('a locator within its limit')
  const locator = decodeLocator(bytes.subarray(OFFSET.locator, saltsStart))
  return {
    publicKey: asPublicKey(bytes.slice(OFFSET.publicKey, OFFSET.secret)),
    secret: decodeSecret(flags === FLAG_FINAL, bytes.slice(OFFSET.secret, OFFSET.secret + CHAIN_KEY_BYTES)),
    locator,
    holderSalts: splitSalts(bytes.slice(saltsStart, saltsEnd), locator),
  }
}

/** Length, version, suite and checksum: what must hold before anything else is looked at. */
function checkFrame(bytes: Uint8Array): void {
  if (bytes.length < OFFSET.locator + CHECKSUM_BYTES || bytes.length > TOKEN_MAX_BYTES) {
    throw new Malformed('a token within its limits')
  }
  if (bytes[OFFSET.version] !== VERSION) throw new Malformed('version 1')
  if (bytes[OFFSET.suite] !== SUITE_25519_CHACHAPOLY_BLAKE2B) throw new Malformed('suite 1')
  const bodyLength = bytes.length - CHECKSUM_BYTES
  if (!equalConstantTime(bytes.subarray(bodyLength), checksum(bytes.subarray(0, bodyLength)))) {
    throw new Malformed('a matching checksum (was it copied whole?)')
  }
}

function decodeSecret(final: boolean, key: Uint8Array): TokenSecret {
  // The flag alone says which key it is: the bytes are random either way.
  return final ? { final, key: key as UseKey } : { final, key: key as ChainKey }
}

function splitSalts(bytes: Uint8Array, locator: Locator): readonly Uint8Array[] {
  const holders = locator.caveats.filter(({ view }) => view.type === 'holder').length
  if (bytes.length !== holders * HOLDER_SALT_BYTES) throw new Malformed('one salt for each holder caveat')
  const salts: Uint8Array[] = []
  for (let start = 0; start < bytes.length; start += HOLDER_SALT_BYTES) {
    salts.push(bytes.slice(start, start + HOLDER_SALT_BYTES))
  }
  return salts
}

/** Catches copying mistakes; keyless on purpose, it authenticates nothing. */
function checksum(body: Uint8Array): Uint8Array {
  return sha256(CHECKSUM_LABEL, body).slice(0, CHECKSUM_BYTES)
}
