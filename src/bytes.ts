// Byte-string primitives shared by every layer: concatenation, constant-time comparison, wiping,
// UTF-8 and the two text encodings of the protocol (base32 for key hashes, base64url for tokens).
// Leaves out CBOR (src/dcbor.ts, src/rpc) and anything that needs a key.
import { base32nopad, base64, base64urlnopad } from '@scure/base'

/** The empty byte string, shared. */
export const EMPTY: Uint8Array = new Uint8Array(0)

const encoder = new TextEncoder()
const strictDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** UTF-8 bytes of `text`; lone surrogates become U+FFFD. */
export function utf8(text: string): Uint8Array {
  return encoder.encode(text)
}

/** Text of strict UTF-8 `bytes`.
 * @throws TypeError when the bytes are not valid UTF-8. */
export function utf8Decode(bytes: Uint8Array): string {
  return strictDecoder.decode(bytes)
}

/** A domain-separation label: the ASCII text with the zero byte that ends every label (spec/capability.md §1). */
export function label(text: string): Uint8Array {
  return utf8(`${text}\0`)
}

/** All `parts` in one new array. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const part of parts) length += part.length
  const out = new Uint8Array(length)
  let offset = 0
  for (const part of parts) {
    out.set(part, offset)
    offset += part.length
  }
  return out
}

/** Whether `a` and `b` hold the same bytes, in time that depends on their lengths only. */
export function equalConstantTime(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  let difference = 0
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ b[i]!
  return difference === 0
}

/** Overwrite secrets with zeros; best effort in JavaScript (SECURITY.md). */
export function wipe(...secrets: readonly Uint8Array[]): void {
  for (const secret of secrets) secret.fill(0)
}

/** Lower-case base32 without padding (RFC 4648 §6). */
export function base32Encode(bytes: Uint8Array): string {
  return base32nopad.encode(bytes).toLowerCase()
}

/** Bytes of lower-case base32 without padding.
 * @throws TypeError when `text` is not canonical lower-case base32. */
export function base32Decode(text: string): Uint8Array {
  if (!/^[a-z2-7]*$/.test(text)) throw new TypeError('Cannot decode base32: expected only a-z and 2-7')
  return decodeWith(() => base32nopad.decode(text.toUpperCase()), 'base32')
}

/** base64url without padding (RFC 4648 §5). */
export function base64urlEncode(bytes: Uint8Array): string {
  return base64urlnopad.encode(bytes)
}

/** Bytes of base64url without padding.
 * @throws TypeError when `text` is not canonical base64url. */
export function base64urlDecode(text: string): Uint8Array {
  return decodeWith(() => base64urlnopad.decode(text), 'base64url')
}

/** Bytes of base64 with padding (RFC 4648 §4).
 * @throws TypeError when `text` is not canonical base64. */
export function base64Decode(text: string): Uint8Array {
  return decodeWith(() => base64.decode(text), 'padded base64')
}

/** Run `decode`, replacing errors that would echo the input, which may be a secret. */
function decodeWith(decode: () => Uint8Array, name: string): Uint8Array {
  try {
    return decode()
  } catch {
    throw new TypeError(`Cannot decode ${name}: expected canonical unpadded ${name}`)
  }
}

const hexOfByte: readonly string[] = Array.from({ length: 256 }, (_, byte) =>
  byte.toString(16).padStart(2, '0'),
)

/** Lower-case hexadecimal. */
export function hexEncode(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += hexOfByte[byte]
  return text
}

/** Bytes of hexadecimal text of even length.
 * @throws TypeError when `text` is anything else. */
export function hexDecode(text: string): Uint8Array {
  if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text)) {
    throw new TypeError('Cannot decode hexadecimal: expected an even number of the digits 0-9 and a-f')
  }
  const out = new Uint8Array(text.length / 2)
  for (let i = 0; i < out.length; i++) out[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16)
  return out
}

/** New memory that holds anything, for whoever writes all of it before somebody else sees it: where there is a lot of it, zeros
 * cost as much as copying. */
export function unwritten(length: number): Uint8Array<ArrayBuffer> {
  const { Buffer: NodeBuffer } = globalThis as { Buffer?: typeof Buffer }
  if (NodeBuffer === undefined) return new Uint8Array(length)
  return new Uint8Array(NodeBuffer.allocUnsafeSlow(length).buffer)
}
