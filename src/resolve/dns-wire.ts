// The parts of DNS messages that updates and their signatures need to the byte, and that dns-packet does not write: names,
// numbers and records of any class; and a strict walk over a message, to its last record. Pure.
// Source: RFC 1035 §3.1, §4.1. Leaves out questions and answers (dns-query.ts) and names with compression in what is written.
import { concat, EMPTY, utf8 } from '../bytes.js'

/** Bytes of the header of a message. */
export const DNS_HEADER_BYTES = 12
/** Numbers of types and classes (RFC 1035 §3.2, RFC 2136 §1.3, RFC 8945 §4.2). */
export const DNS_TYPE = { SOA: 6, TXT: 16, TSIG: 250 } as const
export const DNS_CLASS = { IN: 1, NONE: 254, ANY: 255 } as const

/** One record. */
export interface DnsRecord {
  readonly name: string
  readonly type: number
  readonly class: number
  readonly ttl: number
  readonly data: Uint8Array
}

/** `value` as 16 bits, big-endian. */
export function u16(value: number): Uint8Array {
  return Uint8Array.of(value >>> 8, value & 0xff)
}

/** `value` as 32 bits, big-endian. */
export function u32(value: number): Uint8Array {
  return concat(u16(Math.floor(value / 65_536)), u16(value % 65_536))
}

/** `value` as 48 bits, big-endian. */
export function u48(value: number): Uint8Array {
  return concat(u16(Math.floor(value / 2 ** 32)), u32(value % 2 ** 32))
}

/** A canonical name as labels behind their lengths, without compression. */
export function encodeName(name: string): Uint8Array {
  const labels = name.split('.').map(utf8)
  return concat(...labels.flatMap((label) => [Uint8Array.of(label.length), label]), Uint8Array.of(0))
}

/** A record with a canonical name. */
export function encodeRecord({ name, type, class: dnsClass, ttl, data }: DnsRecord): Uint8Array {
  return concat(encodeName(name), u16(type), u16(dnsClass), u32(ttl), u16(data.length), data)
}

/** Reads a message; every method throws {@link DnsWireError} where the bytes are not as they must be. */
export class DnsReader {
  readonly #bytes: Uint8Array
  #offset: number

  constructor(bytes: Uint8Array, offset = 0) {
    this.#bytes = bytes
    this.#offset = offset
  }

  get offset(): number {
    return this.#offset
  }

  get atEnd(): boolean {
    return this.#offset === this.#bytes.length
  }

  bytes(length: number): Uint8Array {
    const end = this.#offset + length
    if (end > this.#bytes.length) throw new DnsWireError()
    const bytes = this.#bytes.subarray(this.#offset, end)
    this.#offset = end
    return bytes
  }

  u16(): number {
    const [high = 0, low = 0] = this.bytes(2)
    return high * 256 + low
  }

  u32(): number {
    return this.u16() * 65_536 + this.u16()
  }

  u48(): number {
    return this.u16() * 2 ** 32 + this.u32()
  }

  /** A name without compression, in lower case; undefined for one with compression, which is skipped. */
  name(): string | undefined {
    const labels: string[] = []
    for (let length = this.bytes(1)[0]!; length !== 0; length = this.bytes(1)[0]!) {
      if (length >= 0xc0) {
        this.bytes(1)
        return undefined
      }
      if (length > 63) throw new DnsWireError()
      labels.push(String.fromCharCode(...this.bytes(length)).toLowerCase())
    }
    return labels.join('.')
  }

  /** The next record. */
  record(): Omit<DnsRecord, 'name'> & { readonly name: string | undefined } {
    const name = this.name()
    const type = this.u16()
    const dnsClass = this.u16()
    const ttl = this.u32()
    return { name, type, class: dnsClass, ttl, data: this.bytes(this.u16()) }
  }
}

/** Bytes that are no DNS message. */
export class DnsWireError extends Error {}

/** The last record of `message` and where it begins; undefined when it has none.
 * @throws DnsWireError when the message is not well-formed, or has bytes behind its last record. */
export function lastRecord(message: Uint8Array) {
  const header = new DnsReader(message)
  header.bytes(4)
  const questions = header.u16()
  const records = header.u16() + header.u16() + header.u16()
  const reader = new DnsReader(message, DNS_HEADER_BYTES)
  for (let i = 0; i < questions; i++) {
    reader.name()
    reader.bytes(4)
  }
  let last: { readonly start: number; readonly record: ReturnType<DnsReader['record']> } | undefined
  for (let i = 0; i < records; i++) {
    const start = reader.offset
    last = { start, record: reader.record() }
  }
  if (!reader.atEnd) throw new DnsWireError()
  return last
}

/** `message` with `record` behind it, counted among the additional ones. */
export function appendAdditional(message: Uint8Array, record: Uint8Array): Uint8Array {
  return withAdditionalCount(concat(message, record), new DnsReader(message, 10).u16() + 1)
}

/** `message` up to the additional record that begins at `start`, which is its last. */
export function cutAdditional(message: Uint8Array, start: number): Uint8Array {
  return withAdditionalCount(concat(message.subarray(0, start), EMPTY), new DnsReader(message, 10).u16() - 1)
}

function withAdditionalCount(message: Uint8Array, count: number): Uint8Array {
  message.set(u16(count), 10)
  return message
}
