// A relay on a network in memory, with a box for ada, that the tests of this layer share.
import { afterEach } from 'vitest'
import { generateKeyPair, type KeyPair, type PublicKey } from '../../src/crypto/index.js'
import {
  type BoxOptions,
  type CollectAddress,
  type DepositAddress,
  Inbox,
  type InboxOptions,
  type MailboxStore,
  MemoryOrderedStore,
  memoryMailboxStore,
  type OrderedStore,
  Outbox,
  type OutboxOptions,
  type Received,
  Relay,
  RelayClient,
  type RelayOptions,
} from '../../src/mailbox/index.js'
import { TestNetwork } from '../../src/testing/index.js'

const toClose: AsyncDisposable[] = []
/** Close what was opened, the newest first; done after each test. */
export async function closeAll(): Promise<void> {
  for (const each of toClose.splice(0).reverse()) await each[Symbol.asyncDispose]()
}
afterEach(closeAll)
/** Closed after the test, the newest first. */
export function closing<T extends AsyncDisposable>(value: T): T {
  toClose.push(value)
  return value
}

export const ada = generateKeyPair()

/** Everything between a sender and ada. */
export async function mailbox(
  options: {
    relay?: RelayOptions
    box?: Partial<BoxOptions>
    network?: TestNetwork
    store?: MailboxStore
  } = {},
) {
  const network = options.network ?? closing(new TestNetwork())
  const { connect } = network
  const store = closing(options.store ?? memoryMailboxStore())
  const service = network.createService()
  const relay = closing(new Relay(service, store, { clock: network.clock, ...options.relay }))
  const client = closing(new RelayClient(relay.boxes.mint({}), { connect }))
  const open = (to: PublicKey = ada.publicKey, box: Partial<BoxOptions> = options.box ?? {}) =>
    client.openBox({ ...box, to })
  const { deposit, collect, notify } = await open()
  const outbox = <In = unknown>(
    more: Partial<OutboxOptions<In>> = {},
    address: DepositAddress = deposit,
    entries: OrderedStore = new MemoryOrderedStore(),
  ) => closing(new Outbox<In>(entries, address, { connect, clock: network.clock, ...more }))
  const inbox = (more: Partial<InboxOptions> = {}, address: CollectAddress = collect, key: KeyPair = ada) =>
    new Inbox<unknown>(address, key, undefined, { connect, clock: network.clock, ...more })
  return { network, connect, store, service, relay, client, open, deposit, collect, notify, outbox, inbox }
}

/** The first `count` messages, acknowledged. */
export async function take(
  inbox: AsyncIterable<Received>,
  count: number,
  handle: (message: Received) => Promise<void> | void = (message) => message.ack(),
): Promise<Received[]> {
  const messages: Received[] = []
  for await (const message of inbox) {
    messages.push(message)
    await handle(message)
    if (messages.length === count) break
  }
  return messages
}
