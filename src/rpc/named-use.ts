// What named objects need of the right by which they are called (spec/rpc.md §7): a share in the object that it opens.
// Types alone. Leaves out exports (exports.ts) and the objects themselves (named-target.ts).
import type { Description } from './method-definition.js'

/** An object that calls reach, and what may be called on it. */
export interface Target {
  readonly description: Description
  readonly object: object
}

/** A share in an object that has a name. */
export interface NamedUse {
  target(): Target | Promise<Target>
  /** It is needed no more. */
  end(): void
}

/** Opens objects by name. */
export interface Opener {
  /** A share in the object at `path` of `host`, as it is for this authority.
   * @returns undefined when that is no object of its own service. */
  open?(host: object, path: string): NamedUse | undefined
}
