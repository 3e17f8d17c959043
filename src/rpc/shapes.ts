// The types of both sides of an interface: what a client calls, what a service implements, what stands for a reference.
// Types alone. Leaves out how interfaces are declared (interface.ts) and what stubs do (stub.ts).

import type { Capability } from '../capability/index.js'
import type { StandardSchema } from '../standard-schema.js'
import type { CallContext, CallOptions } from './call-options.js'

/** Declared errors of one method: name to the schema of its data. */
export type ErrorSchemas = Readonly<Record<string, StandardSchema>>

/** One method: what goes in and out, as the sender writes it and as the receiver gets it. */
export interface Method<In, InReceived, Out, OutReceived, Errors extends ErrorSchemas> {
  readonly kind: 'call'
  readonly input: StandardSchema<In, InReceived> | undefined
  readonly output: StandardSchema<Out, OutReceived> | undefined
  readonly errors: Errors
  /** Whether calling twice is as good as calling once, so that a call may be repeated after a lost connection. */
  readonly idempotent: boolean
}

/** One method that answers with a stream of items, or of bytes. */
export interface StreamMethod<In, InReceived, Item, ItemReceived, Errors extends ErrorSchemas> {
  readonly kind: 'items' | 'bytes'
  readonly input: StandardSchema<In, InReceived> | undefined
  readonly output: StandardSchema<Item, ItemReceived> | undefined
  readonly errors: Errors
  readonly idempotent: boolean
}

/** A method that declares no errors. */
export type NoErrors = Record<never, never>

declare const shape: unique symbol

/** What tells references from other objects with the same methods; for types alone. It has a name, so that declarations of
 * a user's module can name it. */
export interface Shaped<T> {
  readonly [shape]: T
}

/** The methods of what a reference, or the promise of one, stands for; unknown where its type does not say. */
export type ShapeOf<R> = R extends { readonly [shape]: infer T }
  ? T
  : R extends Promise<infer S>
    ? ShapeOf<S>
    : unknown

/** Stands for an object elsewhere whose methods are `T`; `using` or `await using` releases it. */
export type Stub<T> = T & Disposable & AsyncDisposable & Shaped<T>

/** A reference that is still to come: once awaited it is the caller's to dispose, never awaited it is let go by itself, at the
 * latest after 128 newer ones, unless `using` holds it. Its methods can be called before it is there, without a round trip. */
export type ReferencePromise<T> = Promise<Stub<T>> & T & Disposable

/** A reference in an answer that is still to come: it can be called and passed on, but there is nothing to dispose yet. */
export type PipelinedReference<T> = T & Shaped<T>

/** What a call gives. */
export type Answer<T> = [T] extends [never]
  ? Promise<never>
  : [T] extends [Shaped<infer Shape>]
    ? ReferencePromise<Shape>
    : Promise<T>

/** What nothing is nested in, as far as paths go. */
type Leaf =
  | Date
  | ReadonlyMap<unknown, unknown>
  | ReadonlySet<unknown>
  | Uint8Array
  | AsyncIterable<unknown>
  | ReadableStream
  | Capability
  | ((...args: never[]) => unknown)

/** The first members are named, so that they are not taken for undefined: whether they are there is known later. */
export interface PipelinedList<Member> extends Readonly<Record<FirstIndex, Pipelined<Member>>> {
  readonly [index: number]: Pipelined<Member>
}
type FirstIndex = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9

/** What can be done with an answer before it is there: references in it are called, members of objects followed. A member
 * that is data is `never` here: nothing can be done with it but to pass it on. */
export type Pipelined<T> =
  T extends Shaped<infer Shape>
    ? PipelinedReference<Shape>
    : T extends readonly (infer Member)[]
      ? PipelinedList<Member>
      : T extends Leaf
        ? never
        : T extends object
          ? { readonly [Key in keyof T]-?: Pipelined<T[Key]> }
          : never

/** What may be sent as a reference of this interface: one, one that is to come, or an object that implements it. */
export type SentReference<M> =
  | Handlers<M, CallContext>
  // Without the methods, so that those of an object that is written down here get their types from the handlers.
  | Shaped<Calls<M>>
  | Promise<Shaped<Calls<M>>>

/** What may be sent as a stream; references that it yields are given away. */
export type StreamSource<Item> = AsyncIterable<Item> | ReadableStream<Item>

/** A stream as it arrives; to be read once. Leaving a `for await` early, or `return`, stops the sender. */
export interface ReceivedStream<Item> extends AsyncIterableIterator<Item>, AsyncDisposable {
  next(): Promise<IteratorResult<Item, undefined>>
  return(): Promise<IteratorResult<Item, undefined>>
  [Symbol.asyncIterator](): ReceivedStream<Item>
  /** The same as a Web Stream. */
  readable(): ReadableStream<Item>
}

/** The value, or the answer of another call that gives it: that need not be there yet. */
export type OrAnswer<T> = T | Promise<T>

/** The input may be left out where it may be undefined or is void. */
type Arguments<In> = undefined extends In
  ? [input?: OrAnswer<In>, options?: CallOptions]
  : [input: OrAnswer<In>, options?: CallOptions]

/** What a client calls: the shape that a Capability of the interface carries in its type. */
export type Calls<M> = {
  readonly [Name in keyof M]: M[Name] extends Method<
    infer In,
    infer _InReceived,
    infer _Out,
    infer OutReceived,
    infer _Errors
  >
    ? (...args: Arguments<In>) => Answer<OutReceived>
    : M[Name] extends StreamMethod<
          infer In,
          infer _InReceived,
          infer _Item,
          infer ItemReceived,
          infer _Errors
        >
      ? (...args: Arguments<In>) => ReceivedStream<ItemReceived>
      : never
}

/** An object is disposed when nobody holds a reference to it any more. */
export interface MaybeDisposable {
  [Symbol.dispose]?(): void
  [Symbol.asyncDispose]?(): PromiseLike<void>
}

/** What a service implements. */
export type Handlers<M, Context> = MaybeDisposable & {
  readonly [Name in keyof M]: M[Name] extends Method<
    infer _In,
    infer InReceived,
    infer Out,
    infer _OutReceived,
    infer _Errors
  >
    ? (input: InReceived, context: Context) => Out | Promise<Out>
    : M[Name] extends StreamMethod<
          infer _In,
          infer InReceived,
          infer Item,
          infer _ItemReceived,
          infer _Errors
        >
      ? (input: InReceived, context: Context) => StreamSource<Item> | Promise<StreamSource<Item>>
      : never
}

/** Names of the errors that a method declares. */
export type ErrorNames<M, Name extends keyof M> = keyof ErrorsOf<M, Name> & string
/** Declared errors of a method. */
export type ErrorsOf<M, Name extends keyof M> = M[Name] extends { readonly errors: infer Errors }
  ? Errors
  : never
/** Data of a declared error as its sender writes it. */
export type SentData<S> = S extends StandardSchema<infer In, infer _Out> ? In : never
/** Data of a declared error as its receiver gets it. */
export type ReceivedData<S> = S extends StandardSchema<infer _In, infer Out> ? Out : never
