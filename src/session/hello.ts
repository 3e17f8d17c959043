// The bytes of the hello and of the padded handshake payloads (spec/session.md §3), and mac1, which lets a service
// refuse strangers after one HMAC. Leaves out Noise itself (client-handshake.ts, server-handshake.ts).

import { concat, EMPTY, equalConstantTime } from '../bytes.js'
import { CONTACT_TAG_BYTES, type PatternName } from '../capability/index.js'
import { type PublicKey, primitives } from '../crypto/index.js'
import { HANDSHAKE_PADDING_BYTES, HELLO_MAX_BYTES, LOCATOR_MAX_BYTES } from '../limits.js'
import {
  HELLO_HEADER_BYTES,
  KEY_BYTES,
  LABELS,
  MAC1_BYTES,
  nameOfCode,
  PATTERNS,
  SUITE,
  TAG_BYTES,
  VERSION,
} from './wire.js'

/** Smallest hello there is: header, e, one padded payload, its tag and mac1. */
export const HELLO_MIN_BYTES =
  HELLO_HEADER_BYTES + KEY_BYTES + HANDSHAKE_PADDING_BYTES + TAG_BYTES + MAC1_BYTES

const LENGTH_BYTES = 2
const patternCodes = Object.fromEntries(
  Object.entries(PATTERNS).map(([name, { code }]) => [name, code]),
) as Record<PatternName, number>

/** Contents of message 1 inside the encryption. */
export interface HelloPayload {
  readonly locator: Uint8Array
  readonly proof: Uint8Array
  readonly parameters: Uint8Array
  /** Early data; empty in this version. */
  readonly early: Uint8Array
}

/** What stands in clear before e: version, pattern and suite, and with KK the contact tag.
 * @param contactTag - 16 bytes for KK, empty for every other pattern. */
export function helloHeader(pattern: PatternName, contactTag: Uint8Array = EMPTY): Uint8Array {
  return concat(Uint8Array.of(VERSION, PATTERNS[pattern].code, SUITE), contactTag)
}

/** Noise prologue of a session: all that the hello says in clear before e, and the service's name. */
export function prologue(header: Uint8Array, keyHash: Uint8Array): Uint8Array {
  return concat(LABELS.prologue, header, keyHash)
}

/** The key of mac1 for one service; computed once per service, or once per dial. */
export function mac1Key(publicKey: PublicKey): Uint8Array {
  return primitives().hash('SHA256').hash(LABELS.mac1, publicKey)
}

/** The hello: header, Noise message 1, mac1 over both. */
export function encodeHello(header: Uint8Array, message1: Uint8Array, key: Uint8Array): Uint8Array {
  const mac1 = primitives().hash('SHA256').hmac(key, header, message1).subarray(0, MAC1_BYTES)
  return concat(header, message1, mac1)
}

/** Whether the hello's mac1 was made under `key`, in constant time. */
export function mac1Matches(hello: Uint8Array, key: Uint8Array): boolean {
  const end = hello.length - MAC1_BYTES
  const mac1 = primitives().hash('SHA256').hmac(key, hello.subarray(0, end))
  return equalConstantTime(mac1.subarray(0, MAC1_BYTES), hello.subarray(end))
}

/** The parts of a hello that stand in clear. */
export interface HelloParts {
  readonly pattern: PatternName
  readonly header: Uint8Array
  /** KK: 16 bytes; empty otherwise. */
  readonly contactTag: Uint8Array
  readonly ephemeral: Uint8Array
  readonly message1: Uint8Array
}

/** The parts of a hello as views, or undefined when its form is not that of this version. */
export function parseHello(hello: Uint8Array): HelloParts | undefined {
  if (hello.length < HELLO_MIN_BYTES || hello.length > HELLO_MAX_BYTES) return undefined
  const pattern = nameOfCode(patternCodes, hello[1])
  if (hello[0] !== VERSION || hello[2] !== SUITE || pattern === undefined) return undefined
  // The shortest hello has more bytes than tag and e together: none of these views is cut short.
  const headerEnd = HELLO_HEADER_BYTES + (pattern === 'KK' ? CONTACT_TAG_BYTES : 0)
  return {
    pattern,
    header: hello.subarray(0, headerEnd),
    contactTag: hello.subarray(HELLO_HEADER_BYTES, headerEnd),
    ephemeral: hello.subarray(headerEnd, headerEnd + KEY_BYTES),
    message1: hello.subarray(headerEnd, hello.length - MAC1_BYTES),
  }
}

/** The payload of message 1: three counted fields and the proof, padded.
 * @throws RangeError when it would not fit a hello. */
export function encodeHelloPayload(payload: HelloPayload): Uint8Array {
  const { locator, proof, parameters, early } = payload
  return pad(
    concat(u16(locator.length), locator, proof, u16(parameters.length), parameters, u16(early.length), early),
  )
}

/** The fields of message 1's payload as views, or undefined when malformed. */
export function decodeHelloPayload(padded: Uint8Array): HelloPayload | undefined {
  const content = unpad(padded)
  if (content === undefined) return undefined
  const reader = new FieldReader(content)
  const locator = reader.counted()
  const proof = reader.take(KEY_BYTES)
  const parameters = reader.counted()
  const early = reader.counted()
  if (!locator || !proof || !parameters || !early || !reader.atEnd) return undefined
  if (locator.length > LOCATOR_MAX_BYTES) return undefined
  return { locator, proof, parameters, early }
}

/** u16 length ‖ content ‖ zeros, to a multiple of 256 bytes, so that lengths tell little. */
export function pad(content: Uint8Array): Uint8Array {
  const padded =
    Math.ceil((LENGTH_BYTES + content.length) / HANDSHAKE_PADDING_BYTES) * HANDSHAKE_PADDING_BYTES
  if (padded > HELLO_MAX_BYTES) {
    throw new RangeError(
      `Cannot pad handshake payload: expected at most ${HELLO_MAX_BYTES} bytes, got ${padded}`,
    )
  }
  const out = new Uint8Array(padded)
  out.set(u16(content.length))
  out.set(content, LENGTH_BYTES)
  return out
}

/** The content of a padded payload, or undefined when the padding is not exactly what {@link pad} writes. */
export function unpad(padded: Uint8Array): Uint8Array | undefined {
  const content = new FieldReader(padded).counted()
  if (content === undefined) return undefined
  const used = LENGTH_BYTES + content.length
  const expected = Math.ceil(used / HANDSHAKE_PADDING_BYTES) * HANDSHAKE_PADDING_BYTES
  if (padded.length !== expected) return undefined
  for (let i = used; i < padded.length; i++) if (padded[i] !== 0) return undefined
  return content
}

/** Big-endian u16. */
export function u16(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value & 0xff)
}

/** Reads counted fields; every method gives undefined once the bytes run out. */
class FieldReader {
  #offset = 0
  readonly #bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get atEnd(): boolean {
    return this.#offset === this.#bytes.length
  }

  take(length: number): Uint8Array | undefined {
    const end = this.#offset + length
    if (end > this.#bytes.length) return undefined
    const part = this.#bytes.subarray(this.#offset, end)
    this.#offset = end
    return part
  }

  counted(): Uint8Array | undefined {
    const length = this.take(LENGTH_BYTES)
    return length && this.take((length[0]! << 8) | length[1]!)
  }
}
