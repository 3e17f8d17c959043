// The types of both sides of an interface: what a client calls, what a service implements, what stands for a reference.
// Types alone. Leaves out how interfaces are declared (interface.ts) and what stubs do (stub.ts).

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

declare const shape: unique symbol

/** Stands for an object elsewhere whose methods are `T`; `using` or `await using` releases it. */
export type Stub<T> = T & Disposable & AsyncDisposable & { readonly [shape]: T }

/** A reference that is still to come; its methods can be called before it is there, without a round trip. */
export type ReferencePromise<T> = Promise<Stub<T>> & T & Disposable

/** What a call gives. */
export type Answer<T> = [T] extends [{ readonly [shape]: infer Shape }] ? ReferencePromise<Shape> : Promise<T>

/** What may be sent as a reference of this interface: one, one that is to come, or an object that implements it. */
export type SentReference<M> =
  | Handlers<M, CallContext>
  // Without the methods, so that those of an object that is written down here get their types from the handlers.
  | { readonly [shape]: Calls<M> }
  | Promise<{ readonly [shape]: Calls<M> }>

/** What may be sent as a stream. */
export type StreamSource<Item> = AsyncIterable<Item> | ReadableStream<Item>

/** A stream as it arrives; to be read once. Leaving a `for await` early, or `return`, stops the sender. */
export interface ReceivedStream<Item> extends AsyncIterableIterator<Item>, AsyncDisposable {
  next(): Promise<IteratorResult<Item, undefined>>
  return(): Promise<IteratorResult<Item, undefined>>
  [Symbol.asyncIterator](): ReceivedStream<Item>
  /** The same as a Web Stream. */
  readable(): ReadableStream<Item>
}

/** The input may be left out where it may be undefined or is void; it may also be the answer of another call. */
type Arguments<In> = undefined extends In
  ? [input?: In, options?: CallOptions]
  : [input: In | Promise<In>, options?: CallOptions]

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

/** What a service implements. */
export type Handlers<M, Context> = {
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
