// Interfaces as values: one declaration gives the types of both sides and the checks at run time.
// Each schema (Standard Schema v1) runs once, at the receiver: input at the service, output at the client; the sender's
// type is the schema's input. An interface is a schema itself: that of a reference to an object that has it.
// Leaves out the types (shapes.ts), dispatch (dispatch.ts) and stubs (stub.ts).
import type { InterfaceDescription } from '../capability/index.js'
import type { StandardSchema } from '../standard-schema.js'
import { CallError, Failure } from './failure.js'
import { type Description, defineMethod, type MethodDefinition } from './method-definition.js'
import type {
  Calls,
  ErrorNames,
  ErrorSchemas,
  ErrorsOf,
  Method,
  NoErrors,
  ReceivedData,
  SentData,
  SentReference,
  StreamMethod,
  Stub,
} from './shapes.js'
import { bindStub, isReference } from './stub.js'

/** Options of {@link method} and {@link stream}. */
export interface MethodOptions<Errors extends ErrorSchemas> {
  /** Errors that a handler may throw with data, by name. */
  readonly errors?: Errors
  /** Calling twice is as good as calling once. */
  readonly idempotent?: boolean
}

/** A method with types alone: nothing is checked at run time.
 * @example count: method<void, number>() */
export function method<In = void, Out = void>(): Method<In, In, Out, Out, NoErrors>
/** A method whose input and output are validated by the receiver with a Standard Schema (zod, valibot, arktype …), or are
 * references: then an interface stands there. A reference in the input is lent to the handler until its call has ended (see
 * `keep`); one in the output is given away by the handler, and is the caller's to dispose.
 * @example add: method(z.object({ text: z.string() }), z.number())
 * @example open: method(z.string(), Note) */
export function method<In, InReceived, Out, OutReceived, Errors extends ErrorSchemas = NoErrors>(
  input: StandardSchema<In, InReceived>,
  output: StandardSchema<Out, OutReceived>,
  options?: MethodOptions<Errors>,
): Method<In, InReceived, Out, OutReceived, Errors>
export function method(
  input?: StandardSchema,
  output?: StandardSchema,
  options: MethodOptions<ErrorSchemas> = {},
): Method<unknown, unknown, unknown, unknown, ErrorSchemas> {
  return { kind: 'call', input, output, ...traitsOf(options) }
}

/** A method that answers with a stream of items, each validated by the receiver. References in items are given away by the
 * producer, and are the reader's to dispose; what came in the input is lent until the stream is over.
 * @example tail: stream(z.object({ from: z.number() }), Note) */
export function stream<In = void, Item = unknown>(): StreamMethod<In, In, Item, Item, NoErrors>
export function stream<In, InReceived, Item, ItemReceived, Errors extends ErrorSchemas = NoErrors>(
  input: StandardSchema<In, InReceived>,
  item: StandardSchema<Item, ItemReceived>,
  options?: MethodOptions<Errors>,
): StreamMethod<In, InReceived, Item, ItemReceived, Errors>
export function stream(
  input?: StandardSchema,
  item?: StandardSchema,
  options: MethodOptions<ErrorSchemas> = {},
): StreamMethod<unknown, unknown, unknown, unknown, ErrorSchemas> {
  return { kind: item === bytes ? 'bytes' : 'items', input, output: item, ...traitsOf(options) }
}

function traitsOf({ errors, idempotent }: MethodOptions<ErrorSchemas>) {
  return { errors: errors ?? {}, idempotent: idempotent ?? false }
}

/** The item of a stream of bytes: it travels without CBOR, and where it is cut means nothing.
 * @example download: stream(z.string(), bytes) */
export const bytes: StandardSchema<Uint8Array, Uint8Array> = {
  '~standard': {
    version: 1,
    vendor: 'noisecap',
    validate: (value) =>
      value instanceof Uint8Array ? { value } : { issues: [{ message: 'expected bytes' }] },
  },
}

/** Any method or stream, where its types do not matter. */
interface Declared {
  readonly kind: MethodDefinition['kind']
  readonly input: StandardSchema | undefined
  readonly output: StandardSchema | undefined
  readonly errors: ErrorSchemas
  readonly idempotent: boolean
}

/** Methods by name. Their types are not looked at here: with any other type than `any` TypeScript resolves a getter of the
 * declaration while the interface is being inferred, and calls an interface that names itself circular. Each method is
 * checked where it is used, and by `define` at run time. */
// biome-ignore lint/suspicious/noExplicitAny: see above
export type Methods = Readonly<Record<string, any>>

/** An interface: a name for people, and methods that can be reached, nothing else. */
export class Interface<M extends Methods = Methods>
  implements InterfaceDescription<Calls<M>>, Description, StandardSchema<SentReference<M>, Stub<Calls<M>>>
{
  readonly name: string
  /** The declaration itself. */
  readonly declared: M
  declare readonly shape?: Calls<M>
  readonly '~standard': StandardSchema<SentReference<M>, Stub<Calls<M>>>['~standard']
  #methods: ReadonlyMap<string, MethodDefinition> | undefined

  constructor(name: string, methods: M) {
    this.name = name
    this.declared = methods
    this['~standard'] = {
      version: 1,
      vendor: 'noisecap',
      validate: (value) =>
        this.accepts(value) ? { value } : { issues: [{ message: `expected a reference to ${name}` }] },
    }
    for (const [method, { get }] of Object.entries(Object.getOwnPropertyDescriptors(methods))) {
      if (get === undefined) define(method, methods[method])
    }
  }

  /** What can be called, by name. Getters of the declaration are read when this is first asked for. */
  get methods(): ReadonlyMap<string, MethodDefinition> {
    this.#methods ??= new Map(
      Object.entries(this.declared).map(([name, declared]) => [name, define(name, declared)]),
    )
    return this.#methods
  }

  /** Whether `value` is a reference of this interface; one that arrived without an interface becomes one. For validators
   * that have a place for a predicate.
   * @example z.object({ listener: z.custom<Reference<typeof Listener>>(Listener.accepts) }) */
  readonly accepts = (value: unknown): value is Stub<Calls<M>> => isReference(value) && bindStub(value, this)

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

/** A reference to an object that has this interface. */
export type Reference<I> = I extends Interface<infer M> ? Stub<Calls<M>> : never

/** Declare an interface, once, in a module that both sides import.
 * @param name - for people: errors and logs.
 * @param methods - own, enumerable names; `then` and names with special meaning in JavaScript are refused. A method that
 * takes or returns references of this very interface stands in a getter: `get next() { return method(z.void(), Node) }`. */
export function iface<M extends Methods>(name: string, methods: M): Interface<M> {
  return new Interface(name, methods)
}

function define(name: string, declared: unknown): MethodDefinition {
  const { kind, input, output, errors, idempotent } = declared as Partial<Declared>
  if (kind === undefined || errors === undefined) {
    throw new TypeError(`Cannot declare method ${JSON.stringify(name)}: expected method() or stream()`)
  }
  return defineMethod(name, {
    kind,
    input,
    output,
    takes: input instanceof Interface ? input : undefined,
    returns: kind === 'call' && output instanceof Interface ? output : undefined,
    yields: kind === 'items' && output instanceof Interface ? output : undefined,
    errors: new Map(Object.entries(errors)),
    idempotent: idempotent ?? false,
  })
}
