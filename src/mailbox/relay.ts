// A relay (spec/mailbox.md §7): offers boxes on a service. It keeps nothing but what its store keeps and the service's key, so
// several relays with one key and one store that several processes may use serve the same boxes.
// Leaves out the objects of a box (relay-box.ts, relay-collect.ts).
import { hexEncode } from '../bytes.js'
import type { Capability } from '../capability/index.js'
import { type Clock, letGo, SYSTEM_CLOCK, type Timer } from '../clock.js'
import { primitives } from '../crypto/index.js'
import {
  MAILBOX_BOX_BYTES,
  MAILBOX_BOX_DELIVERIES,
  MAILBOX_BOX_MESSAGES,
  MAILBOX_SWEEP_MAX,
  MAILBOX_SWEEP_MS,
  MAILBOX_TTL_SECONDS,
} from '../limits.js'
import type { Offer, OfferMintOptions } from '../offer.js'
import { type Calls, Failure, type Interface, type Methods } from '../rpc/index.js'
import type { Service } from '../service.js'
import { aliasHash, aliasText, newAlias, parseAlias } from './alias.js'
import { CollectInterface, DepositInterface, NotifyInterface, RelayInterface } from './interfaces.js'
import { DepositObject, gone, NotifyObject, type RelayHost, tellFailures } from './relay-box.js'
import { CollectObject } from './relay-collect.js'
import { SteadyClock } from './steady-clock.js'
import type { AliasEntry, BoxLimits, MailboxStore, Role } from './store.js'

const BOX_ID_BYTES = 16

/** Options of a relay. */
export interface RelayOptions {
  /** What a box gets that asks for nothing else, and the most that it can ask for. `ordered` is a default only. */
  readonly limits?: Partial<BoxLimits> | undefined
  /** Location hints in capabilities; default none, so that clients take those of the capability they opened the box with. */
  readonly at?: readonly string[] | undefined
  readonly clock?: Clock | undefined
  /** Told when sweeping fails; the store is tried again later. Default: nobody. */
  readonly onSweepFailed?: ((error: unknown) => void) | undefined
}

/** Serves boxes until it is closed; its service and its store are closed by their owner, after it. */
export class Relay implements AsyncDisposable {
  /** Mints capabilities for opening boxes. */
  readonly boxes: Offer<Calls<(typeof RelayInterface)['declared']>, unknown>
  readonly #service: Service
  readonly #store: MailboxStore
  readonly #options: RelayOptions
  readonly #clock: Clock
  readonly #now: () => number
  readonly #offers: Readonly<Record<Role, Offer<unknown, { readonly alias: string }>>>
  readonly #host: RelayHost
  #timer: Timer | undefined
  #sweeping: Promise<void> | undefined
  #closed = false

  /** Offer `relay`, `deposit/:alias`, `collect/:alias` and `notify/:alias` on `service`. */
  constructor(service: Service, store: MailboxStore, options: RelayOptions = {}) {
    this.#service = service
    this.#store = store
    this.#options = options
    this.#clock = options.clock ?? SYSTEM_CLOCK
    const steady = new SteadyClock(this.#clock)
    this.#now = () => steady.nowMs()
    this.#host = {
      store,
      clock: this.#clock,
      now: this.#now,
      grant: (box, role, ttlSeconds) => this.#grant(box, role, ttlSeconds),
      revoke: (box, capability) => this.#revoke(box, capability),
    }
    this.boxes = service.offer('relay', RelayInterface, () => ({
      openBox: (wanted) => this.#openBox(wanted),
    }))
    const host = this.#host
    this.#offers = {
      deposit: this.#offer('deposit', DepositInterface, (entry) => {
        return new DepositObject(host, entry.box, entry.depositor)
      }),
      collect: this.#offer('collect', CollectInterface, ({ box }) => new CollectObject(host, box)),
      notify: this.#offer('notify', NotifyInterface, ({ box }) => new NotifyObject(host, box)),
    }
    this.#sweepLater()
  }

  /** Stop sweeping. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer)
    await this.#sweeping
  }

  #offer<M extends Methods>(
    role: Role,
    description: Interface<M>,
    make: (entry: AliasEntry) => object,
  ): Offer<unknown, { readonly alias: string }> {
    const find = async ({ params }: { readonly params: { readonly alias: string } }) => {
      const alias = parseAlias(params.alias)
      const entry = alias && (await tellFailures(() => this.#store.find(aliasHash(alias), this.#now())))
      if (entry?.role !== role) throw gone()
      return make(entry) as never // the objects above implement their interfaces
    }
    const path = `${role}/:alias` as const
    return this.#service.offer(path, description, find as never, { use: role }) as never
  }

  async #openBox(
    wanted: {
      readonly [Name in keyof BoxLimits]?: BoxLimits[Name] | undefined
    } & { readonly ttlSeconds?: number | undefined },
  ) {
    const id = primitives().randomBytes(BOX_ID_BYTES)
    const limits = this.#limitsFor(wanted)
    const { ttlSeconds } = wanted
    const expiresMs = ttlSeconds === undefined ? undefined : this.#now() + ttlSeconds * 1_000
    const aliases = { deposit: newAlias(), collect: newAlias(), notify: newAlias() }
    const names = (['deposit', 'collect', 'notify'] as const).map((role) => ({
      role,
      hash: aliasHash(aliases[role]),
    }))
    await tellFailures(() => this.#store.openBox({ id, limits, expiresMs }, names, this.#now()))
    return {
      deposit: this.#mint('deposit', aliases.deposit, ttlSeconds),
      collect: this.#mint('collect', aliases.collect, ttlSeconds),
      notify: this.#mint('notify', aliases.notify, ttlSeconds),
    }
  }

  /** The smaller of what is wanted and what the relay allows. */
  #limitsFor(wanted: { readonly [Name in keyof BoxLimits]?: BoxLimits[Name] | undefined }): BoxLimits {
    const most: BoxLimits = {
      maxMessages: MAILBOX_BOX_MESSAGES,
      maxBytes: MAILBOX_BOX_BYTES,
      messageTtlSeconds: MAILBOX_TTL_SECONDS,
      maxDeliveries: MAILBOX_BOX_DELIVERIES,
      ordered: true,
      ...this.#options.limits,
    }
    const least = (name: Exclude<keyof BoxLimits, 'ordered'>) =>
      Math.min(most[name], wanted[name] ?? most[name])
    return {
      maxMessages: least('maxMessages'),
      maxBytes: least('maxBytes'),
      messageTtlSeconds: least('messageTtlSeconds'),
      maxDeliveries: least('maxDeliveries'),
      ordered: wanted.ordered ?? most.ordered,
    }
  }

  #mint(role: Role, alias: Uint8Array, ttlSeconds: number | undefined): Capability {
    const options: Omit<OfferMintOptions<string>, 'methods'> = {
      ...(ttlSeconds === undefined ? {} : { expiresIn: ttlSeconds }),
      ...(this.#options.at === undefined ? {} : { at: this.#options.at }),
    }
    return this.#offers[role].mint({ alias: aliasText(alias) }, options)
  }

  async #grant(
    box: Uint8Array,
    role: 'deposit' | 'notify',
    ttlSeconds: number | undefined,
  ): Promise<Capability> {
    const alias = newAlias()
    if (!(await this.#store.addAlias(box, { role, hash: aliasHash(alias) }, this.#now()))) throw gone()
    return this.#mint(role, alias, ttlSeconds)
  }

  async #revoke(box: Uint8Array, capability: Capability): Promise<void> {
    const [role, text, ...rest] = capability.object?.split('/') ?? []
    const alias = parseAlias(text ?? '')
    const entry = alias && (await this.#store.find(aliasHash(alias), this.#now()))
    const own = entry?.role === role && rest.length === 0 && entry && hexEncode(entry.box) === hexEncode(box)
    if (!own) throw new Failure('invalid_argument', 'expected a capability of this box')
    try {
      await this.#service.revoke(capability)
    } catch {
      throw new Failure('invalid_argument', 'expected a genuine capability of this relay')
    }
  }

  #sweepLater(): void {
    this.#timer = this.#clock.setTimeout(() => {
      this.#sweeping = this.#sweep().finally(() => {
        if (!this.#closed) this.#sweepLater()
      })
    }, MAILBOX_SWEEP_MS)
    letGo(this.#timer)
  }

  async #sweep(): Promise<void> {
    try {
      while (!this.#closed) {
        const removed = await this.#store.sweep(this.#now(), MAILBOX_SWEEP_MAX)
        if (removed < MAILBOX_SWEEP_MAX) return
      }
    } catch (error) {
      this.#options.onSweepFailed?.(error)
    }
  }
}
