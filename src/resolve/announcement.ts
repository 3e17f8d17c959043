// An announcement that is refreshed until it is withdrawn. Its writes follow each other, so that a withdrawal is never
// undone by a refresh that was under way; the timer does not keep a process alive.
// Leaves out what is written where (file.ts and other announcers). Spec: spec/resolve.md §4.
import type { AnnouncedLocation } from './record.js'
import type { Announcement } from './resolver.js'

/** What a {@link FreshAnnouncement} does and when. */
export interface FreshAnnouncementOptions {
  readonly locations: readonly AnnouncedLocation[]
  /** Publish a new record. */
  readonly write: (locations: readonly AnnouncedLocation[]) => Promise<void>
  /** Take the record back, if there is one. */
  readonly remove: () => Promise<void>
  /** Between two refreshes, ms. */
  readonly refreshMs: number
  /** Told when a refresh fails; the next one is tried all the same. */
  readonly onRefreshError: (error: unknown) => void
}

/** Writes at once, then again and again. */
export class FreshAnnouncement implements Announcement {
  readonly #options: FreshAnnouncementOptions
  readonly #timer: ReturnType<typeof setInterval>
  #locations: readonly AnnouncedLocation[]
  #last: Promise<void> = Promise.resolve()
  #withdrawn = false

  private constructor(options: FreshAnnouncementOptions) {
    this.#options = options
    this.#locations = options.locations
    this.#timer = setInterval(() => {
      this.#enqueueWrite().catch(options.onRefreshError)
    }, options.refreshMs)
    // Node's timers have it, those of browsers are numbers.
    const timer: unknown = this.#timer
    if (
      typeof timer === 'object' &&
      timer !== null &&
      'unref' in timer &&
      typeof timer.unref === 'function'
    ) {
      timer.unref()
    }
  }

  /** Resolves once the first record is written.
   * @throws what `write` throws; nothing is left running then. */
  static async start(options: FreshAnnouncementOptions): Promise<FreshAnnouncement> {
    await options.write(options.locations)
    return new FreshAnnouncement(options)
  }

  async update(locations: readonly AnnouncedLocation[]): Promise<void> {
    const before = this.#locations
    this.#locations = locations
    try {
      await this.#enqueueWrite()
    } catch (error) {
      if (this.#locations === locations) this.#locations = before
      throw error
    }
  }

  async withdraw(): Promise<void> {
    this.#withdrawn = true
    clearInterval(this.#timer)
    await this.#enqueue(this.#options.remove)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.withdraw()
  }

  #enqueueWrite(): Promise<void> {
    return this.#enqueue(async () => {
      if (!this.#withdrawn) await this.#options.write(this.#locations)
    })
  }

  /** Run `action` once everything before it is done, whether that went well or not. */
  #enqueue(action: () => Promise<void>): Promise<void> {
    const turn = this.#last.then(action)
    this.#last = turn.catch(() => {})
    return turn
  }
}
