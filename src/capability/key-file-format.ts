// Bytes of a key file: a header, then the secrets, plain with a checksum or under a passphrase; spec/capability.md §9.
// The header is bounded and checked before anything is derived from it, and authenticated where there is a passphrase.
// Leaves out files, their permissions and scrypt itself (key-file.ts).
import { concat, equalConstantTime, label, utf8, wipe } from '../bytes.js'
import { AEAD_NONCE_BYTES, AEAD_TAG_BYTES, primitives } from '../crypto/index.js'
import { NoisecapError } from '../errors.js'
import { KEY_FILE_MAX_BYTES, SCRYPT_LOG_N_MAX, SCRYPT_LOG_N_MIN, SCRYPT_P_MAX } from '../limits.js'
import { sha256 } from './sha256.js'

/** Whose key a file holds. */
export type KeyFileKind = 'service' | 'client'

/** Cost of scrypt; r is always 8. */
interface ScryptCost {
  readonly logN: number
  readonly p: number
}

/** scrypt under the caller's passphrase: 32 bytes that are wiped after use. */
export type KeyDeriver = (cost: ScryptCost, salt: Uint8Array) => Promise<Uint8Array>

/** What the header says. */
interface KeyFileHeader {
  readonly kind: KeyFileKind
  /** Undefined where the secrets are not under a passphrase. */
  readonly cost: ScryptCost | undefined
  readonly salt: Uint8Array
}

const MAGIC = utf8('noisecap')
const VERSION = 1
const KIND = { service: 1, client: 2 } as const
const OFFSET = { version: 8, kind: 9, logN: 10, r: 11, p: 12, salt: 13 } as const
const SALT_BYTES = 32
const HEADER_BYTES = OFFSET.salt + SALT_BYTES
const CHECKSUM_LABEL = label('noisecap/v1 key file')
const CHECKSUM_BYTES = 8
const DEFAULT_COST: ScryptCost = { logN: 17, p: 1 }
/** Block size of scrypt, fixed. */
export const SCRYPT_R = 8
const NONCE_ZERO = new Uint8Array(AEAD_NONCE_BYTES)

/** A key file that cannot be read; `what` is fixed text. */
export function keyFileError(what: string, hint?: string): NoisecapError {
  return new NoisecapError(
    'capability/key_file',
    `Cannot read key file: ${what}`,
    hint === undefined ? {} : { hint },
  )
}

/** The file of `secrets`, plain where there is no passphrase.
 * @param secrets - encoded; borrowed.
 * @param derive - undefined where there is no passphrase.
 * @param salt - 32 random bytes, fresh for every file: the key under the passphrase is used once. */
export async function encodeKeyFile(
  kind: KeyFileKind,
  secrets: Uint8Array,
  derive: KeyDeriver | undefined,
  salt: Uint8Array = primitives().randomBytes(SALT_BYTES),
): Promise<Uint8Array> {
  if (derive === undefined) {
    const header = encodeHeader({ kind, cost: undefined, salt: new Uint8Array(SALT_BYTES) })
    return concat(header, secrets, checksum(header, secrets))
  }
  const header = encodeHeader({ kind, cost: DEFAULT_COST, salt })
  const sealed = new Uint8Array(secrets.length + AEAD_TAG_BYTES)
  const key = await derive(DEFAULT_COST, salt)
  using cipher = primitives().aead('ChaChaPoly').withKey(key)
  wipe(key)
  cipher.seal(NONCE_ZERO, header, secrets, sealed)
  return concat(header, sealed)
}

/** The secrets of a key file, a new array that the caller wipes.
 * @throws `capability/key_file` for another kind, version or a damaged file; `capability/passphrase` for a wrong one, a
 * missing one, or one too many. */
export async function decodeKeyFile(
  bytes: Uint8Array,
  kind: KeyFileKind,
  derive: KeyDeriver | undefined,
): Promise<Uint8Array> {
  const header = decodeHeader(bytes)
  if (header.kind !== kind) throw keyFileError(`expected a ${kind} key, got a ${header.kind} key`)
  const headerBytes = bytes.subarray(0, HEADER_BYTES)
  const body = bytes.subarray(HEADER_BYTES)
  if (header.cost === undefined) {
    if (derive !== undefined) {
      throw passphraseError('expected a protected file, got a plain one', 'Leave out the passphrase')
    }
    return openPlain(headerBytes, body)
  }
  if (derive === undefined) throw passphraseError('expected a passphrase', 'Give the passphrase of the file')
  const key = await derive(header.cost, header.salt)
  using cipher = primitives().aead('ChaChaPoly').withKey(key)
  wipe(key)
  const secrets = new Uint8Array(body.length - AEAD_TAG_BYTES)
  if (!cipher.open(NONCE_ZERO, headerBytes, body, secrets))
    throw passphraseError('expected another passphrase, or the file is damaged')
  return secrets
}

function openPlain(header: Uint8Array, body: Uint8Array): Uint8Array {
  const length = body.length - CHECKSUM_BYTES
  const secrets = body.slice(0, length)
  if (!equalConstantTime(body.subarray(length), checksum(header, secrets))) {
    throw keyFileError('expected a matching checksum', 'The file is damaged; restore it from a backup')
  }
  return secrets
}

function encodeHeader({ kind, cost, salt }: KeyFileHeader): Uint8Array {
  const parameters = cost === undefined ? [0, 0, 0] : [cost.logN, SCRYPT_R, cost.p]
  return concat(MAGIC, Uint8Array.of(VERSION, KIND[kind], ...parameters), salt)
}

/** The checked header of a whole file. */
function decodeHeader(bytes: Uint8Array): KeyFileHeader {
  const smallest = HEADER_BYTES + AEAD_TAG_BYTES
  if (bytes.length < smallest || bytes.length > KEY_FILE_MAX_BYTES) {
    throw keyFileError(`expected ${smallest} to ${KEY_FILE_MAX_BYTES} bytes, got ${bytes.length}`)
  }
  if (!equalConstantTime(bytes.subarray(0, MAGIC.length), MAGIC))
    throw keyFileError('expected a noisecap key')
  if (bytes[OFFSET.version] !== VERSION) throw keyFileError('expected version 1')
  const salt = bytes.slice(OFFSET.salt, HEADER_BYTES)
  return { kind: decodeKind(bytes[OFFSET.kind]!), cost: decodeCost(bytes, salt), salt }
}

function decodeKind(byte: number): KeyFileKind {
  if (byte === KIND.service) return 'service'
  if (byte === KIND.client) return 'client'
  throw keyFileError('expected a service key or a client key')
}

/** What scrypt may cost is decided here, before it runs: a planted file must not take minutes or gigabytes. */
function decodeCost(bytes: Uint8Array, salt: Uint8Array): ScryptCost | undefined {
  const [logN, r, p] = [bytes[OFFSET.logN]!, bytes[OFFSET.r]!, bytes[OFFSET.p]!]
  if (logN === 0 && r === 0 && p === 0 && salt.every((byte) => byte === 0)) return undefined
  const bounded =
    logN >= SCRYPT_LOG_N_MIN && logN <= SCRYPT_LOG_N_MAX && r === SCRYPT_R && p >= 1 && p <= SCRYPT_P_MAX
  if (!bounded) throw keyFileError('expected scrypt parameters within their bounds')
  return { logN, p }
}

function checksum(header: Uint8Array, secrets: Uint8Array): Uint8Array {
  return sha256(CHECKSUM_LABEL, header, secrets).slice(0, CHECKSUM_BYTES)
}

function passphraseError(what: string, hint?: string): NoisecapError {
  return new NoisecapError(
    'capability/passphrase',
    `Cannot open key file: ${what}`,
    hint === undefined ? {} : { hint },
  )
}
