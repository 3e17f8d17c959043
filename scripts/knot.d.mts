// Types of knot.mjs, for tests.

/** A running server. */
export interface Knot {
  readonly zone: string
  /** `host:port`. */
  readonly server: string
  /** Each as `algorithm:name:secret`. */
  readonly keys: Readonly<Record<'publisher' | 'publisher512' | 'stranger', string>>
  readonly directory: string
  log(): string
  stop(): Promise<void>
}

export function findKnot(): string | undefined
export function installKnot(): string
export function startKnot(options?: { readonly records?: readonly string[] }): Promise<Knot>
