// RelayClient: opens boxes at a relay (spec/mailbox.md §7.1). The name of a box is drawn here, and the relay never hears it.
// Leaves out what is done with a box (outbox.ts, inbox.ts, box-owner.ts).
import type { Capability } from '../capability/index.js'
import type { Connect, ConnectOptions } from '../connect.js'
import { type PublicKey, primitives } from '../crypto/index.js'
import type { Calls, Stub } from '../rpc/index.js'
import { CollectAddress, DepositAddress } from './address.js'
import { ID_BYTES } from './content.js'
import { CollectInterface, NotifyInterface, RelayInterface } from './interfaces.js'
import type { BoxLimits } from './store.js'

/** How clients of a mailbox reach relays. */
export interface Reach {
  /** `connect` of the host: that of `noisecap` in Node. */
  readonly connect: Connect
  /** Its options, for every connection. Left out, each box has connections of its own, so that the relay cannot tell by them
   * which boxes are used by one program. */
  readonly connection?: ConnectOptions | undefined
}

/** What a box shall be. */
export interface BoxOptions extends Partial<BoxLimits> {
  /** Public key of the recipient, to which senders seal; the relay does not learn it. */
  readonly to: PublicKey
  /** Life of the box, seconds; default until it is dropped. */
  readonly ttlSeconds?: number | undefined
}

/** A box that was opened. */
export interface OpenedBox {
  /** For senders. */
  readonly deposit: DepositAddress
  /** For the recipient. */
  readonly collect: CollectAddress
  /** For who may know that something arrived, and nothing else. */
  readonly notify: Capability<Calls<(typeof NotifyInterface)['declared']>>
}

type RelayStub = Stub<Calls<(typeof RelayInterface)['declared']>>

/** Opens boxes. */
export class RelayClient implements AsyncDisposable {
  readonly #capability: Capability<unknown>
  readonly #reach: Reach
  #relay: Promise<RelayStub> | undefined

  /** @param capability - of a relay, for calls; from `relay.boxes.mint` there. */
  constructor(capability: Capability<unknown>, reach: Reach) {
    this.#capability = capability
    this.#reach = reach
  }

  /** Open a box.
   * @throws as `connect`, and `CallError`. */
  async openBox({ to, ...limits }: BoxOptions): Promise<OpenedBox> {
    const relay = await this.#connected()
    const { deposit, collect, notify } = await relay.openBox(limits)
    const box = primitives().randomBytes(ID_BYTES)
    return {
      deposit: new DepositAddress(this.#located(deposit), to, box),
      collect: new CollectAddress(this.#located(collect).withInterface(CollectInterface), box),
      notify: this.#located(notify).withInterface(NotifyInterface),
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const relay = await this.#relay?.catch(() => undefined)
    relay?.[Symbol.dispose]()
  }

  async #connected(): Promise<RelayStub> {
    const { connect, connection } = this.#reach
    this.#relay ??= connect(this.#capability as Capability, RelayInterface, connection)
    try {
      return await this.#relay
    } catch (error) {
      this.#relay = undefined
      throw error
    }
  }

  /** A box is where its relay is, unless the relay says otherwise. */
  #located(capability: Capability): Capability {
    const { locations } = this.#capability
    return capability.locations.length > 0 ? capability : capability.withLocations(locations)
  }
}

/** Options of a connection for one box: in a partition of its own unless the caller says otherwise. */
export function connectionOf({ connection = {} }: Reach, signal?: AbortSignal): ConnectOptions {
  const own = connection.partition ?? `box ${crypto.randomUUID()}`
  return { ...connection, partition: own, ...(signal === undefined ? {} : { signal }) }
}
