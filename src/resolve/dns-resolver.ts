// Finds services by TXT records in DNS (spec/resolve.md §7): `<key hash>._noisecap.<zone>`, one record a service and zone.
// Asks the servers of this machine or those given, one after the other; keeps answers as long as their TTL says, within bounds.
// Node only. Leaves out messages (dns-query.ts), sockets (dns-exchange.ts) and publishing (dns-publisher.ts).
import { keyHashText } from '../capability/index.js'
import { primitives } from '../crypto/index.js'
import { NoisecapError } from '../errors.js'
import {
  DNS_MISS_TTL_MAX_SECONDS,
  DNS_RETRIES,
  DNS_SERVERS_MAX,
  DNS_TIMEOUT_MS,
  DNS_TTL_MAX_SECONDS,
  DNS_ZONES_MAX,
  RESOLVE_MISS_TTL_MS,
  RESOLVE_TTL_MS,
} from '../limits.js'
import { LocationCache } from './cache.js'
import {
  type DnsServer,
  dnsError,
  exchangeTcp,
  exchangeUdp,
  parseServer,
  serverText,
  systemServers,
} from './dns-exchange.js'
import { type DnsReply, makeQuery, readReply } from './dns-query.js'
import { judgeTexts, parseZone, recordName, type TxtVerdict } from './dns-record.js'
import { publicLocations } from './reach.js'
import type { Location, ResolveContext, Resolver } from './resolver.js'

/** How a {@link DnsResolver} asks. */
export interface DnsResolverOptions {
  /** Zones in which services publish, such as `services.example`; 1 to 8, asked at the same time. */
  readonly zones: string | readonly string[]
  /** `host:port`, asked in this order; default those of this machine's configuration. */
  readonly servers?: readonly string[] | undefined
  /** For one server, ms; default 2,000. */
  readonly timeoutMs?: number | undefined
  /** Rounds through all servers after the first; default 1. */
  readonly retries?: number | undefined
  /** `tcp` never asks over UDP; default `udp`, with TCP for what does not fit. */
  readonly transport?: 'udp' | 'tcp' | undefined
  /** Let records lead to loopback, link-local and private addresses; default false. */
  readonly allowPrivate?: boolean | undefined
  /** Unix ms. */
  readonly now?: (() => number) | undefined
}

/** What one zone says, and for how long that holds. */
interface ZoneAnswer {
  readonly locations: readonly Location[]
  readonly keepMs: number
}

/** A directory of location records in DNS. */
export class DnsResolver implements Resolver {
  readonly name: string
  readonly #zones: readonly string[]
  readonly #servers: readonly DnsServer[] | undefined
  readonly #timeoutMs: number
  readonly #retries: number
  readonly #transport: 'udp' | 'tcp'
  readonly #allowPrivate: boolean
  readonly #now: () => number
  readonly #cache: LocationCache

  /** @throws RangeError for a zone, a server or a number that cannot be. */
  constructor(options: DnsResolverOptions) {
    this.#zones = (typeof options.zones === 'string' ? [options.zones] : options.zones).map(parseZone)
    this.#servers = options.servers?.map(parseServer)
    checkCount(this.#zones.length, DNS_ZONES_MAX, 'zones')
    if (this.#servers !== undefined) checkCount(this.#servers.length, DNS_SERVERS_MAX, 'servers')
    this.#timeoutMs = options.timeoutMs ?? DNS_TIMEOUT_MS
    this.#retries = options.retries ?? DNS_RETRIES
    checkCount(this.#timeoutMs, 60_000, 'milliseconds of waiting')
    checkCount(this.#retries + 1, 10, 'rounds')
    this.#transport = options.transport ?? 'udp'
    this.#allowPrivate = options.allowPrivate ?? false
    this.#now = options.now ?? Date.now
    const from = this.#servers === undefined ? '' : ` at ${this.#servers.map(serverText).join(', ')}`
    this.name = `DNS zone ${this.#zones.join(', ')}${from}`
    const asking = { name: this.name, resolve: this.#ask.bind(this) }
    this.#cache = new LocationCache(asking, { now: this.#now })
  }

  /** The locations of the service in all zones.
   * @throws `resolve/dns` when no zone names one and at least one could not be asked. */
  async resolve(keyHash: string, context: ResolveContext): Promise<readonly Location[]> {
    if (keyHash !== keyHashText(context.publicKey))
      throw new TypeError('Cannot resolve: the key hash is not that of the public key')
    return this.#cache.resolve(keyHash, context)
  }

  /** Older records than this one are not believed any more. */
  confirm(keyHash: string, sequence: number | undefined): void {
    this.#cache.confirm(keyHash, sequence)
  }

  /** Ask anew next time. */
  forget(keyHash: string): void {
    this.#cache.forget(keyHash)
  }

  async #ask(keyHash: string, context: ResolveContext): Promise<readonly Location[]> {
    const outcomes = await Promise.allSettled(
      this.#zones.map((zone) => this.#askZone(recordName(keyHash, zone), context)),
    )
    context.signal?.throwIfAborted()
    const locations: Location[] = []
    const failures: unknown[] = []
    let keepMs = Number.POSITIVE_INFINITY
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') failures.push(outcome.reason)
      else locations.push(...outcome.value.locations)
    }
    if (locations.length === 0 && failures.length > 0) throw failures[0]
    for (const outcome of outcomes) {
      // A zone that failed may be back soon; a zone without a record says nothing about how long the others hold.
      if (outcome.status === 'rejected') keepMs = Math.min(keepMs, RESOLVE_TTL_MS)
      else if (locations.length === 0 || outcome.value.locations.length > 0)
        keepMs = Math.min(keepMs, outcome.value.keepMs)
    }
    context.keepFor?.(keepMs)
    return locations
  }

  async #askZone(name: string, context: ResolveContext): Promise<ZoneAnswer> {
    const reply = await this.#askServers(name, context.signal)
    if (reply.kind === 'none') return { locations: [], keepMs: missMs(reply.ttlSeconds) }
    const now = this.#now()
    const { best, ...others } = judgeTexts(reply.texts, context.publicKey, now)
    if (best === undefined) {
      refuse(name, others)
      return { locations: [], keepMs: RESOLVE_MISS_TTL_MS }
    }
    const all = best.locations.map((location) => ({ ...location, sequence: best.sequence }))
    // A socket of this machine is nothing that a directory elsewhere can know.
    const remote = all.filter(({ uri }) => !uri.startsWith('unix:'))
    const locations = this.#allowPrivate ? remote : publicLocations(remote)
    if (locations.length === 0) {
      throw dnsError(
        `all locations at ${name} lead to loopback or private addresses, or are of an unknown kind`,
        {
          hint: 'Allow them for this directory (allowPrivate, --dns-private) if the service is meant to be there',
        },
      )
    }
    const ttlMs = Math.min(reply.ttlSeconds, DNS_TTL_MAX_SECONDS) * 1_000
    return { locations, keepMs: Math.min(ttlMs, Math.max(0, best.expires * 1_000 - now)) }
  }

  /** Ask one server after the other until one answers. */
  async #askServers(name: string, signal: AbortSignal | undefined) {
    const servers = this.#servers ?? systemServers().slice(0, DNS_SERVERS_MAX)
    let failure = dnsError('this machine has no DNS server configured', {
      hint: 'Name one, as host:port',
    })
    for (let round = 0; round <= this.#retries; round++) {
      for (const server of servers) {
        try {
          const reply = await this.#askServer(server, name, signal)
          if (reply.kind === 'found' || reply.kind === 'none') return reply
          const reason = reply.kind === 'failed' ? reply.reason : 'a truncated answer over TCP'
          failure = dnsError(`${serverText(server)} answered ${reason} for ${name}`)
        } catch (error) {
          signal?.throwIfAborted()
          if (!(error instanceof NoisecapError) || error.code !== 'resolve/dns') throw error
          failure = error as NoisecapError<'resolve/dns'>
        }
      }
    }
    throw failure
  }

  async #askServer(server: DnsServer, name: string, signal: AbortSignal | undefined): Promise<DnsReply> {
    const [high = 0, low = 0] = primitives().randomBytes(2)
    const query = makeQuery(name, (high << 8) | low)
    const exchange = {
      message: query.bytes,
      judge: (answer: Uint8Array) => readReply(query, answer),
      timeoutMs: this.#timeoutMs,
      signal,
    }
    if (this.#transport === 'tcp') return exchangeTcp(server, exchange)
    const reply = await exchangeUdp(server, exchange)
    return reply.kind === 'truncated' ? exchangeTcp(server, exchange) : reply
  }
}

/** An error for texts that should not be passed over in silence. Records that ran out are as good as none. */
function refuse(name: string, { malformed, ahead }: Omit<TxtVerdict, 'best'>): void {
  if (malformed > 0) {
    throw new NoisecapError(
      'resolve/malformed',
      `Cannot open location record at ${name}: expected a record of this service`,
    )
  }
  if (ahead > 0) {
    throw dnsError(`expected a record of the present at ${name}, got one of the future`, {
      hint: 'Check the clock of this machine and of the one that published',
    })
  }
}

function missMs(ttlSeconds: number | undefined): number {
  return ttlSeconds === undefined
    ? RESOLVE_MISS_TTL_MS
    : Math.min(ttlSeconds, DNS_MISS_TTL_MAX_SECONDS) * 1_000
}

function checkCount(value: number, max: number, what: string): void {
  if (Number.isSafeInteger(value) && value >= 1 && value <= max) return
  throw new RangeError(`Cannot use DNS: expected 1 to ${max} ${what}, got ${value}`)
}
