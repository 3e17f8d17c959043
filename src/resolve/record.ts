// The location record: what a service says about where it lives, sealed under a key that follows from its public key, so
// that a directory holds a hash and ciphertext (spec/resolve.md §3). Pure: time and randomness are arguments.
// Whoever knows the public key can make one. It can mislead, never impersonate: the handshake decides who answers.
import { concat, label, wipe } from '../bytes.js'
import { keyHash } from '../capability/index.js'
import {
  AEAD_NONCE_BYTES,
  AEAD_TAG_BYTES,
  type AeadKey,
  type PublicKey,
  primitives,
} from '../crypto/index.js'
import type { Dcbor } from '../dcbor.js'
import { NoisecapError } from '../errors.js'
import {
  CLOCK_LEEWAY_SECONDS,
  LOCATION_RANK_MAX,
  LOCATION_RECORD_MAX_BYTES,
  LOCATION_RECORD_MAX_SECONDS,
  LOCATION_RECORD_PADDING_BYTES,
  LOCATION_SEQUENCE_AHEAD_MAX_MS,
  LOCATIONS_MAX,
} from '../limits.js'
import { isLocation } from '../location.js'
import { decodePaddedItem, encodePaddedItem } from '../padded-item.js'

/** One location as its service announces it. */
export interface AnnouncedLocation {
  readonly uri: string
  /** 0 to 65,535; lower ones are tried first. */
  readonly priority: number
  /** 0 to 65,535; share of the first tries among equal priorities. */
  readonly weight: number
}

/** What a record says. */
export interface LocationRecord {
  /** Unix ms at which it was made; of two records the higher one counts. */
  readonly sequence: number
  /** Unix seconds, at most 7 days after `sequence`. */
  readonly expires: number
  readonly locations: readonly AnnouncedLocation[]
}

/** Salt of a record, bytes; fresh for each, since the key is used with one nonce. */
export const RECORD_SALT_BYTES = 32
const VERSION = Uint8Array.of(1)
const RECORD_LABEL = label('noisecap/v1 location')
const NONCE = new Uint8Array(AEAD_NONCE_BYTES)
const HEADER_BYTES = VERSION.length + RECORD_SALT_BYTES

/** `record` sealed for those who know `publicKey`: version ‖ salt ‖ ciphertext.
 * @param salt - 32 fresh random bytes, never used before.
 * @throws RangeError when a field breaks a rule of spec/resolve.md §3. */
export function sealRecord(publicKey: PublicKey, record: LocationRecord, salt: Uint8Array): Uint8Array {
  const problem = problemOf(record)
  if (problem !== undefined) throw new RangeError(`Cannot seal location record: expected ${problem}`)
  if (salt.length !== RECORD_SALT_BYTES) {
    throw new RangeError(`Cannot seal location record: expected ${RECORD_SALT_BYTES} bytes of salt`)
  }
  const plaintext = encodePaddedItem(toDcbor(record), LOCATION_RECORD_PADDING_BYTES)
  const sealed = new Uint8Array(HEADER_BYTES + plaintext.length + AEAD_TAG_BYTES)
  sealed.set(VERSION)
  sealed.set(salt, VERSION.length)
  withRecordKey(publicKey, salt, (key) => {
    key.seal(NONCE, adOf(publicKey), plaintext, sealed.subarray(HEADER_BYTES))
  })
  return sealed
}

/** What `bytes` say about the service of `publicKey`.
 * Says nothing about time: see {@link judgeRecord}.
 * @throws `resolve/malformed` when they are no record of that service, without saying why. */
export function openRecord(publicKey: PublicKey, bytes: Uint8Array): LocationRecord {
  const length = bytes.length - HEADER_BYTES - AEAD_TAG_BYTES
  if (length <= 0 || bytes.length > LOCATION_RECORD_MAX_BYTES || bytes[0] !== VERSION[0]) throw malformed()
  const salt = bytes.subarray(VERSION.length, HEADER_BYTES)
  const plaintext = new Uint8Array(length)
  const opened = withRecordKey(publicKey, salt, (key) =>
    key.open(NONCE, adOf(publicKey), bytes.subarray(HEADER_BYTES), plaintext),
  )
  const record = opened ? fromDcbor(decodePaddedItem(plaintext, LOCATION_RECORD_PADDING_BYTES)) : undefined
  if (record === undefined || problemOf(record) !== undefined) throw malformed()
  return record
}

/** Whether `record` counts at `nowMs` (Unix ms): `ahead` is one whose sequence lies too far in the future. */
export function judgeRecord(record: LocationRecord, nowMs: number): 'current' | 'expired' | 'ahead' {
  if (record.sequence > nowMs + LOCATION_SEQUENCE_AHEAD_MAX_MS) return 'ahead'
  return nowMs >= (record.expires + CLOCK_LEEWAY_SECONDS) * 1_000 ? 'expired' : 'current'
}

/** recordKey = HMAC(H("noisecap/v1 location\0" ‖ public key), salt). */
function withRecordKey<T>(publicKey: PublicKey, salt: Uint8Array, use: (key: AeadKey) => T): T {
  const hash = primitives().hash('SHA256')
  const recordKey = hash.hmac(hash.hash(RECORD_LABEL, publicKey), salt)
  const key = primitives().aead('ChaChaPoly').withKey(recordKey)
  try {
    return use(key)
  } finally {
    key[Symbol.dispose]()
    wipe(recordKey)
  }
}

/** Bound to the service, so that a directory cannot hand out one service's record as another's. */
function adOf(publicKey: PublicKey): Uint8Array {
  return concat(VERSION, keyHash(publicKey))
}

function toDcbor({ sequence, expires, locations }: LocationRecord): Dcbor {
  return [sequence, expires, locations.map(({ uri, priority, weight }) => [uri, priority, weight])]
}

function fromDcbor(item: Dcbor | undefined): LocationRecord | undefined {
  if (!isList(item) || item.length !== 3) return undefined
  const [sequence, expires, list] = item
  if (typeof sequence !== 'number' || typeof expires !== 'number' || !isList(list)) return undefined
  const locations: AnnouncedLocation[] = []
  for (const entry of list) {
    if (!isList(entry) || entry.length !== 3) return undefined
    const [uri, priority, weight] = entry
    if (typeof uri !== 'string' || typeof priority !== 'number' || typeof weight !== 'number')
      return undefined
    locations.push({ uri, priority, weight })
  }
  return { sequence, expires, locations }
}

function isList(item: Dcbor | undefined): item is readonly Dcbor[] {
  return Array.isArray(item)
}

/** What should have stood in `record`, undefined when all is well. */
function problemOf({ sequence, expires, locations }: LocationRecord): string | undefined {
  if (!isCount(sequence, Number.MAX_SAFE_INTEGER)) return 'a sequence in whole Unix milliseconds'
  const life = expires - Math.floor(sequence / 1_000)
  if (!Number.isSafeInteger(expires) || life <= 0 || life > LOCATION_RECORD_MAX_SECONDS) {
    return `an expiry in whole Unix seconds, at most ${LOCATION_RECORD_MAX_SECONDS} s after the sequence`
  }
  if (locations.length === 0 || locations.length > LOCATIONS_MAX) return `1 to ${LOCATIONS_MAX} locations`
  for (const { uri, priority, weight } of locations) {
    if (!isLocation(uri)) return 'locations of the form scheme:rest in printable ASCII'
    if (!isCount(priority, LOCATION_RANK_MAX) || !isCount(weight, LOCATION_RANK_MAX)) {
      return `priority and weight from 0 to ${LOCATION_RANK_MAX}`
    }
  }
  if (new Set(locations.map(({ uri }) => uri)).size !== locations.length) return 'every location once'
  return undefined
}

function isCount(value: number, max: number): boolean {
  return Number.isSafeInteger(value) && value >= 0 && value <= max
}

function malformed(): NoisecapError<'resolve/malformed'> {
  return new NoisecapError(
    'resolve/malformed',
    'Cannot open location record: expected a record of this service',
  )
}
