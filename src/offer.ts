// Types of an offer: what its factory learns, what it mints (spec/rpc.md §7). Leaves out the service that keeps offers.
import type { Capability, Claims, Restrictions, Use } from './capability/index.js'
import type { PublicKey } from './crypto/index.js'
import type { PathTemplate } from './path-template.js'
import type { CallContext, Handlers, Interface, Methods, Stub } from './rpc/index.js'

/** What a factory learns of the session for which it makes an object. */
export interface OfferContext<Params = Readonly<Record<string, string>>> {
  readonly params: Params
  /** The client's proven key; undefined when anonymous. */
  readonly client: PublicKey | undefined
  /** Claims of the grant: the service's own words. */
  readonly claims: Claims
  /** The capability's grant id, hexadecimal, for logs. */
  readonly grantId: string
}

/** Makes the object behind a path, once per session. Its `Symbol.dispose` or `Symbol.asyncDispose` runs at the end. */
export type Factory<M extends Methods, Params> = (
  context: OfferContext<Params>,
) => Handlers<M, CallContext> | Promise<Handlers<M, CallContext>>

/** One offered path. */
export interface OfferedPath {
  readonly template: PathTemplate
  readonly description: Interface
  readonly factory: (context: OfferContext) => object | Promise<object>
  /** Calls that one MAP may make, elements times steps; undefined: none. */
  readonly mapCalls: number | undefined
  readonly use: SessionUse
}

/** Uses of capabilities that a session may be opened with; sealing needs none. */
type SessionUse = Exclude<Use, 'seal'>

/** Options of an offer. */
export interface OfferOptions {
  /** Whether clients may have lists mapped here (docs/batches.md), and how many calls one map may make: elements times
   * steps. True stands for 1,024; default false. */
  readonly map?: boolean | number | undefined
  /** What capabilities of this path are for: those minted here have this use, and those of another use find no object
   * here. Default `call`. */
  readonly use?: SessionUse | undefined
}

/** Options of {@link Offer.mint}, besides caveats. */
export interface OfferMintOptions<M extends string> extends Restrictions<M> {
  /** The service's own words about the grant; handlers see them. */
  readonly claims?: Claims
  /** For people, in the text form. */
  readonly label?: string
  /** Location hints; default none, so that the service is found by its key hash. */
  readonly at?: readonly string[]
}

/** Mints capabilities for one offered path. */
export interface Offer<T, Params> {
  /** A capability for the object with these parameters. */
  mint<Name extends keyof T & string>(
    params: Params,
    options: OfferMintOptions<Name> & { readonly methods: readonly Name[] },
  ): Capability<Pick<T, Name>>
  mint(params: Params, options?: Omit<OfferMintOptions<string>, 'methods'>): Capability<T>
  /** A reference to the object with these parameters, for a handler to return: the offer's factory makes the object when it is
   * first called, one for each grant in a session, and its receiver may ask for a capability (`capabilityOf`), narrower
   * than his own. It cannot be called where it is made.
   * @returns yours, to be disposed unless it is given away as a result.
   * @throws TypeError for parameters that are no segments of a path. */
  reference(params: Params): Stub<T>
}
