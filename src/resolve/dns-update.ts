// Dynamic updates of a zone (RFC 2136), signed with TSIG: the TXT records of one name are replaced or taken away.
// An answer counts only when it is signed by the same key. Pure: id, time and bytes in, bytes or an error out.
// Leaves out the connection (dns-exchange.ts) and what the records say (dns-publisher.ts).
import { concat, EMPTY } from '../bytes.js'
import type { NoisecapError } from '../errors.js'
import { dnsError } from './dns-exchange.js'
import { codeName } from './dns-query.js'
import {
  DNS_CLASS,
  DNS_HEADER_BYTES,
  DNS_TYPE,
  DnsWireError,
  encodeName,
  encodeRecord,
  u16,
} from './dns-wire.js'
import { type SignedMessage, signMessage, TSIG_ERROR, type TsigVerdict, verifyAnswer } from './tsig.js'
import type { TsigKey } from './tsig-key.js'

/** UPDATE (RFC 2136 §1.3). */
const OPCODE_UPDATE = 5

/** One change of the TXT records at a name. */
export type DnsChange =
  /** Take away all of them (RFC 2136 §2.5.2). */
  | { readonly kind: 'clear' }
  /** Take away all of them, then add this one (RFC 2136 §2.5.1). */
  | { readonly kind: 'replace'; readonly data: Uint8Array; readonly ttlSeconds: number }
  /** Take away this one and no other (RFC 2136 §2.5.4). */
  | { readonly kind: 'remove'; readonly data: Uint8Array }

/** What an update is about. */
export interface DnsUpdate {
  readonly zone: string
  readonly name: string
  readonly change: DnsChange
}

/** A signed update.
 * @param id - 16 random bits.
 * @param nowSeconds - Unix seconds. */
export function makeUpdate(update: DnsUpdate, id: number, key: TsigKey, nowSeconds: number): SignedMessage {
  const { zone, name, change } = update
  const records = recordsOf(name, change)
  const header = [u16(id), u16(OPCODE_UPDATE << 11), u16(1), u16(0), u16(records.length), u16(0)]
  const zoneSection = [encodeName(zone), u16(DNS_TYPE.SOA), u16(DNS_CLASS.IN)]
  return signMessage(concat(...header, ...zoneSection, ...records), key, nowSeconds)
}

function recordsOf(name: string, change: DnsChange): Uint8Array[] {
  const type = DNS_TYPE.TXT
  const clear = encodeRecord({ name, type, class: DNS_CLASS.ANY, ttl: 0, data: EMPTY })
  switch (change.kind) {
    case 'clear':
      return [clear]
    case 'replace': {
      const { data, ttlSeconds: ttl } = change
      return [clear, encodeRecord({ name, type, class: DNS_CLASS.IN, ttl, data })]
    }
    case 'remove':
      return [encodeRecord({ name, type, class: DNS_CLASS.NONE, ttl: 0, data: change.data })]
  }
}

/** What the answer to `update` says: true when it was done; undefined when it is no answer to it.
 * @throws `resolve/dns` when the server refused, or did not prove that it knows the key. */
export function readUpdateAnswer(
  answer: Uint8Array,
  sent: SignedMessage,
  { zone }: DnsUpdate,
  key: TsigKey,
  nowSeconds: number,
): true | undefined {
  if (answer.length < DNS_HEADER_BYTES) return undefined
  const sameId = answer[0] === sent.message[0] && answer[1] === sent.message[1]
  const isUpdateResponse = (answer[2]! & 0xf8) === (0x80 | (OPCODE_UPDATE << 3))
  if (!sameId || !isUpdateResponse) return undefined
  const code = answer[3]! & 0x0f
  const verdict = verdictOf(answer, sent.mac, key, nowSeconds)
  switch (verdict?.kind) {
    case 'signed':
      if (code === 0) return true
      throw refused(code, zone, '')
    case 'bad_time':
      throw badTime(verdict.serverSeconds - nowSeconds)
    case 'unsigned':
      throw unsignedRefusal(verdict.error, code, zone, key)
    case 'forged':
    case undefined:
      throw dnsError('expected an answer signed with the TSIG key, got one whose signature does not hold')
  }
}

/** Undefined for what is no DNS message. */
function verdictOf(
  answer: Uint8Array,
  mac: Uint8Array,
  key: TsigKey,
  nowSeconds: number,
): TsigVerdict | undefined {
  try {
    return verifyAnswer(answer, mac, key, nowSeconds)
  } catch (error) {
    if (error instanceof DnsWireError) return undefined
    throw error
  }
}

function unsignedRefusal(
  error: number,
  code: number,
  zone: string,
  key: TsigKey,
): NoisecapError<'resolve/dns'> {
  switch (error) {
    case TSIG_ERROR.BADKEY:
      // Knot says so of a key that it knows and that may not update the zone, too.
      return dnsError(
        `the server does not know the TSIG key ${key.name} with ${key.algorithm} for zone ${zone} (BADKEY)`,
        {
          hint: 'Check name and algorithm of the key on both sides, and that the server lets it update the zone',
        },
      )
    case TSIG_ERROR.BADSIG:
      return dnsError(`the server has another secret for the TSIG key ${key.name} (BADSIG)`, {
        hint: 'Give both sides the same secret',
      })
    case TSIG_ERROR.BADTIME:
      return badTime(undefined)
    default:
      // Whoever answers without a signature may be anybody: never a success.
      if (code !== 0) return refused(code, zone, ', without a signature')
      return dnsError('expected an answer signed with the TSIG key, got one without a signature')
  }
}

function badTime(aheadSeconds: number | undefined): NoisecapError<'resolve/dns'> {
  const by = aheadSeconds === undefined ? '' : ` by ${Math.abs(aheadSeconds)} s`
  return dnsError(`the clocks of this machine and of the server differ${by} (BADTIME)`, {
    hint: 'Set the clocks',
  })
}

function refused(code: number, zone: string, how: string): NoisecapError<'resolve/dns'> {
  const hint = {
    5: 'Allow the key to update this zone in the configuration of the server',
    9: 'Ask a server that is authoritative for the zone, and name the zone as it does',
    10: 'Name the zone as the server does: the record must lie inside of it',
  }[code]
  return dnsError(
    `the server answered ${codeName(code)} to an update of zone ${zone}${how}`,
    hint === undefined ? {} : { hint },
  )
}
