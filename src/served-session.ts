// One client's session at a service: the capability of the hello and those shown later, each with its own ids and expiry.
// After the client's first record, holder, claims and object are judged; a revocation or expiry ends the references it
// concerns at once, and the session with the last of them (spec/session.md §5).

import { hexEncode } from './bytes.js'
import {
  type Capability,
  type ClaimsChecker,
  type Grant,
  judgeClaims,
  judgeHolder,
  type Restrictions,
  type RevocationSet,
  type ServiceKey,
  type Verified,
} from './capability/index.js'
import { type Clock, sleep } from './clock.js'
import { NoisecapError } from './errors.js'
import { PRESENTATIONS_FAILED_MAX } from './limits.js'
import type { OfferedPath } from './offer.js'
import {
  type Around,
  type Exported,
  Exports,
  Failure,
  type InternalError,
  Peer,
  type Presentation,
  type ServiceInterceptor,
  type Target,
} from './rpc/index.js'
import { saveReference } from './saved-reference.js'
import { type ObjectUse, ServedObjects } from './served-objects.js'
import { type ReferenceHost, ServedReference } from './served-reference.js'
import {
  type AcceptedSession,
  type CloseReason,
  type Contact,
  type ContactBook,
  type LocalLimits,
  type PresentationQuestion,
  presentedParts,
  type Refusal,
  refusalError,
  type ServiceIdentity,
  type Status,
} from './session/index.js'

/** Between two looks at whether open calls have ended, ms; over HTTP somebody waits for that. */
const FINISH_POLL_MS = 10
const BATCH_POLL_MS = 1

/** What a served session needs of its service. */
export interface ServedSessionOptions {
  readonly checkClaims: ClaimsChecker | undefined
  readonly onInternalError: (report: InternalError) => void
  readonly interceptors: readonly ServiceInterceptor[] | undefined
  readonly maxTimeoutMs: number | undefined
  readonly closed: () => void
}

/** Whether a client may become a contact. */
export type ContactPolicy = (contact: {
  readonly client: Contact['client']
  readonly object: string
}) => boolean

/** The service of a session, as far as sessions need it. */
export interface SessionHost {
  readonly key: ServiceKey
  readonly limits: LocalLimits
  readonly revocations: RevocationSet
  readonly contacts: ContactBook | undefined
  readonly acceptContact: ContactPolicy
  find(object: string): { offered: OfferedPath; params: Readonly<Record<string, string>> } | undefined
  /** @returns undefined unless the proof is genuine. */
  verifyPresentation(
    question: PresentationQuestion,
  ): { readonly verified: Verified; readonly status: Status } | undefined
}

/** One open session. */
export class ServedSession implements ReferenceHost {
  readonly #service: SessionHost
  readonly #exports: Exports
  /** What clients have shown: each with all that was handed out under it. */
  readonly #references = new Set<ServedReference>()
  readonly #objects: ServedObjects
  readonly #peer: Peer
  readonly #options: ServedSessionOptions
  #failedPresentations = 0
  #finished: (() => void) | undefined
  #over = false

  constructor(
    service: SessionHost,
    accepted: AcceptedSession<ServiceIdentity>,
    options: ServedSessionOptions,
  ) {
    const { connection, verified, parameters } = accepted
    this.#service = service
    this.#options = options
    this.#exports = new Exports(service.limits.maxExports)
    this.#objects = new ServedObjects((error) => {
      options.onInternalError({ errorId: 'dispose', method: 'dispose', error })
    })
    this.#peer = new Peer(connection, {
      remoteLimits: parameters.limits,
      localLimits: service.limits,
      confirmed: () => this.#confirmed(),
      closed: () => this.#closed(),
      last: () => void this.finish(connection.batchDeadlineMs ?? 0, BATCH_POLL_MS),
      serves: {
        exports: this.#exports,
        client: connection.session.remoteStatic,
        onInternalError: options.onInternalError,
        around: aroundOf(options.interceptors),
        maxTimeoutMs: options.maxTimeoutMs,
        present: (presentation) => this.#present(presentation),
        befriend: (exported) => this.#befriend(exported),
        save: (exported, restrictions) => this.#save(exported, restrictions),
      },
    })
    this.#export(verified, parameters.holderSalts)
  }

  get clock(): Clock {
    return this.#peer.connection.clock
  }

  start(): void {
    this.#peer.start()
  }

  /** End what was revoked meanwhile. */
  checkRevocation(): void {
    for (const reference of this.#references) {
      if (this.#service.revocations.revokesAny(reference.verified.ids)) reference.end('revoked')
    }
  }

  /** Take no more calls, wait for the open ones, then close. */
  async finish(graceMs: number, pollMs = FINISH_POLL_MS): Promise<void> {
    if (this.#over) return
    const over = new Promise<void>((resolve) => {
      this.#finished = resolve
    })
    this.#peer.goAway(graceMs)
    const deadline = this.clock.nowMs() + graceMs
    while (this.#isBusy(pollMs === BATCH_POLL_MS) && this.clock.nowMs() < deadline && !this.#over) {
      await sleep(this.clock, pollMs)
    }
    this.#peer.close('going_away')
    await over
  }

  /** Streams that outlive their call are part of the answer to a batch; elsewhere they end with the session. */
  #isBusy(isBatch: boolean): boolean {
    return this.#peer.servedCalls > 0 || (isBatch && this.#peer.isFeeding)
  }

  ended(reference: ServedReference, reason: CloseReason): void {
    this.#references.delete(reference)
    this.#peer.breakAuthority(reference, reason)
    if (this.#references.size === 0) this.#peer.close(reason)
  }

  released(reference: ServedReference): void {
    this.#references.delete(reference)
    if (this.#references.size === 0) this.#peer.close('done')
  }

  expireIn(subject: { expire(): void }, delayMs: number): () => void {
    const slot = this.#peer.deadlines.add(subject, delayMs)
    return () => this.#peer.deadlines.remove(subject, slot)
  }

  /** The client proved the PSK and its key: now what only a genuine, fresh client may learn of the hello's capability. */
  #confirmed(): void {
    const [first] = this.#references
    const refusal = first && this.#judge(first.verified, first.holderSalts)
    if (refusal !== undefined) first?.end(refusal)
  }

  #judge(verified: Verified, holderSalts: readonly Uint8Array[]): 'holder' | 'claims' | 'object' | undefined {
    const client = this.#peer.connection.session.remoteStatic
    if (judgeHolder(verified, client, holderSalts) !== 'ok') return 'holder'
    if (judgeClaims(verified, this.#options.checkClaims) !== 'ok') return 'claims'
    return this.#find(verified.grant) === undefined ? 'object' : undefined
  }

  /** What is offered for a grant: under its path, for its use. */
  #find({ object, use }: Grant): ReturnType<SessionHost['find']> {
    const found = this.#service.find(object)
    return found?.offered.use === use ? found : undefined
  }

  #export(verified: Verified, holderSalts: readonly Uint8Array[]): number {
    const use = this.#use(verified.grant)
    const mapCalls = this.#find(verified.grant)?.offered.mapCalls
    const reference = new ServedReference(this, verified, holderSalts, use, mapCalls)
    this.#references.add(reference)
    return this.#exports.add(reference)
  }

  /** A share in the object of `grant`; by grant and path, since one chain may stand for several objects. */
  #use(grant: Grant): ObjectUse {
    return this.#objects.use(`${hexEncode(grant.id)} ${grant.object}`, () => this.#make(grant))
  }

  async #make(grant: Grant): Promise<Target> {
    const found = this.#find(grant)
    if (found === undefined) throw new Failure('not_found', 'the object is not offered')
    const object = await found.offered.factory({
      params: found.params,
      client: this.#peer.connection.session.remoteStatic,
      claims: grant.claims,
      grantId: hexEncode(grant.id),
    })
    return { description: found.offered.description, object }
  }

  /** A further capability of the client. A wrong proof is counted; a genuine one learns why it is refused. */
  #present(presentation: Presentation): number {
    if (this.#exports.isFull) throw new Failure('resource_exhausted', 'the session holds too many references')
    const { session } = this.#peer.connection
    const { locator, proof, holderSalts } = presentation
    const proven = this.#service.verifyPresentation({
      locator,
      proof,
      proven: presentedParts(session, 'client', locator),
      pattern: session.pattern,
    })
    if (proven === undefined) {
      this.#failedPresentations += 1
      if (this.#failedPresentations >= PRESENTATIONS_FAILED_MAX) this.#peer.close('limit')
      throw new Failure('unauthenticated', 'the capability is not proven')
    }
    const { verified, status } = proven
    const refusal = status === 'ok' ? this.#judge(verified, holderSalts) : status
    if (refusal === undefined) return this.#export(verified, holderSalts)
    verified[Symbol.dispose]()
    throw refused(refusal)
  }

  async #befriend(exported: Exported): Promise<void> {
    const client = this.#peer.connection.session.remoteStatic
    const { contacts } = this.#service
    const reference = exported
    if (client === undefined)
      throw new Failure('failed_precondition', 'an anonymous client has no key to remember')
    if (contacts === undefined) throw new Failure('unimplemented', 'the service keeps no contacts')
    if (!(reference instanceof ServedReference))
      throw new Failure('failed_precondition', 'only the object of a capability can be befriended')
    if (!reference.isLive) throw new Failure('permission_denied', 'the reference is broken')
    const { keys, grant } = reference.verified
    if (!this.#service.acceptContact({ client, object: grant.object }))
      throw new Failure('permission_denied', 'the service does not accept this contact')
    try {
      await contacts.add({ client, contactKey: keys.contactKey() })
    } catch (error) {
      if (!(error instanceof NoisecapError) || error.code !== 'session/limit') throw error
      throw new Failure('resource_exhausted', 'the service has too many contacts')
    }
  }

  open({ verified }: ServedReference, service: object, path: string): ObjectUse | undefined {
    return service === this.#service ? this.#use({ ...verified.grant, object: path }) : undefined
  }

  #save(exported: Exported, restrictions: Restrictions): Capability {
    const { session } = this.#peer.connection
    const nowSeconds = this.clock.wallMs() / 1_000
    return saveReference(exported, restrictions, {
      service: this.#service,
      client: session.remoteStatic,
      nowSeconds,
    })
  }

  #closed(): void {
    this.#over = true
    this.#options.closed()
    for (const reference of this.#references) reference.abandon()
    this.#finished?.()
  }
}

/** What the client is told of a genuine capability that is not in force: the reason as a name, the words for people. */
function refused(refusal: Refusal): Failure {
  return new Failure('permission_denied', refusalError(refusal).message, { name: refusal })
}

/** No cost for a service without interceptors. */
function aroundOf(interceptors: readonly ServiceInterceptor[] = []): Around | undefined {
  if (interceptors.length === 0) return undefined
  return {
    interceptors,
    originOf: (exported) => {
      const authority = exported?.authority
      if (!(authority instanceof ServedReference)) return { object: undefined, grantId: undefined }
      const { grant } = authority.verified
      return { object: grant.object, grantId: hexEncode(grant.id) }
    },
  }
}
