// Types of postgres.mjs, for tests and benchmarks.

/** A running server. */
export interface Postgres {
  /** Of the database `postgres`, with user and password. */
  readonly url: string
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string
  readonly database: string
  readonly directory: string
  log(): string
  /** End as if the power had failed: nothing more is written. */
  crash(): Promise<void>
  /** Start again after a crash, at the same place. */
  resume(): Promise<void>
  /** End for good, with all its data. */
  stop(): Promise<void>
}

export function findPostgres(): string | undefined
export function installPostgres(): string
export function startPostgres(options?: {
  /** Of postgresql.conf. */
  readonly settings?: Readonly<Record<string, string>>
}): Promise<Postgres>
