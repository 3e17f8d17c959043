// observe: what a stream of a live object tells, as a store for user interfaces. React, Vue, Svelte and plain pages read the
// same three things: the value so far, how things stand, and why they do not. The stream is opened with the first subscriber,
// opened again after a lost connection, and closed with the last one. Leaves out drawing.
import { type Clock, SYSTEM_CLOCK, type Timer } from './clock.js'
import { NoisecapError } from './errors.js'
import { onBroken } from './rpc/index.js'

const RETRY_FIRST_MS = 250
const RETRY_MAX_MS = 4_000

/** How a store stands: `connecting` until the first item, `live`, `away` while the service cannot be reached (it is tried
 * again), `over` when it will tell nothing more: the stream ended, or the service refuses. */
export type ObservedStatus = 'connecting' | 'live' | 'away' | 'over'

/** What a store tells; a new object at each change. */
export interface Observed<Value> {
  readonly status: ObservedStatus
  /** Undefined before the first item; kept while `away` and when `over`. */
  readonly value: Value | undefined
  /** Why it is `away` or `over`; undefined for a stream that ended by itself. */
  readonly error: unknown
}

/** A store: that of Svelte as it is, that of React through `useSyncExternalStore(store.subscribe, store.get)`. */
export interface ObservedStore<Value> {
  readonly get: () => Observed<Value>
  /** Tell `run` how things stand, at once and at each change.
   * @returns what ends that. */
  readonly subscribe: (run: (observed: Observed<Value>) => void) => () => void
  /** Do not wait for the next try: the network is back, or somebody pressed a button. */
  readonly retry: () => void
}

/** Options of {@link observe}. */
export interface ObserveOptions<Item, Value> {
  /** The next value, of the one before (undefined at the first) and an item; default the item itself. After a lost connection the
   * stream begins anew, with the value that was there. */
  readonly reduce?: ((previous: Value | undefined, item: Item) => Value) | undefined
  /** Waits between tries; for tests. */
  readonly clock?: Clock | undefined
}

/** Codes after which the same call may succeed later; every other one is final. */
const PASSING_CODES: ReadonlySet<string> = new Set([
  'rpc/unavailable',
  'rpc/disconnected',
  'rpc/canceled',
  'rpc/deadline_exceeded',
  'rpc/resource_exhausted',
  'session/closed',
  'session/truncated',
  'session/no_answer',
  'session/overloaded',
  'transport/unreachable',
  'resolve/not_found',
])

/** A store of what a live object tells.
 * @param reference - whose end is told at once (see `onBroken`); its owner disposes it.
 * @param follow - opens the stream: `(signal) => notebook.watch(undefined, { signal })`.
 * @throws TypeError when `reference` is none. */
export function observe<Item, Value = Item>(
  reference: object,
  follow: (signal: AbortSignal) => AsyncIterable<Item>,
  { reduce = (_, item) => item as unknown as Value, clock = SYSTEM_CLOCK }: ObserveOptions<Item, Value> = {}, // the default is for Value = Item
): ObservedStore<Value> {
  const store = new Store(follow, reduce, clock)
  onBroken(reference, (error) => store.end(error))
  return { get: () => store.observed, subscribe: (run) => store.subscribe(run), retry: () => store.retry() }
}

class Store<Item, Value> {
  observed: Observed<Value> = { status: 'connecting', value: undefined, error: undefined }
  readonly #follow: (signal: AbortSignal) => AsyncIterable<Item>
  readonly #reduce: (previous: Value | undefined, item: Item) => Value
  readonly #clock: Clock
  readonly #subscribers = new Set<{ readonly run: (observed: Observed<Value>) => void }>()
  #open: AbortController | undefined
  #waiting: Timer | undefined
  #failures = 0

  constructor(
    follow: (signal: AbortSignal) => AsyncIterable<Item>,
    reduce: (previous: Value | undefined, item: Item) => Value,
    clock: Clock,
  ) {
    this.#follow = follow
    this.#reduce = reduce
    this.#clock = clock
  }

  subscribe(run: (observed: Observed<Value>) => void): () => void {
    const subscriber = { run }
    this.#subscribers.add(subscriber)
    run(this.observed)
    this.#start()
    return () => {
      this.#subscribers.delete(subscriber)
      if (this.#subscribers.size === 0) this.#stop()
    }
  }

  retry(): void {
    if (this.#waiting === undefined) return
    this.#clearWait()
    this.#failures = 0
    this.#start()
  }

  /** Nothing more will come. */
  end(error: unknown): void {
    if (this.observed.status === 'over') return
    this.#tell({ ...this.observed, status: 'over', error })
    this.#stop()
  }

  #start(): void {
    if (this.#open !== undefined || this.#waiting !== undefined || this.observed.status === 'over') return
    if (this.#subscribers.size === 0) return
    const controller = new AbortController()
    this.#open = controller
    void this.#read(controller)
  }

  #stop(): void {
    this.#clearWait()
    this.#open?.abort()
    this.#open = undefined
  }

  async #read(controller: AbortController): Promise<void> {
    try {
      for await (const item of this.#follow(controller.signal)) {
        if (this.#open !== controller) return
        this.#failures = 0
        this.#tell({ status: 'live', value: this.#reduce(this.observed.value, item), error: undefined })
      }
      if (this.#open === controller) this.end(undefined)
    } catch (error) {
      if (this.#open !== controller) return
      this.#open = undefined
      const final = finalIn(error)
      if (final !== undefined) this.end(final)
      else this.#away(error)
    }
  }

  #away(error: unknown): void {
    this.#tell({ ...this.observed, status: 'away', error })
    const delayMs = Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** this.#failures)
    this.#failures += 1
    this.#waiting = this.#clock.setTimeout(() => {
      this.#waiting = undefined
      this.#start()
    }, delayMs)
  }

  #clearWait(): void {
    if (this.#waiting !== undefined) this.#clock.clearTimeout(this.#waiting)
    this.#waiting = undefined
  }

  #tell(observed: Observed<Value>): void {
    this.observed = observed
    for (const { run } of [...this.#subscribers]) run(observed)
  }
}

/** The refusal in an error or its causes, undefined when trying again makes sense. */
function finalIn(error: unknown): unknown {
  if (!(error instanceof NoisecapError)) return error
  if (!PASSING_CODES.has(error.code)) return error
  // A dial that the service itself refused stands as the cause of a call that was not possible.
  return error.cause instanceof NoisecapError ? finalIn(error.cause) : undefined
}
