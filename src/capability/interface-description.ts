// The slot by which the rpc layer ties a capability to the interface of its object; opaque to this layer.
// Leaves out interfaces themselves (src/rpc/interface.ts) and everything that would look into one.

/** What a capability's object understands; `T` is the interface's record of methods, in types only. */
export interface InterfaceDescription<T = unknown> {
  readonly name: string
  readonly shape?: T
}

/** Names of the methods of `T`; any text where `T` is not known. */
export type MethodNameOf<T> = unknown extends T ? string : Extract<keyof T, string>

/** `T` with only the methods `M`; unknown where `T` is not known. */
export type NarrowedTo<T, M extends string> = unknown extends T ? unknown : Pick<T, Extract<M, keyof T>>
