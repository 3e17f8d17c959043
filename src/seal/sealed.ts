// Sealed: a sealed value together with its place, opened when somebody asks (spec/seal.md §7), and openAll for many of them,
// where a bad one does not spoil the others. Prints as `[sealed]`, so a row can be logged.
// Leaves out databases: who reads a row makes these.
import { redact } from '../redact.js'
import type { Acceptance } from './acceptance.js'
import type { Place } from './column.js'
import type { Opened, OpenOptions, SealReader } from './reader.js'

/** A value that has not been opened yet. */
export class Sealed<out Value> {
  /** As it is stored; borrowed. */
  readonly bytes: Uint8Array
  readonly place: Place<never, Value>

  /** @param bytes - referred to, not copied. */
  constructor(bytes: Uint8Array, place: Place<never, Value>) {
    this.bytes = bytes
    this.place = place
  }

  /** Open it; see {@link SealReader.open}. */
  open<Accepted extends Acceptance>(
    reader: SealReader<Accepted>,
    options?: OpenOptions,
  ): Opened<Value, Accepted['pattern']> {
    return reader.open(this.bytes, this.place, options)
  }
}

redact(Sealed, () => '[sealed]')

/** What became of one value. */
export type Outcome<Value, Accepted extends Acceptance> =
  | ({ readonly ok: true } & Opened<Value, Accepted['pattern']>)
  | { readonly ok: false; readonly error: Error }

/** Open all values, in order; one that does not open gives its error in its place. */
export function openAll<Value, Accepted extends Acceptance>(
  reader: SealReader<Accepted>,
  values: Iterable<Sealed<Value>>,
  options?: OpenOptions,
): readonly Outcome<Value, Accepted>[] {
  const outcomes: Outcome<Value, Accepted>[] = []
  for (const sealed of values) {
    try {
      const { value, from } = reader.open(sealed.bytes, sealed.place, options)
      outcomes.push({ ok: true, value, from })
    } catch (error) {
      if (!(error instanceof Error)) throw error
      outcomes.push({ ok: false, error })
    }
  }
  return outcomes
}
