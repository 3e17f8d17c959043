// Finds a service and opens a session with it: resolvers in order, locations with a staggered start, the first
// handshake that succeeds wins (spec/resolve.md §5). A directory can mislead, never impersonate: the handshake decides.
// Leaves out what the session is used for (connect.ts).
import type { Capability, PatternName } from './capability/index.js'
import type { Timer } from './clock.js'
import type { KeyPair } from './crypto/index.js'
import { type Environment, transportOf } from './environment.js'
import { NoisecapError } from './errors.js'
import {
  type Answer,
  answers,
  hintResolver,
  isPublicAddress,
  type Location,
  orderLocations,
  type Resolver,
} from './resolve/index.js'
import {
  DEFAULT_LIMITS,
  DEFAULT_TIMES,
  type InitiatedSession,
  initiateSession,
  type SessionLimits,
} from './session/index.js'
import type { Pipe } from './transport/index.js'

/** Between the starts of two dials, unless the first has failed by then, ms. */
const STAGGER_MS = 250

/** What a dial needs. */
export interface DialOptions {
  readonly environment: Environment
  readonly pattern: PatternName
  readonly keyPair?: KeyPair | undefined
  readonly resolvers?: readonly Resolver[] | undefined
  readonly limits?: SessionLimits | undefined
  /** Opens a pipe to the service, in the place of looking it up and dialling. */
  readonly via?: Via | undefined
}

/** Opens a pipe to a service: over a message port, a child's stdio, or whatever carries bytes in order.
 * @param signal - carries the deadline. */
export type Via = (signal: AbortSignal) => Pipe | Promise<Pipe>

/** Codes that come from the genuine service: another location would say the same. */
const FINAL_CODES: ReadonlySet<string> = new Set([
  'session/expired',
  'session/not_yet_valid',
  'session/revoked',
  'session/denied',
])

/** Open a session with the service of `capability`.
 * @param signal - carries the deadline.
 * @throws `resolve/not_found`, `resolve/registry`; the service's refusal; `transport/unreachable`, which names every
 * location tried, when none answered. */
export async function dialService(
  capability: Capability,
  options: DialOptions,
  signal: AbortSignal,
): Promise<InitiatedSession> {
  if (options.via !== undefined) return greet(await openVia(options.via, signal), capability, options, signal)
  const resolvers = options.resolvers ?? options.environment.resolvers()
  const hints = capability.locations.length > 0 ? [hintResolver(capability.locations)] : []
  const failures: DialFailure[] = []
  const context = { publicKey: capability.publicKey, signal }
  try {
    for await (const answer of answers([...hints, ...resolvers], capability.keyHash, context)) {
      // A location that another resolver named already has had its chance.
      const fresh = answer.locations.filter(({ uri }) => !failures.some(({ location }) => location === uri))
      const session = await dialAnswer({ ...answer, locations: fresh }, capability, options, signal, failures)
      if (session !== undefined) return session
    }
  } catch (error) {
    throw error === signal.reason ? timeoutOr(signal, failures) : error
  }
  throw allFailed(failures)
}

/** A location that was tried in vain. */
interface DialFailure {
  readonly location: string
  readonly error: unknown
}

/** Dial what one resolver named, and tell it what became of it (spec/resolve.md §5). */
async function dialAnswer(
  { source, locations }: Answer,
  capability: Capability,
  options: DialOptions,
  signal: AbortSignal,
  failures: DialFailure[],
): Promise<InitiatedSession | undefined> {
  let dialled: Dialled | undefined
  try {
    const ordered = orderLocations(locations, Math.random)
    dialled = await dialInTurn(ordered, capability, options, signal, failures)
    if (dialled !== undefined) source.confirm?.(capability.keyHash, dialled.location.sequence)
    return dialled?.session
  } finally {
    if (dialled === undefined) source.forget?.(capability.keyHash)
  }
}

/** A session, and where it was found. */
interface Dialled {
  readonly session: InitiatedSession
  readonly location: Location
}

/** Start a dial every 250 ms, or as soon as the one before failed; the first session wins, the others are dropped. */
function dialInTurn(
  locations: readonly Location[],
  capability: Capability,
  options: DialOptions,
  signal: AbortSignal,
  failures: DialFailure[],
): Promise<Dialled | undefined> {
  return new Promise((resolve, reject) => {
    // One location has no losers, and joining signals costs more than a DH.
    const losers = locations.length > 1 ? new AbortController() : undefined
    const dialSignal = losers === undefined ? signal : AbortSignal.any([signal, losers.signal])
    let next = 0
    let open = 0
    let done = false
    let timer: Timer | undefined
    const { clock } = options.environment
    const stopTimer = (): void => {
      if (timer !== undefined) clock.clearTimeout(timer)
    }
    const finish = (settle: () => void): void => {
      if (done) return
      done = true
      stopTimer()
      settle()
      losers?.abort(new DOMException('Another location answered first', 'AbortError'))
    }
    const startNext = (): void => {
      stopTimer()
      const location = locations[next]
      if (location === undefined) {
        if (open === 0) finish(() => resolve(undefined))
        return
      }
      next += 1
      open += 1
      timer = clock.setTimeout(startNext, STAGGER_MS)
      dialOne(location, capability, options, dialSignal).then(
        (session) => {
          if (done) session.connection.close('done')
          else finish(() => resolve({ session, location }))
        },
        (error: unknown) => {
          open -= 1
          if (done) return
          failures.push({ location: location.uri, error })
          if (error instanceof NoisecapError && FINAL_CODES.has(error.code)) finish(() => reject(error))
          else if (signal.aborted && !isNoAnswer(error)) finish(() => reject(timeoutOr(signal, failures)))
          else startNext()
        },
      )
    }
    startNext()
  })
}

async function dialOne(
  { uri, publicOnly }: Location,
  capability: Capability,
  options: DialOptions,
  signal: AbortSignal,
): Promise<InitiatedSession> {
  const { dial } = transportOf(options.environment, uri)
  void options.environment.laterX25519?.() // tried out while the pipe opens
  const pipe = await dial(uri, signal, publicOnly ? isPublicAddress : undefined)
  // Before the hello, since a transport may not know of addresses, or may have been led elsewhere.
  if (publicOnly && !isPublicAddress(pipe.remoteAddress)) {
    pipe.destroy()
    throw new NoisecapError(
      'transport/unreachable',
      `Cannot reach ${uri}: expected a public address, since a directory on a network named it`,
    )
  }
  return greet(pipe, capability, options, signal)
}

function greet(
  pipe: Pipe,
  capability: Capability,
  { keyPair, pattern, limits = DEFAULT_LIMITS, environment }: DialOptions,
  signal: AbortSignal,
): Promise<InitiatedSession> {
  const client = { capability, keyPair, pattern, limits, laterX25519: environment.laterX25519 }
  return initiateSession(pipe, client, signal, DEFAULT_TIMES, environment.clock)
}

async function openVia(via: Via, signal: AbortSignal): Promise<Pipe> {
  try {
    return await via(signal)
  } catch (cause) {
    if (signal.aborted) throw signal.reason
    throw new NoisecapError('transport/unreachable', 'Cannot reach the service: the pipe was not opened', {
      cause,
      hint: 'See the cause: the function given as `via` failed',
    })
  }
}

function isNoAnswer(error: unknown): boolean {
  return error instanceof NoisecapError && error.code === 'session/no_answer'
}

/** A deadline tells which locations were tried; a cancellation is passed on as it is. */
function timeoutOr(signal: AbortSignal, failures: readonly DialFailure[]): unknown {
  const reason: unknown = signal.reason
  return reason instanceof DOMException && reason.name === 'TimeoutError' ? allFailed(failures) : reason
}

function allFailed(failures: readonly DialFailure[]): NoisecapError {
  const [only] = failures
  if (failures.length === 1 && only !== undefined && isNoAnswer(only.error)) {
    return new NoisecapError(
      'session/no_answer',
      `Cannot open session: ${only.location} did not answer the hello`,
      {
        cause: only.error,
        hint: 'A service is silent towards whoever does not hold a capability of it; check that the capability is complete and of this service',
      },
    )
  }
  if (failures.length === 0) {
    return new NoisecapError(
      'transport/unreachable',
      'Cannot reach the service: time ran out while it was being looked up',
    )
  }
  const tried = failures.map(({ location, error }) => `${location} (${describe(error)})`).join(', ')
  return new NoisecapError('transport/unreachable', `Cannot reach the service: tried ${tried}`, {
    cause: failures.length === 1 ? only?.error : new AggregateError(failures.map(({ error }) => error)),
    hint: 'Start the service, or give the capability a location where it listens',
  })
}

function describe(error: unknown): string {
  if (!(error instanceof NoisecapError)) return 'failed'
  const cause = error.cause as { readonly code?: unknown } | undefined
  return typeof cause?.code === 'string' ? cause.code : error.code
}
