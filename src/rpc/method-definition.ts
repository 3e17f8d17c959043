// A declared method as calls and dispatch see it, and the names that a method may have (spec/rpc.md §3).
// Leaves out how interfaces are declared and typed (interface.ts).
import { utf8 } from '../bytes.js'
import { METHOD_NAME_MAX_BYTES } from '../limits.js'
import type { StandardSchema } from '../standard-schema.js'

/** What a reference can do, as far as calls need to know. */
export interface Description {
  readonly name: string
  readonly methods: ReadonlyMap<string, MethodDefinition>
}

/** Whether a method answers once, or with a stream of items or of bytes. */
type MethodKind = 'call' | 'items' | 'bytes'

/** One method. */
export interface MethodDefinition {
  readonly name: string
  /** varint length ‖ UTF-8 name, as it stands in a CALL. */
  readonly encodedName: Uint8Array
  readonly kind: MethodKind
  readonly input: StandardSchema | undefined
  /** Of the result; of each item, where the method answers with a stream. */
  readonly output: StandardSchema | undefined
  /** Interface of the input, where that is a reference as a whole. */
  readonly takes: Description | undefined
  /** Interface of the result, where that is a reference as a whole. */
  readonly returns: Description | undefined
  /** Interface of each item, where that is a reference as a whole. */
  readonly yields: Description | undefined
  readonly errors: ReadonlyMap<string, StandardSchema>
  readonly idempotent: boolean
}

const REFUSED_NAMES: ReadonlySet<string> = new Set([
  'then',
  'catch',
  'finally',
  'constructor',
  '__proto__',
  'prototype',
])

/** Whether a method may have this name. */
export function isMethodName(name: string): boolean {
  if (name.length === 0 || name.length > METHOD_NAME_MAX_BYTES || REFUSED_NAMES.has(name)) return false
  return utf8(name).length <= METHOD_NAME_MAX_BYTES
}

/** What distinguishes one method from the plainest. */
export type MethodTraits = Partial<Omit<MethodDefinition, 'name' | 'encodedName'>>

/** A method of this name.
 * @throws TypeError for a name that no method may have. */
export function defineMethod(name: string, traits: MethodTraits = {}): MethodDefinition {
  if (!isMethodName(name)) {
    throw new TypeError(
      `Cannot declare method ${JSON.stringify(name)}: expected 1 to 127 bytes and none of ${[...REFUSED_NAMES].join(', ')}`,
    )
  }
  const bytes = utf8(name)
  const encodedName = new Uint8Array(1 + bytes.length)
  encodedName[0] = bytes.length
  encodedName.set(bytes, 1)
  return {
    name,
    encodedName,
    kind: traits.kind ?? 'call',
    input: traits.input,
    output: traits.output,
    takes: traits.takes,
    returns: traits.returns,
    yields: traits.yields,
    errors: traits.errors ?? NO_ERRORS,
    idempotent: traits.idempotent ?? false,
  }
}

const NO_ERRORS: ReadonlyMap<string, StandardSchema> = new Map()
