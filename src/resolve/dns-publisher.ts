// Publishes location records in DNS by dynamic update (spec/resolve.md §7.5): one record a service and zone. A withdrawal takes
// away the record that this publisher wrote, and not the one that a successor has put in its place.
// Node only. Leaves out when an announcement is refreshed (announcement.ts) and messages (dns-update.ts).
import { keyHashText } from '../capability/index.js'
import { type PublicKey, primitives } from '../crypto/index.js'
import {
  DNS_EXPIRY_SECONDS,
  DNS_PUBLISH_TTL_SECONDS,
  DNS_UPDATE_TIMEOUT_MS,
  LOCATION_RECORD_MAX_SECONDS,
} from '../limits.js'
import { FreshAnnouncement } from './announcement.js'
import { type DnsServer, exchangeTcp, parseServer, serverText } from './dns-exchange.js'
import { encodeTxt, parseZone, recordName } from './dns-record.js'
import { type DnsChange, makeUpdate, readUpdateAnswer } from './dns-update.js'
import { type AnnouncedLocation, type LocationRecord, RECORD_SALT_BYTES, sealRecord } from './record.js'
import type { Announcement, Announcer } from './resolver.js'
import type { TsigKey } from './tsig-key.js'

/** How a {@link DnsPublisher} works. */
export interface DnsPublisherOptions {
  /** The zone as its server names it, such as `services.example`. */
  readonly zone: string
  /** `host:port` of the server that takes updates, the primary one. */
  readonly server: string
  /** Shared with that server; kept, not copied. */
  readonly key: TsigKey
  /** How long resolvers may keep the record, seconds; default 300, at most the life of the record. */
  readonly ttlSeconds?: number | undefined
  /** Life of a record that is not refreshed, seconds, at most 7 days; default 1 hour. An announcement is refreshed at a third. */
  readonly expirySeconds?: number | undefined
  /** What to publish instead of the locations that are announced, such as a public name before a proxy. */
  readonly advertise?: ((bound: readonly AnnouncedLocation[]) => readonly AnnouncedLocation[]) | undefined
  /** For one update, ms; default 5,000. */
  readonly timeoutMs?: number | undefined
  /** Told when a refresh fails; the next one is tried all the same. */
  readonly onRefreshError?: ((error: unknown) => void) | undefined
  /** Unix ms. */
  readonly now?: (() => number) | undefined
}

/** A zone in which services are made findable. */
export class DnsPublisher implements Announcer {
  readonly name: string
  readonly #zone: string
  readonly #server: DnsServer
  readonly #key: TsigKey
  readonly #ttlSeconds: number
  readonly #expirySeconds: number
  readonly #advertise: (bound: readonly AnnouncedLocation[]) => readonly AnnouncedLocation[]
  readonly #timeoutMs: number
  readonly #onRefreshError: (error: unknown) => void
  readonly #now: () => number

  /** @throws RangeError for a zone, a server or a number that cannot be. */
  constructor(options: DnsPublisherOptions) {
    this.#zone = parseZone(options.zone)
    this.#server = parseServer(options.server)
    this.name = `DNS zone ${this.#zone} at ${serverText(this.#server)}`
    this.#key = options.key
    this.#expirySeconds = options.expirySeconds ?? DNS_EXPIRY_SECONDS
    this.#ttlSeconds = options.ttlSeconds ?? Math.min(DNS_PUBLISH_TTL_SECONDS, this.#expirySeconds)
    checkSeconds(this.#expirySeconds, 1, LOCATION_RECORD_MAX_SECONDS, 'an expiry')
    // Longer than the record lives, a resolver would only keep what has run out.
    checkSeconds(this.#ttlSeconds, 0, this.#expirySeconds, 'a TTL')
    this.#advertise = options.advertise ?? ((bound) => bound)
    this.#timeoutMs = options.timeoutMs ?? DNS_UPDATE_TIMEOUT_MS
    this.#onRefreshError = options.onRefreshError ?? (() => {})
    this.#now = options.now ?? Date.now
  }

  /** Announce `locations` until withdrawn, or until the record runs out when this process is gone.
   * @throws RangeError when they cannot stand in a record; `resolve/dns` when the server does not take them. */
  async announce(publicKey: PublicKey, locations: readonly AnnouncedLocation[]): Promise<Announcement> {
    const keyHash = keyHashText(publicKey)
    let written: Uint8Array | undefined
    return FreshAnnouncement.start({
      locations,
      write: async (current) => {
        const { data } = this.#seal(publicKey, this.#advertise(current))
        await this.#update(keyHash, { kind: 'replace', data, ttlSeconds: this.#ttlSeconds })
        written = data
      },
      remove: async () => {
        if (written !== undefined) await this.#update(keyHash, { kind: 'remove', data: written })
        written = undefined
      },
      refreshMs: (this.#expirySeconds * 1_000) / 3,
      onRefreshError: this.#onRefreshError,
    })
  }

  /** Publish `locations` once, as they are; nothing is refreshed.
   * @returns the record that was published, and at which name.
   * @throws as {@link announce}. */
  async publish(
    publicKey: PublicKey,
    locations: readonly AnnouncedLocation[],
  ): Promise<LocationRecord & { readonly name: string }> {
    const keyHash = keyHashText(publicKey)
    const { record, data } = this.#seal(publicKey, locations)
    await this.#update(keyHash, { kind: 'replace', data, ttlSeconds: this.#ttlSeconds })
    return { ...record, name: recordName(keyHash, this.#zone) }
  }

  /** Take away every record of the service in this zone, whoever wrote it.
   * @returns the name at which they stood.
   * @throws `resolve/dns` when the server does not do it. */
  async withdraw(publicKey: PublicKey): Promise<string> {
    const keyHash = keyHashText(publicKey)
    await this.#update(keyHash, { kind: 'clear' })
    return recordName(keyHash, this.#zone)
  }

  #seal(publicKey: PublicKey, locations: readonly AnnouncedLocation[]) {
    const sequence = this.#now()
    const record = { sequence, expires: Math.floor(sequence / 1_000) + this.#expirySeconds, locations }
    const salt = primitives().randomBytes(RECORD_SALT_BYTES)
    return { record, data: encodeTxt(sealRecord(publicKey, record, salt)) }
  }

  /** Over TCP always: records do not fit into a datagram for long, and an update should not run twice. */
  async #update(keyHash: string, change: DnsChange): Promise<void> {
    const update = { zone: this.#zone, name: recordName(keyHash, this.#zone), change }
    const [high = 0, low = 0] = primitives().randomBytes(2)
    const sent = makeUpdate(update, (high << 8) | low, this.#key, this.#nowSeconds())
    await exchangeTcp(this.#server, {
      message: sent.message,
      judge: (answer) => readUpdateAnswer(answer, sent, update, this.#key, this.#nowSeconds()),
      timeoutMs: this.#timeoutMs,
    })
  }

  #nowSeconds(): number {
    return Math.floor(this.#now() / 1_000)
  }
}

function checkSeconds(value: number, min: number, max: number, what: string): void {
  if (Number.isSafeInteger(value) && value >= min && value <= max) return
  throw new RangeError(`Cannot publish in DNS: expected ${what} of ${min} to ${max} s, got ${value}`)
}
