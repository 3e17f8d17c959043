// Interfaces as values: one declaration gives the types of both sides and the checks at run time.
// Each schema (Standard Schema v1) runs once, at the receiver: input at the service, output at the client; the sender's
// type is the schema's input. Leaves out dispatch (peer.ts) and stubs (stub.ts).
import { utf8 } from '../bytes.js'
import type { InterfaceDescription } from '../capability/index.js'
import { METHOD_NAME_MAX_BYTES } from '../limits.js'
import type { CallOptions } from './call-options.js'
import { CallError, Failure } from './failure.js'
import type { StandardSchema } from './standard-schema.js'

/** Declared errors of one method: name to the schema of its data. */
export type ErrorSchemas = Readonly<Record<string, StandardSchema>>

/** One method: what goes in and out, as the sender writes it and as the receiver gets it. */
export interface Method<In, InReceived, Out, OutReceived, Errors extends ErrorSchemas> {
  readonly input: StandardSchema<In, InReceived> | undefined
  readonly output: StandardSchema<Out, OutReceived> | undefined
  readonly errors: Errors
  /** Whether calling twice is as good as calling once, so that a call may be repeated after a lost connection. */
  readonly idempotent: boolean
}

/** Any method, where its types do not matter. */
type AnyMethod = Method<unknown, unknown, unknown, unknown, ErrorSchemas>

/** Options of {@link method}. */
export interface MethodOptions<Errors extends ErrorSchemas> {
  readonly errors?: Errors
  readonly idempotent?: boolean
}

/** A method with types alone: nothing is checked at run time.
 * @example count: method<void, number>() */
export function method<In = void, Out = void>(): Method<In, In, Out, Out, Record<never, never>>
/** A method whose input and output are validated by the receiver with a Standard Schema (zod, valibot, arktype …).
 * @example add: method(z.object({ text: z.string() }), z.number()) */
export function method<In, InReceived, Out, OutReceived, Errors extends ErrorSchemas = Record<never, never>>(
  input: StandardSchema<In, InReceived>,
  output: StandardSchema<Out, OutReceived>,
  options?: MethodOptions<Errors>,
): Method<In, InReceived, Out, OutReceived, Errors>
export function method(
  input?: StandardSchema,
  output?: StandardSchema,
  options: MethodOptions<ErrorSchemas> = {},
): Method<unknown, unknown, unknown, unknown, ErrorSchemas> {
  return { input, output, errors: options.errors ?? {}, idempotent: options.idempotent ?? false }
}

/** A record of methods. */
export type Methods = Readonly<Record<string, AnyMethod>>

/** The input may be left out where it may be undefined or is void. */
type Arguments<In> = undefined extends In
  ? [input?: In, options?: CallOptions]
  : [input: In, options?: CallOptions]

/** What a client calls: the shape that a Capability of the interface carries in its type. */
export type Calls<M extends Methods> = {
  readonly [Name in keyof M]: M[Name] extends Method<
    infer In,
    infer _InReceived,
    infer _Out,
    infer OutReceived,
    infer _Errors
  >
    ? (...args: Arguments<In>) => Promise<OutReceived>
    : never
}

/** What a service implements. */
export type Handlers<M extends Methods, Context> = {
  readonly [Name in keyof M]: M[Name] extends Method<
    infer _In,
    infer InReceived,
    infer Out,
    infer _OutReceived,
    infer _Errors
  >
    ? (input: InReceived, context: Context) => Out | Promise<Out>
    : never
}

/** Names of the errors that a method declares. */
type ErrorNames<M extends Methods, Name extends keyof M> = keyof ErrorsOf<M, Name> & string
type ErrorsOf<M extends Methods, Name extends keyof M> =
  M[Name] extends Method<infer _A, infer _B, infer _C, infer _D, infer Errors> ? Errors : never
type SentData<S> = S extends StandardSchema<infer In, infer _Out> ? In : never
type ReceivedData<S> = S extends StandardSchema<infer _In, infer Out> ? Out : never

/** A declared method as dispatch sees it. */
export interface MethodDefinition {
  readonly name: string
  /** varint length ‖ UTF-8 name, as it stands in a CALL. */
  readonly encodedName: Uint8Array
  readonly input: StandardSchema | undefined
  readonly output: StandardSchema | undefined
  readonly errors: ReadonlyMap<string, StandardSchema>
  readonly idempotent: boolean
}

/** An interface: a name for people, and methods that can be reached, nothing else. */
export class Interface<M extends Methods = Methods> implements InterfaceDescription<Calls<M>> {
  readonly name: string
  readonly methods: ReadonlyMap<string, MethodDefinition>
  /** The declaration itself. */
  readonly declared: M
  declare readonly shape?: Calls<M>

  constructor(name: string, methods: M) {
    this.name = name
    this.declared = methods
    this.methods = new Map(
      Object.entries(methods).map(([method, definition]) => [method, define(method, definition)]),
    )
  }

  /** An error for a handler to throw, declared by the method; its data crosses to the caller.
   * @example throw Notes.failure('read', 'noteMissing', { id }) */
  failure<Name extends keyof M & string, ErrorName extends ErrorNames<M, Name>>(
    method: Name,
    name: ErrorName,
    data: SentData<ErrorsOf<M, Name>[ErrorName]>,
    message?: string,
  ): Failure {
    if (!this.methods.get(method)?.errors.has(name)) {
      throw new TypeError(`Cannot make failure: ${this.name}.${method} does not declare the error ${name}`)
    }
    return new Failure('declared', message ?? name, { name, data })
  }

  /** Whether `error` is the declared error `name` of `method`; narrows its data.
   * @example if (Notes.isFailure(error, 'read', 'noteMissing')) error.data.id */
  isFailure<Name extends keyof M & string, ErrorName extends ErrorNames<M, Name>>(
    error: unknown,
    method: Name,
    name: ErrorName,
  ): error is CallError & { readonly data: ReceivedData<ErrorsOf<M, Name>[ErrorName]> } {
    return (
      error instanceof CallError &&
      error.code === 'rpc/declared' &&
      error.failureName === name &&
      error.method === method
    )
  }
}

/** Declare an interface, once, in a module that both sides import.
 * @param name - for people: errors and logs.
 * @param methods - own, enumerable names; `then` and names with special meaning in JavaScript are refused. */
export function iface<const M extends Methods>(name: string, methods: M): Interface<M> {
  return new Interface(name, methods)
}

/** A request of the session itself, in the table of calls: it has a name for errors, and no schemas. */
export function sessionMethod(name: string): MethodDefinition {
  return define(name, method())
}

const REFUSED_NAMES: ReadonlySet<string> = new Set([
  'then',
  'catch',
  'finally',
  'constructor',
  '__proto__',
  'prototype',
])

function define(name: string, definition: AnyMethod): MethodDefinition {
  const bytes = utf8(name)
  if (bytes.length === 0 || bytes.length > METHOD_NAME_MAX_BYTES || REFUSED_NAMES.has(name)) {
    throw new TypeError(
      `Cannot declare method ${JSON.stringify(name)}: expected 1 to 127 bytes and none of ${[...REFUSED_NAMES].join(', ')}`,
    )
  }
  const encodedName = new Uint8Array(1 + bytes.length)
  encodedName[0] = bytes.length
  encodedName.set(bytes, 1)
  return {
    name,
    encodedName,
    input: definition.input,
    output: definition.output,
    errors: new Map(Object.entries(definition.errors)),
    idempotent: definition.idempotent,
  }
}
