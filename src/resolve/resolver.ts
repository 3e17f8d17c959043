// From the hash of a service's public key to its locations: the interfaces behind which directories stand, and the order
// in which they are asked (spec/resolve.md §4): the hints in the capability first, then what the user configured.
// Leaves out the cache (cache.ts), the directories themselves (file.ts …) and dialling (src/dial.ts).
import type { PublicKey } from '../crypto/index.js'
import { NoisecapError } from '../errors.js'
import { LOCATION_RANK_MAX } from '../limits.js'
import type { AnnouncedLocation } from './record.js'

/** One location that a resolver found. */
export interface Location extends AnnouncedLocation {
  /** Sequence of the record that named it, where a directory keeps one record a service; see `LocationCache.confirm`.
   * Absent for hints, and for directories that keep one record a process, of which none supersedes another. */
  readonly sequence?: number
  /** Set where the directory may lead to public addresses only: what a host name turns out to be is judged at the dial. */
  readonly publicOnly?: true
}

/** What a resolver may need besides the key hash. */
export interface ResolveContext {
  /** Opens the service's location records; never sent to a directory. */
  readonly publicKey: PublicKey
  readonly signal?: AbortSignal
  /** Tells a cache in front for how long the answer holds, ms, where the directory knows. */
  readonly keepFor?: (ms: number) => void
}

/** One way to find a service. */
export interface Resolver {
  /** For messages, such as `file registry /home/ada/.local/state/noisecap/registry`. */
  readonly name: string
  /** The locations of a service; none when it is not known here.
   * @param keyHash - 52 characters of lower-case base32.
   * @throws `resolve/registry` when what is there must be looked at by a person, which ends the search; any other error
   * counts as no answer. The signal's reason when aborted. */
  resolve(keyHash: string, context: ResolveContext): Promise<readonly Location[]>
  /** Told by whoever dials that a handshake succeeded at a location with this sequence. */
  confirm?(keyHash: string, sequence: number | undefined): void
  /** Told by whoever dials that no location of the last answer led to a handshake. */
  forget?(keyHash: string): void
}

/** One way to be found. */
export interface Announcer {
  readonly name: string
  /** Make `locations` findable until the announcement is withdrawn or the process is gone for some time. */
  announce(publicKey: PublicKey, locations: readonly AnnouncedLocation[]): Promise<Announcement>
}

/** An announcement that keeps itself fresh; `await using` withdraws it. */
export interface Announcement extends AsyncDisposable {
  /** Announce other locations instead. */
  update(locations: readonly AnnouncedLocation[]): Promise<void>
  /** Take it back; later calls do nothing. */
  withdraw(): Promise<void>
}

/** What became of one question. */
export interface Asked {
  readonly resolver: string
  readonly outcome: 'found' | 'none' | 'failed'
  /** Why it failed. */
  readonly error?: unknown
}

/** The locations of one resolver, and who was asked until then, itself included. */
export interface Answer {
  readonly resolver: string
  /** That resolver, to be told what became of its answer. */
  readonly source: Resolver
  readonly locations: readonly Location[]
  readonly asked: readonly Asked[]
}

/** A resolver of the hints that a capability carries: in the order written, whoever asks. */
export function hintResolver(hints: readonly string[]): Resolver {
  const locations = hints.map((uri, index) => ({
    uri,
    priority: Math.min(index, LOCATION_RANK_MAX),
    weight: 0,
  }))
  return { name: 'hints in the capability', resolve: () => Promise.resolve(locations) }
}

/** Ask `resolvers` one after the other, each only when the one before gave nothing that could be used.
 * The caller stops iterating as soon as a location answers its handshake. Empty and failed answers are not yielded.
 * @throws `resolve/not_found`, which says who was asked, once nobody is left and nobody knew a location;
 * `resolve/registry` as soon as a resolver says so; the signal's reason when aborted. */
export async function* answers(
  resolvers: readonly Resolver[],
  keyHash: string,
  context: ResolveContext,
): AsyncGenerator<Answer, void, undefined> {
  const asked: Asked[] = []
  for (const resolver of resolvers) {
    context.signal?.throwIfAborted()
    let locations: readonly Location[] = []
    try {
      locations = await resolver.resolve(keyHash, context)
      asked.push({ resolver: resolver.name, outcome: locations.length > 0 ? 'found' : 'none' })
    } catch (error) {
      if (endsSearch(error)) throw error
      context.signal?.throwIfAborted()
      asked.push({ resolver: resolver.name, outcome: 'failed', error })
    }
    if (locations.length > 0) {
      yield { resolver: resolver.name, source: resolver, locations, asked: [...asked] }
    }
  }
  if (!asked.some(({ outcome }) => outcome === 'found')) throw notFound(keyHash, asked)
}

/** The answer of the first resolver that knows the service.
 * @throws as {@link answers}. */
export async function resolveFirst(
  resolvers: readonly Resolver[],
  keyHash: string,
  context: ResolveContext,
): Promise<Answer> {
  for await (const answer of answers(resolvers, keyHash, context)) return answer
  throw notFound(keyHash, [])
}

/** A damaged registry is shown, not passed over: the next directory might lead elsewhere. */
function endsSearch(error: unknown): boolean {
  return error instanceof NoisecapError && error.code === 'resolve/registry'
}

/** With the reason, where it is one of ours and so holds nothing that a peer wrote. */
function describe({ resolver, outcome, error }: Asked): string {
  return error instanceof NoisecapError
    ? `${resolver} (${outcome}: ${error.message})`
    : `${resolver} (${outcome})`
}

function notFound(keyHash: string, asked: readonly Asked[]): NoisecapError<'resolve/not_found'> {
  const whom = asked.map(describe).join(', ')
  const failures = asked.filter(({ outcome }) => outcome === 'failed').map(({ error }) => error)
  return new NoisecapError(
    'resolve/not_found',
    `Cannot find service ${keyHash}: expected a location from ${whom || 'at least one resolver'}, got none`,
    {
      hint: 'Start the service, give the capability a location hint, or configure a directory that both sides use',
      ...(failures.length > 0 && {
        cause: failures.length === 1 ? failures[0] : new AggregateError(failures),
      }),
    },
  )
}
