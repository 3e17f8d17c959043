// One client's session at a service: after its first record, holder, claims and object are judged and the object is made;
// expiry and methods are judged again at each dispatch, a revocation ends the session at once (spec/session.md §5). Ends with its capability.

import { hexEncode } from './bytes.js'
import {
  allowsMethod,
  type ClaimsChecker,
  judgeClaims,
  judgeHolder,
  judgeTime,
  type RevocationSet,
  type Verified,
} from './capability/index.js'
import type { OfferedPath } from './offer.js'
import { type InternalError, Peer, type Target } from './rpc/index.js'
import type { AcceptedSession, ServiceIdentity, SessionLimits } from './session/index.js'

/** What a served session needs of its service. */
export interface ServedSessionOptions {
  readonly checkClaims: ClaimsChecker | undefined
  readonly onInternalError: (report: InternalError) => void
  readonly closed: () => void
}

/** The service of a session, as far as sessions need it. */
export interface SessionHost {
  readonly limits: SessionLimits
  readonly revocations: RevocationSet
  find(object: string): { offered: OfferedPath; params: Readonly<Record<string, string>> } | undefined
}

/** One open session. */
export class ServedSession {
  readonly #service: SessionHost
  readonly #verified: Verified
  readonly #holderSalts: readonly Uint8Array[]
  readonly #peer: Peer
  readonly #options: ServedSessionOptions
  #target: Promise<Target> | undefined
  #finished: (() => void) | undefined
  #over = false

  constructor(
    service: SessionHost,
    accepted: AcceptedSession<ServiceIdentity>,
    options: ServedSessionOptions,
  ) {
    const { connection, verified, parameters } = accepted
    this.#service = service
    this.#verified = verified
    this.#holderSalts = parameters.holderSalts
    this.#options = options
    this.#peer = new Peer(connection, {
      remoteLimits: parameters.limits,
      localLimits: service.limits,
      confirmed: () => this.#judge(),
      closed: () => this.#closed(),
      serves: {
        root: () => this.#root(),
        authorize: (method) => this.#authorize(method),
        client: connection.session.remoteStatic,
        onInternalError: options.onInternalError,
      },
    })
  }

  start(): void {
    this.#peer.start()
  }

  /** End the session if its capability was revoked meanwhile. */
  checkRevocation(): void {
    if (this.#service.revocations.revokesAny(this.#verified.ids)) this.#peer.close('revoked')
  }

  /** Take no more calls, wait for the open ones, then close. */
  async finish(graceMs: number): Promise<void> {
    if (this.#over) return
    const over = new Promise<void>((resolve) => {
      this.#finished = resolve
    })
    this.#peer.goAway(graceMs)
    const deadline = performance.now() + graceMs
    while (this.#peer.servedCalls > 0 && performance.now() < deadline && !this.#over) {
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    this.#peer.close('going_away')
    await over
  }

  /** The client proved the PSK and its key: now what only a genuine, fresh client may learn. */
  #judge(): void {
    const client = this.#peer.connection.session.remoteStatic
    if (judgeHolder(this.#verified, client, this.#holderSalts) !== 'ok') this.#peer.close('holder')
    else if (judgeClaims(this.#verified, this.#options.checkClaims) !== 'ok') this.#peer.close('claims')
    else if (this.#service.find(this.#verified.grant.object) === undefined) this.#peer.close('object')
  }

  #authorize(method: string): 'ok' | 'permission_denied' | 'closed' {
    const nowSeconds = Date.now() / 1_000
    if (judgeTime(this.#verified, nowSeconds) !== 'ok') {
      this.#peer.close('expired')
      return 'closed'
    }
    // A revocation needs no look here: its change event has ended the session (checkRevocation) before any later record.
    return allowsMethod(this.#verified, method) ? 'ok' : 'permission_denied'
  }

  #root(): Promise<Target> {
    this.#target ??= this.#make()
    return this.#target
  }

  async #make(): Promise<Target> {
    const { grant } = this.#verified
    const found = this.#service.find(grant.object)
    if (found === undefined) throw new Error('the object is not offered')
    const object = await found.offered.factory({
      params: found.params,
      client: this.#peer.connection.session.remoteStatic,
      claims: grant.claims,
      grantId: hexEncode(grant.id),
    })
    return { description: found.offered.description, object }
  }

  #closed(): void {
    this.#over = true
    this.#options.closed()
    this.#target
      ?.then(disposeObject, () => {})
      .catch((error: unknown) => {
        this.#options.onInternalError({ errorId: 'dispose', method: 'dispose', error })
      })
    this.#verified[Symbol.dispose]()
    this.#finished?.()
  }
}

/** An offer's object ends with its session. */
async function disposeObject({ object }: Target): Promise<void> {
  const disposable = object as Partial<Disposable & AsyncDisposable>
  if (disposable[Symbol.asyncDispose] !== undefined) await disposable[Symbol.asyncDispose]?.()
  else disposable[Symbol.dispose]?.()
}
