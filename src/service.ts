// Service: offers objects under paths, mints capabilities for them, listens, announces itself, and closes.
// Leaves out one client's session (served-session.ts), the handshake (src/session) and key files (src/capability).
import {
  type Authority,
  type Capability,
  type ClaimsChecker,
  keyHash,
  linkIds,
  MemoryRevocationSet,
  mint,
  type Registrations,
  type RevocationSet,
  type ServiceKey,
} from './capability/index.js'
import { checkListenOptions, type Environment, transportOf } from './environment.js'
import { MAP_CALLS_MAX } from './limits.js'
import type { Factory, Offer, OfferedPath, OfferMintOptions, OfferOptions } from './offer.js'
import { type PathParams, PathTemplate } from './path-template.js'
import type { Announcement, Announcer } from './resolve/index.js'
import {
  type Calls,
  type Interface,
  type InternalError,
  type Methods,
  namedReference,
  type ServiceInterceptor,
  type Stub,
} from './rpc/index.js'
import { type ContactPolicy, ServedSession } from './served-session.js'
import {
  type AcceptedSession,
  Admission,
  acceptSession,
  type ContactBook,
  type LocalLimits,
  localLimitsOf,
  mac1Key,
  type PresentationQuestion,
  type ServiceIdentity,
  type VerifierKnowledge,
  verifyHello,
  verifyPresentation,
} from './session/index.js'
import type { Listener, ListenOptions, Pipe } from './transport/index.js'

/** How long open calls may go on after `close`, ms. */
const CLOSE_GRACE_MS = 5_000

/** Options of a service. */
export interface ServiceOptions {
  /** Revoked link ids; default in memory. */
  readonly revocations?: RevocationSet | undefined
  /** Pairs registered by hand. */
  readonly registrations?: Registrations | undefined
  /** Clients who may greet with KK; without a book KK meets silence. */
  readonly contacts?: ContactBook | undefined
  /** Whether a client that asks for it becomes a contact; default every one that proved a capability and a key. */
  readonly acceptContact?: ContactPolicy | undefined
  /** Judges claim caveats; without it they deny. */
  readonly checkClaims?: ClaimsChecker | undefined
  /** Run around every handler, the first outermost, behind all checks and the input's schema. */
  readonly interceptors?: readonly ServiceInterceptor[] | undefined
  /** No call runs longer, ms: the deadline is the smaller of the caller's and this, and a call without one gets this. It
   * aborts the handler's signal, and ends the stream that a method answered with. Default: without end. */
  readonly maxTimeoutMs?: number | undefined
  /** Told of errors that did not cross; default the console. */
  readonly onInternalError?: ((report: InternalError) => void) | undefined
  /** Where to announce; default the file registry of this machine. Empty: nowhere. */
  readonly announcers?: readonly Announcer[] | undefined
  /** Budgets of one session. */
  readonly limits?: Partial<LocalLimits> | undefined
}

/** A service: one static key, its offers and its open sessions. */
export class Service {
  readonly key: ServiceKey
  readonly #environment: Environment
  readonly #options: ServiceOptions
  readonly #offers: OfferedPath[] = []
  readonly #sessions = new Set<ServedSession>()
  readonly #listeners: Listener[] = []
  readonly #announcements: Announcement[] = []
  readonly #handshakes = new Set<() => void>()
  readonly #admission = new Admission()
  readonly #identity: ServiceIdentity
  readonly #authority: Authority
  readonly #stopWatching: () => void
  readonly revocations: RevocationSet
  readonly contacts: ContactBook | undefined
  readonly acceptContact: ContactPolicy
  readonly limits: LocalLimits
  #closed = false

  /** Use `Service.open` or `Service.create` of the entry point. */
  constructor(environment: Environment, key: ServiceKey, options: ServiceOptions = {}) {
    const { maxTimeoutMs } = options
    if (maxTimeoutMs !== undefined && !(maxTimeoutMs >= 1))
      throw new RangeError(`Cannot make service: expected maxTimeoutMs of at least 1, got ${maxTimeoutMs}`)
    this.key = key
    this.#environment = environment
    this.#options = options
    this.revocations = options.revocations ?? new MemoryRevocationSet()
    this.contacts = options.contacts
    this.acceptContact = options.acceptContact ?? (() => true)
    this.limits = localLimitsOf(options.limits)
    // Once, not once a hello: it hashes the key, and follows later rotations and registrations by itself.
    this.#authority = key.authority(options.registrations)
    const { publicKey } = key
    this.#identity = {
      keyPair: key.keyPair,
      keyHash: keyHash(publicKey),
      mac1Key: mac1Key(publicKey),
      contacts: options.contacts,
    }
    this.#stopWatching = this.revocations.onChange(({ failure }) => {
      // A set that cannot be trusted denies everybody; its operator should learn why.
      if (failure !== undefined)
        this.#report({ errorId: 'revocations', method: 'revocations', error: failure })
      for (const session of this.#sessions) session.checkRevocation()
    })
  }

  /** The service's name, 52 characters. */
  get keyHash(): string {
    return this.key.keyHash
  }

  /** Offer an object under a path; the factory runs once per session and grant.
   * @param path - segments between slashes, parameters as `:name`.
   * @param options - whether lists are mapped here, and what its capabilities are for.
   * @throws TypeError for a malformed path, RangeError for a budget that is none. */
  offer<const Path extends string, M extends Methods>(
    path: Path,
    description: Interface<M>,
    factory: Factory<M, PathParams<Path>>,
    { map = false, use = 'call' }: OfferOptions = {},
  ): Offer<Calls<M>, PathParams<Path>> {
    if (typeof map === 'number' && !(Number.isSafeInteger(map) && map > 0))
      throw new RangeError(`Cannot offer: expected a whole number of calls above 0 as map, got ${map}`)
    const template = new PathTemplate(path)
    // The template yields exactly the parameters that PathParams names.
    this.#offers.push({
      template,
      description: description as unknown as Interface,
      factory: factory as OfferedPath['factory'],
      mapCalls: typeof map === 'number' ? map : map ? MAP_CALLS_MAX : undefined,
      use,
    })
    const mintFor = (
      params: PathParams<Path>,
      options: OfferMintOptions<string> = {},
    ): Capability<Calls<M>> => {
      const { claims, label, at, ...restrictions } = options
      const object = template.fill(params as Readonly<Record<string, string>>)
      for (const name of restrictions.methods ?? []) {
        if (!description.methods.has(name)) {
          throw new TypeError(`Cannot mint: ${description.name} has no method ${JSON.stringify(name)}`)
        }
      }
      const nowSeconds = this.#environment.clock.wallMs() / 1_000
      const grant = { use, object, claims, nowSeconds }
      return mint(this.key, grant, restrictions, { label, locations: at }).withInterface(description)
    }
    const referenceTo = (params: PathParams<Path>): Stub<Calls<M>> => {
      const object = template.fill(params as Readonly<Record<string, string>>)
      return namedReference<Calls<M>>(this, object, description)
    }
    return { mint: mintFor, reference: referenceTo } as Offer<Calls<M>, PathParams<Path>>
  }

  /** The offer and parameters of an object path. */
  find(object: string): { offered: OfferedPath; params: Readonly<Record<string, string>> } | undefined {
    for (const offered of this.#offers) {
      const params = offered.template.match(object)
      if (params !== undefined) return { offered, params }
    }
    return undefined
  }

  /** Listen at a location and announce it under the key hash.
   * @param location - such as `tcp://127.0.0.1:7000`; port 0 takes a free one.
   * @returns the location really bound.
   * @throws `transport/bad_location`, `transport/unreachable`, `resolve/registry`; TypeError for an option that the
   * location has no use for. */
  async listen(location: string, options: ListenOptions = {}): Promise<string> {
    this.#checkOpen()
    checkListenOptions(location, options)
    const { listen } = transportOf(this.#environment, location)
    if (listen === undefined) throw new TypeError('Cannot listen: this transport only dials')
    const listener = await listen(location, (pipe) => this.accept(pipe), options)
    this.#listeners.push(listener)
    try {
      await this.#announce()
    } catch (error) {
      this.#listeners.splice(this.#listeners.indexOf(listener), 1)
      await listener.close()
      throw error
    }
    return listener.location
  }

  async #announce(): Promise<void> {
    const locations = this.#listeners.map(({ location }) => ({ uri: location, priority: 0, weight: 1 }))
    if (this.#announcements.length > 0) {
      for (const announcement of this.#announcements) await announcement.update(locations)
      return
    }
    for (const announcer of this.#options.announcers ?? this.#environment.announcers()) {
      this.#announcements.push(await announcer.announce(this.key.publicKey, locations))
    }
  }

  /** Serve one pipe that came some other way than through {@link listen}. */
  accept(pipe: Pipe): void {
    if (this.#closed) {
      pipe.destroy()
      return
    }
    const drop = acceptSession(pipe, {
      services: [this.#identity],
      admission: this.#admission,
      verifier: (question) => verifyHello(question, this.#knowledge()),
      accepted: (session) => this.#serve(session),
      finished: () => this.#handshakes.delete(drop),
      clock: this.#environment.clock,
    })
    this.#handshakes.add(drop)
  }

  /** Whether a capability that is shown inside a session is genuine, and in force. */
  verifyPresentation(question: PresentationQuestion): ReturnType<typeof verifyPresentation> {
    return verifyPresentation(question, this.#knowledge())
  }

  #knowledge(): VerifierKnowledge {
    return {
      authority: this.#authority,
      revocations: this.revocations,
      limits: this.limits,
      nowSeconds: this.#environment.clock.wallMs() / 1_000,
    }
  }

  #serve(accepted: AcceptedSession<ServiceIdentity>): void {
    const session = new ServedSession(this, accepted, {
      checkClaims: this.#options.checkClaims,
      onInternalError: (report) => this.#report(report),
      interceptors: this.#options.interceptors,
      maxTimeoutMs: this.#options.maxTimeoutMs,
      closed: () => this.#sessions.delete(session),
    })
    this.#sessions.add(session)
    session.start()
  }

  #report(report: InternalError): void {
    const tell = this.#options.onInternalError ?? logInternalError
    tell(report)
  }

  /** Revoke a capability, and with it all that was narrowed from it; open sessions end at once.
   * @param target - the capability, or a link id as hexadecimal. Of a capability the last link is revoked, whose id the
   * service computes itself; a final one shares that link with the capability that it was made of.
   * @returns once the revocation is durable.
   * @throws `capability/denied` for a capability of another service, or one whose secret is made up. */
  async revoke(target: Capability<unknown> | string): Promise<void> {
    const id = typeof target === 'string' ? target : linkIds(target, this.#authority).at(-1)!
    await this.revocations.revoke(id)
  }

  /** Open sessions. */
  get openSessions(): number {
    return this.#sessions.size
  }

  /** Stop: withdraw, accept nothing more, let open calls finish for a while, then close every session. */
  async close(graceMs: number = CLOSE_GRACE_MS): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#stopWatching()
    await Promise.all(this.#announcements.map((announcement) => announcement.withdraw()))
    const listeners = this.#listeners.map((listener) => listener.close())
    for (const drop of this.#handshakes) drop()
    await Promise.all([...this.#sessions].map((session) => session.finish(graceMs)))
    await Promise.all(listeners)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #checkOpen(): void {
    if (this.#closed) throw new TypeError('Cannot listen: the service is closed')
  }
}

/** What happens with a report that nobody asked for. */
export function logInternalError({ errorId, method, error }: InternalError): void {
  console.error(`noisecap: ${method} failed, error ${errorId}:`, error)
}
