// TSIG (RFC 8945): an HMAC under a shared key behind a DNS message, and the check of the one behind its answer.
// dns-packet knows no TSIG, and no maintained package for Node does. Pure: time is an argument.
// Leaves out the keys (tsig-key.ts), truncated MACs (refused) and answers in several messages (updates have none).
import { concat, EMPTY, equalConstantTime } from '../bytes.js'
import { TSIG_FUDGE_SECONDS } from '../limits.js'
import {
  appendAdditional,
  cutAdditional,
  DNS_CLASS,
  DNS_TYPE,
  DnsReader,
  encodeName,
  encodeRecord,
  lastRecord,
  u16,
  u32,
  u48,
} from './dns-wire.js'
import type { TsigKey } from './tsig-key.js'

/** Error field of a TSIG record (RFC 8945 §3, §5.2). */
export const TSIG_ERROR = { BADSIG: 16, BADKEY: 17, BADTIME: 18, BADTRUNC: 22 } as const

/** What a TSIG record says besides its MAC. */
interface TsigFields {
  readonly timeSigned: number
  readonly fudge: number
  readonly error: number
  readonly other: Uint8Array
}

/** A message with its signature, and the MAC that its answer will cover. */
export interface SignedMessage {
  readonly message: Uint8Array
  readonly mac: Uint8Array
}

/** How the answer to a signed message is signed. */
export type TsigVerdict =
  /** By the key, for this request, and in time. */
  | { readonly kind: 'signed' }
  /** Not at all, as servers do that do not know the key (BADKEY) or could not verify the request (BADSIG). */
  | { readonly kind: 'unsigned'; readonly error: number }
  /** By the key: the server's clock (Unix seconds) is too far from the time of the request. */
  | { readonly kind: 'bad_time'; readonly serverSeconds: number }
  /** In no way that can be believed. */
  | { readonly kind: 'forged' }

/** Sign `message` (RFC 8945 §5.1).
 * @param nowSeconds - Unix seconds. */
export function signMessage(message: Uint8Array, key: TsigKey, nowSeconds: number): SignedMessage {
  const fields = { timeSigned: nowSeconds, fudge: TSIG_FUDGE_SECONDS, error: 0, other: EMPTY }
  const mac = key.mac(message, variables(key, fields))
  const id = message.subarray(0, 2)
  const data = concat(
    encodeName(key.algorithm),
    u48(fields.timeSigned),
    u16(fields.fudge),
    u16(mac.length),
    mac,
    id,
    u16(fields.error),
    u16(fields.other.length),
    fields.other,
  )
  const record = encodeRecord({ name: key.name, type: DNS_TYPE.TSIG, class: DNS_CLASS.ANY, ttl: 0, data })
  return { message: appendAdditional(message, record), mac }
}

/** Check the answer to a signed message (RFC 8945 §5.3, §5.4).
 * @param requestMac - MAC of the request, which the answer's MAC covers.
 * @throws DnsWireError when the answer is no DNS message. */
export function verifyAnswer(
  answer: Uint8Array,
  requestMac: Uint8Array,
  key: TsigKey,
  nowSeconds: number,
): TsigVerdict {
  const last = lastRecord(answer)
  if (last === undefined || last.record.type !== DNS_TYPE.TSIG) return { kind: 'unsigned', error: 0 }
  const reader = new DnsReader(last.record.data)
  const algorithm = reader.name()
  const timeSigned = reader.u48()
  const fudge = reader.u16()
  const mac = reader.bytes(reader.u16())
  const originalId = reader.bytes(2)
  const error = reader.u16()
  const other = reader.bytes(reader.u16())
  const sameKey = last.record.name === key.name && algorithm === key.algorithm
  const wellFormed = reader.atEnd && last.record.class === DNS_CLASS.ANY && last.record.ttl === 0
  if (!wellFormed || !equalConstantTime(originalId, answer.subarray(0, 2))) return { kind: 'forged' }
  if (mac.length === 0) return { kind: 'unsigned', error }
  const unsigned = cutAdditional(answer, last.start)
  const fields = { timeSigned, fudge, error, other }
  const expected = key.mac(u16(requestMac.length), requestMac, unsigned, variables(key, fields))
  // A shorter MAC is a truncated one, which nobody asked for.
  if (!sameKey || !equalConstantTime(mac, expected)) return { kind: 'forged' }
  if (error === TSIG_ERROR.BADTIME) {
    return { kind: 'bad_time', serverSeconds: other.length === 6 ? new DnsReader(other).u48() : timeSigned }
  }
  const late = Math.abs(nowSeconds - timeSigned) > Math.min(fudge, TSIG_FUDGE_SECONDS)
  return late || error !== 0 ? { kind: 'forged' } : { kind: 'signed' }
}

/** What the MAC covers besides the messages (RFC 8945 §4.3.3). */
function variables(key: TsigKey, { timeSigned, fudge, error, other }: TsigFields): Uint8Array {
  return concat(
    encodeName(key.name),
    u16(DNS_CLASS.ANY),
    u32(0),
    encodeName(key.algorithm),
    u48(timeSigned),
    u16(fudge),
    u16(error),
    u16(other.length),
    other,
  )
}
