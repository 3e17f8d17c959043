// What the objects of a relay share, and the two small ones: those behind deposit and notify capabilities (spec/mailbox.md §7).
// A depositor gets a clear answer for what is refused; failures of the store are told as such and name nothing of it.
import type { Capability } from '../capability/index.js'
import type { Clock } from '../clock.js'
import { NoisecapError } from '../errors.js'
import { MAILBOX_RETRY_MS, MAILBOX_STORE_RETRY_MS } from '../limits.js'
import { type CallContext, Failure, type Handlers } from '../rpc/index.js'
import { Change } from './change.js'
import { checkEnvelope, messageId } from './envelope.js'
import type { DepositInterface, InputOf, NotifyInterface } from './interfaces.js'
import type { BodyStore, BoxLimits, MailboxStore, UploadState } from './store.js'

/** What the objects of boxes need of their relay. */
export interface RelayHost {
  readonly store: MailboxStore
  readonly clock: Clock
  /** Unix ms. */
  readonly now: () => number
  /** A further capability for a box. */
  grant(box: Uint8Array, role: 'deposit' | 'notify', ttlSeconds: number | undefined): Promise<Capability>
  /** Revoke a capability of this box. */
  revoke(box: Uint8Array, capability: Capability): Promise<void>
}

type DepositMethods = (typeof DepositInterface)['declared']
type Input<Name extends keyof DepositMethods> = InputOf<DepositMethods[Name]>
type NotifyMethods = (typeof NotifyInterface)['declared']

/** One box, as a depositor sees it. */
export class DepositObject implements Handlers<DepositMethods, CallContext> {
  readonly #host: RelayHost
  readonly #box: Uint8Array
  readonly #depositor: number

  constructor(host: RelayHost, box: Uint8Array, depositor: number) {
    this.#host = host
    this.#box = box
    this.#depositor = depositor
  }

  async deposit({
    messages,
  }: {
    readonly messages: readonly { readonly envelope: Uint8Array; readonly expiresMs: number }[]
  }) {
    const { store, now } = this.#host
    const prepared = messages.map(({ envelope, expiresMs }) => {
      checkShape(envelope)
      return { id: messageId(envelope), envelope, expiresMs }
    })
    const result = await tellFailures(() => store.deposit(this.#box, this.#depositor, prepared, now()))
    return withRetry(result)
  }

  async beginBody({ envelope, expiresMs, bodyBytes }: Input<'beginBody'>) {
    const { now } = this.#host
    checkShape(envelope)
    const message = { id: messageId(envelope), envelope, expiresMs }
    const state = await tellFailures(() =>
      bodiesOf(this.#host).begin(this.#box, this.#depositor, message, bodyBytes, now()),
    )
    return withRetry(state)
  }

  async appendBody({ id, index, piece }: Input<'appendBody'>): Promise<UploadState> {
    const { now } = this.#host
    const state = await tellFailures(() =>
      bodiesOf(this.#host).append(this.#box, this.#depositor, id, index, piece, now()),
    )
    if (state === undefined)
      throw new Failure('failed_precondition', 'there is no such upload: begin it again')
    return state
  }

  async limits(): Promise<BoxLimits> {
    const { store, now } = this.#host
    const stat = await tellFailures(() => store.stat(this.#box, now()))
    if (stat === undefined) throw gone()
    return stat.limits
  }
}

/** One box, as somebody sees it who may only know that something arrived. */
export class NotifyObject implements Handlers<NotifyMethods, CallContext> {
  readonly #host: RelayHost
  readonly #box: Uint8Array

  constructor(host: RelayHost, box: Uint8Array) {
    this.#host = host
    this.#box = box
  }

  async wait(
    known: { readonly arrivals: number; readonly refusals: number; readonly waitMs: number },
    { signal }: CallContext,
  ) {
    const { store, clock } = this.#host
    const deadline = clock.nowMs() + known.waitMs
    using change = new Change(store, this.#box, clock)
    for (;;) {
      const counters = await this.#counters()
      const left = deadline - clock.nowMs()
      const changed = counters.arrivals !== known.arrivals || counters.refusals !== known.refusals
      if (changed || left <= 0 || signal.aborted) return counters
      await change.next(left, signal)
    }
  }

  async *watch(_input: unknown, { signal }: CallContext) {
    const { store, clock } = this.#host
    using change = new Change(store, this.#box, clock)
    let told = { arrivals: -1, refusals: -1 }
    while (!signal.aborted) {
      const counters = await this.#counters()
      if (counters.arrivals !== told.arrivals || counters.refusals !== told.refusals) yield counters
      told = counters
      await change.next(WATCH_LOOK_AGAIN_MS, signal)
    }
  }

  async #counters(): Promise<{ arrivals: number; refusals: number }> {
    const { store, now } = this.#host
    const stat = await tellFailures(() => store.stat(this.#box, now()))
    if (stat === undefined) throw gone()
    return { arrivals: stat.arrivals, refusals: stat.refusals }
  }
}

/** @throws Failure where the store keeps no large bodies. */
export function bodiesOf({ store }: RelayHost): BodyStore {
  if (store.bodies === undefined)
    throw new Failure('unimplemented', 'the store of this relay keeps no large bodies')
  return store.bodies
}

function withRetry<T extends { readonly refusal: string | undefined }>(result: T) {
  const full = result.refusal === 'quota_messages' || result.refusal === 'quota_bytes'
  return full ? { ...result, retryAfterMs: MAILBOX_RETRY_MS } : result
}

/** Between two looks at a box that nothing was heard of, ms. */
const WATCH_LOOK_AGAIN_MS = 60_000

/** What is told of a box that has ended, or of an alias that never was. */
export function gone(): Failure {
  return new Failure('not_found', 'the box is not there')
}

/** Run `action`; what the store throws becomes what a client may know.
 * @throws Failure. */
export async function tellFailures<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action()
  } catch (error) {
    if (error instanceof RangeError) throw new Failure('invalid_argument', error.message)
    if (error instanceof NoisecapError && error.code === 'mailbox/store') {
      throw new Failure('unavailable', 'the relay cannot keep messages now', {
        retryAfterMs: MAILBOX_STORE_RETRY_MS,
      })
    }
    throw error
  }
}

function checkShape(envelope: Uint8Array): void {
  try {
    checkEnvelope(envelope)
  } catch {
    throw new Failure('invalid_argument', 'expected envelopes as spec/mailbox.md says')
  }
}
