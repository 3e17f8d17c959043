// A question to DNS and the judgement of what comes back (spec/resolve.md §7.3): only an answer to this very question counts,
// aliases are followed within it, sizes and counts are bounded before anything is decoded. Every byte is hostile.
// Pure; leaves out sockets (dns-exchange.ts) and the records themselves (dns-record.ts). Node only: dns-packet needs Buffer.
import { type DecodedPacket, decode, encode, RECURSION_DESIRED } from 'dns-packet'
import { concat, equalConstantTime } from '../bytes.js'
import { DNS_ALIASES_MAX, DNS_ANSWER_RECORDS_MAX, DNS_UDP_PAYLOAD_BYTES } from '../limits.js'
import { lastRecord } from './dns-wire.js'

const HEADER_BYTES = 12
/** Type and class. */
const QUESTION_TAIL_BYTES = 4

/** A question for the TXT records at one name. */
export interface DnsQuery {
  readonly name: string
  readonly bytes: Uint8Array
  /** The question section, which an answer must repeat. */
  readonly question: Uint8Array
}

/** What a server answered. */
export type DnsReply =
  /** TXT records, each with its character-strings joined. */
  | { readonly kind: 'found'; readonly texts: readonly Uint8Array[]; readonly ttlSeconds: number }
  /** There is no such name, or it has no TXT record; the time to keep that, where the answer says so. */
  | { readonly kind: 'none'; readonly ttlSeconds: number | undefined }
  /** It did not fit; ask again over TCP. */
  | { readonly kind: 'truncated' }
  /** The server cannot or will not say. */
  | { readonly kind: 'failed'; readonly reason: string }

/** A question with recursion desired and EDNS (RFC 6891).
 * @param name - in canonical form, without the final dot.
 * @param id - 16 random bits. */
export function makeQuery(name: string, id: number): DnsQuery {
  const bytes = new Uint8Array(
    encode({
      type: 'query',
      id,
      flags: RECURSION_DESIRED,
      questions: [{ type: 'TXT', class: 'IN', name }],
      additionals: [
        {
          type: 'OPT',
          name: '.',
          udpPayloadSize: DNS_UDP_PAYLOAD_BYTES,
          extendedRcode: 0,
          ednsVersion: 0,
          flags: 0,
          flag_do: false,
          options: [],
        },
      ],
    }),
  )
  // On the wire a name is one byte longer than its text with a final dot.
  const end = HEADER_BYTES + name.length + 2 + QUESTION_TAIL_BYTES
  return { name, bytes, question: bytes.slice(HEADER_BYTES, end) }
}

/** What `message` says to `query`; undefined when it is no answer to it, and so not to be believed in anything. */
export function readReply(query: DnsQuery, message: Uint8Array): DnsReply | undefined {
  if (!isAnswerTo(query, message)) return undefined
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength)
  if ((message[2]! & 0x02) !== 0) return { kind: 'truncated' }
  const records = view.getUint16(6) + view.getUint16(8) + view.getUint16(10)
  if (records > DNS_ANSWER_RECORDS_MAX) return { kind: 'failed', reason: 'too many records' }
  const packet = decodeWhole(message)
  if (packet === undefined) return undefined
  // Without EDNS the code has 4 bits, with it 8 more.
  const code = (message[3]! & 0x0f) | (extendedCode(packet) << 4)
  if (code === 3) return { kind: 'none', ttlSeconds: missTtl(packet) }
  if (code !== 0) return { kind: 'failed', reason: codeName(code) }
  return readAnswers(query.name, packet)
}

/** `message` decoded; undefined for what is not well-formed. dns-packet reads on where a TXT record is cut off, and so would
 * believe half an answer; hence the walk before. */
function decodeWhole(message: Uint8Array): DecodedPacket | undefined {
  try {
    lastRecord(message)
    return decode(Buffer.from(message))
  } catch {
    return undefined
  }
}

/** Whether id, kind and question are those of an answer to `query`. Servers repeat the question byte by byte. */
function isAnswerTo({ bytes, question }: DnsQuery, message: Uint8Array): boolean {
  if (message.length < HEADER_BYTES + question.length) return false
  const sameId = message[0] === bytes[0] && message[1] === bytes[1]
  const isQueryResponse = (message[2]! & 0xf8) === 0x80
  const oneQuestion = message[4] === 0 && message[5] === 1
  const repeated = message.subarray(HEADER_BYTES, HEADER_BYTES + question.length)
  return sameId && isQueryResponse && oneQuestion && equalConstantTime(repeated, question)
}

/** Follow aliases from `name` and collect the TXT records at their end. */
function readAnswers(name: string, packet: DecodedPacket): DnsReply {
  const aliases = new Map<string, { readonly target: string; readonly ttl: number }>()
  for (const record of packet.answers ?? []) {
    if (record.type === 'CNAME' && record.class === 'IN' && typeof record.data === 'string') {
      aliases.set(record.name.toLowerCase(), { target: record.data.toLowerCase(), ttl: record.ttl ?? 0 })
    }
  }
  let owner = name
  let ttlSeconds = Number.POSITIVE_INFINITY
  for (let hops = 0; ; hops++) {
    const alias = aliases.get(owner)
    if (alias === undefined) break
    if (hops === DNS_ALIASES_MAX) return { kind: 'failed', reason: 'too many aliases' }
    owner = alias.target
    ttlSeconds = Math.min(ttlSeconds, readTtl(alias.ttl))
  }
  const texts: Uint8Array[] = []
  for (const record of packet.answers ?? []) {
    if (record.type !== 'TXT' || record.class !== 'IN' || record.name.toLowerCase() !== owner) continue
    texts.push(concat(...(record.data as readonly Uint8Array[])))
    ttlSeconds = Math.min(ttlSeconds, readTtl(record.ttl ?? 0))
  }
  if (texts.length > 0) return { kind: 'found', texts, ttlSeconds }
  const authorities = packet.authorities ?? []
  const hasSoa = authorities.some(({ type }) => type === 'SOA')
  if (!hasSoa && owner !== name) return { kind: 'failed', reason: 'an alias that it did not follow' }
  // RFC 2308 §2.2: name servers and no SOA are a referral, which a server that resolves does not give.
  if (!hasSoa && authorities.some(({ type }) => type === 'NS'))
    return { kind: 'failed', reason: 'a referral' }
  return { kind: 'none', ttlSeconds: missTtl(packet) }
}

/** The lesser of the SOA's minimum and its own TTL (RFC 2308 §5). */
function missTtl({ authorities = [] }: DecodedPacket): number | undefined {
  for (const record of authorities) {
    if (record.type !== 'SOA') continue
    return Math.min(readTtl(record.ttl ?? 0), readTtl(record.data.minimum ?? 0))
  }
  return undefined
}

/** A TTL with the highest bit set counts as 0 (RFC 2181 §8). */
function readTtl(ttl: number): number {
  return ttl >= 2 ** 31 ? 0 : ttl
}

function extendedCode({ additionals = [] }: DecodedPacket): number {
  for (const record of additionals) if (record.type === 'OPT') return record.extendedRcode
  return 0
}

/** Name of a response code (RFC 1035 §4.1.1, RFC 2136 §2.2, RFC 6891 §9). */
export function codeName(code: number): string {
  const name = [
    'NOERROR',
    'FORMERR',
    'SERVFAIL',
    'NXDOMAIN',
    'NOTIMP',
    'REFUSED',
    'YXDOMAIN',
    'YXRRSET',
    'NXRRSET',
    'NOTAUTH',
    'NOTZONE',
  ][code]
  return name ?? (code === 16 ? 'BADVERS' : `response code ${code}`)
}
