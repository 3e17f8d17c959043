// Types of nats.mjs, for tests.

/** A running server. */
export interface Nats {
  /** Options of a client's connection. */
  readonly connection: { readonly servers: string; readonly user: string; readonly pass: string }
  readonly directory: string
  log(): string
  /** End with SIGKILL: nothing more is written. */
  crash(): Promise<void>
  /** Start again after a crash, at the same place. */
  resume(): Promise<void>
  /** End for good, with all its data. */
  stop(): Promise<void>
}

export function findNats(): string | undefined
export function installNats(): string
export function startNats(options?: {
  /** Further lines of its configuration file. */
  readonly config?: string
  /** Where JetStream keeps its files. */
  readonly store?: string
  /** Further lines of the block `jetstream`. */
  readonly jetstream?: string
}): Promise<Nats>
