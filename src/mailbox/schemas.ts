// What may cross between relay and client (spec/mailbox.md §7), checked by whoever receives it: each schema says what it expects
// and never quotes what came. Leaves out the interfaces that they stand in (interfaces.ts).
import { Capability } from '../capability/index.js'
import type { StandardSchema } from '../rpc/index.js'

/** Says whether a value is a `T`. */
export type Check<T> = (value: unknown) => value is T
/** What a check lets through. */
type Checked<C> = C extends Check<infer T> ? T : never

/** A schema of a check.
 * @param expected - for people. */
export function schema<T>(check: Check<T>, expected: string): StandardSchema<T, T> {
  const issues = [{ message: `expected ${expected}` }]
  return {
    '~standard': {
      version: 1,
      vendor: 'noisecap',
      validate: (value) => (check(value) ? { value } : { issues }),
    },
  }
}

/** Bytes of a length from `min` to `max`. */
export const bytesOf =
  (min: number, max: number = min): Check<Uint8Array> =>
  (value): value is Uint8Array =>
    value instanceof Uint8Array && value.length >= min && value.length <= max

/** A whole number from `min` to `max`. */
export const wholeFrom =
  (min: number, max: number = Number.MAX_SAFE_INTEGER): Check<number> =>
  (value): value is number =>
    Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max

/** Text of at most `max` characters. */
export const textTo =
  (max: number): Check<string> =>
  (value): value is string =>
    typeof value === 'string' && value.length <= max

export const isBoolean: Check<boolean> = (value): value is boolean => typeof value === 'boolean'

export const isCapability: Check<Capability> = (value): value is Capability => value instanceof Capability

/** One of `words`. */
export const oneOf =
  <const Word extends string>(...words: readonly Word[]): Check<Word> =>
  (value): value is Word =>
    words.includes(value as Word)

/** What `check` lets through, or undefined. */
export const optionally =
  <T>(check: Check<T>): Check<T | undefined> =>
  (value): value is T | undefined =>
    value === undefined || check(value)

/** A list of at most `max`. */
export const listOf =
  <T>(check: Check<T>, max: number): Check<readonly T[]> =>
  (value): value is readonly T[] =>
    Array.isArray(value) && value.length <= max && value.every(check)

type Members = Readonly<Record<string, Check<unknown>>>
type OptionalNames<M extends Members> = {
  [Name in keyof M]: undefined extends Checked<M[Name]> ? Name : never
}[keyof M]
/** What {@link objectOf} lets through: members that may be undefined may be left out. */
export type ObjectOf<M extends Members> = {
  readonly [Name in Exclude<keyof M, OptionalNames<M>>]: Checked<M[Name]>
} & { readonly [Name in OptionalNames<M>]?: Checked<M[Name]> }

/** An object with these members; others are let through and not looked at. */
export const objectOf = <const M extends Members>(members: M): Check<ObjectOf<M>> => {
  const entries = Object.entries(members)
  return (value): value is ObjectOf<M> =>
    typeof value === 'object' &&
    value !== null &&
    entries.every(([name, check]) => check((value as Readonly<Record<string, unknown>>)[name]))
}
