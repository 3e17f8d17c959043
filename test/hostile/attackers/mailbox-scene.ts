// The scene of every attack on a mailbox: a real relay with a store in memory, two boxes of one reader, a writer who sends one
// message with pattern X over a wire that is recorded, and the reader's inbox. Nothing here is a mock.
// Leaves out what attackers know and do (mailbox-attacks.ts).
import { concat, hexEncode, utf8 } from '../../../src/bytes.js'
import type { Capability } from '../../../src/capability/index.js'
import type { ConnectOptions } from '../../../src/connect.js'
import { generateKeyPair, type PublicKey, primitives } from '../../../src/crypto/index.js'
import { NoisecapError } from '../../../src/errors.js'
import { aliasHash, parseAlias } from '../../../src/mailbox/alias.js'
import type { MessageHeader } from '../../../src/mailbox/content.js'
import { EnvelopeWriter } from '../../../src/mailbox/envelope.js'
import {
  CollectInterface,
  DepositAddress,
  DepositInterface,
  Inbox,
  MemoryOrderedStore,
  type OpenedBox,
  OrderedMailboxStore,
  Relay,
  RelayClient,
} from '../../../src/mailbox/index.js'
import type { Interface, Methods } from '../../../src/rpc/index.js'
import type { WriterIdentity } from '../../../src/seal/index.js'
import { memoryPair, type Pipe, TestNetwork } from '../../../src/testing/index.js'
import { closing } from '../../mailbox/parties.js'

/** What the writer says. */
export const MESSAGE = 'the well is dry'
/** Messages that a box here holds. */
export const ROOM = 4
const LIFE_SECONDS = 3_600

/** Bytes of one connection, in the order in which they were written. */
export interface Recording {
  readonly fromClient: Uint8Array[]
  readonly fromRelay: Uint8Array[]
}

/** What the reader got. */
export interface Collected {
  readonly taken: { readonly value: unknown; readonly id: string; readonly writer: string | undefined }[]
  /** Codes of what was refused. */
  readonly refused: string[]
}

/** The header of a message that is alone in its series. */
export function headerNow(): MessageHeader {
  const sentAt = Math.floor(Date.now() / 1_000)
  return {
    series: primitives().randomBytes(16),
    sequence: 0,
    previous: undefined,
    sentAt,
    expires: sentAt + LIFE_SECONDS,
    contentType: 'application/json',
    headers: {},
    reply: undefined,
    receipt: undefined,
    inReplyTo: undefined,
  }
}

/** `text` as an envelope to one box. */
export function seal(to: PublicKey, box: Uint8Array, text: string, as?: WriterIdentity): Uint8Array {
  using writer = new EnvelopeWriter({ to, box }, as)
  return writer.seal({ header: headerNow(), body: utf8(JSON.stringify(text)) })
}

/** Until when envelopes of {@link seal} live, Unix ms. */
export const expiry = (): number => Date.now() + LIFE_SECONDS * 1_000

/** One scene. */
export class MailScene {
  readonly network = closing(new TestNetwork())
  readonly entries = new MemoryOrderedStore()
  readonly store = closing(new OrderedMailboxStore(this.entries))
  readonly service = this.network.createService()
  readonly reader = generateKeyPair()
  readonly writer = generateKeyPair()
  readonly recording: Recording = { fromClient: [], fromRelay: [] }
  readonly #seen: MemoryOrderedStore | undefined
  readonly #relay = closing(new Relay(this.service, this.store))
  #cut = false
  #boxes!: { readonly home: OpenedBox; readonly other: OpenedBox }

  private constructor(keepsSeen: boolean) {
    this.#seen = keepsSeen ? new MemoryOrderedStore() : undefined
  }

  /** @param keepsSeen - whether the reader remembers what it took. */
  static async open(keepsSeen: boolean): Promise<MailScene> {
    const scene = new MailScene(keepsSeen)
    const client = closing(new RelayClient(scene.#relay.boxes.mint({}), { connect: scene.network.connect }))
    const wanted = { to: scene.reader.publicKey, maxMessages: ROOM }
    scene.#boxes = { home: await client.openBox(wanted), other: await client.openBox(wanted) }
    return scene
  }

  /** The box to which the writer sends. */
  get home(): OpenedBox {
    return this.#boxes.home
  }

  /** Another one of the same reader. */
  get other(): OpenedBox {
    return this.#boxes.other
  }

  /** A stub in a session of its own. */
  async stub<M extends Methods>(
    capability: Capability<unknown>,
    description: Interface<M>,
    options: ConnectOptions = {},
  ) {
    const own = { partition: crypto.randomUUID(), ...options }
    return closing(await this.network.connect(capability as Capability, description, own)) // its use is the test's to choose
  }

  /** A further deposit address, as the owner grants it; revoked at once if wanted. */
  async granted(revoked = false): Promise<DepositAddress> {
    const owner = await this.stub(this.home.collect.capability, CollectInterface)
    const capability = await owner.grant({ role: 'deposit' })
    if (revoked) await owner.revoke({ capability })
    return new DepositAddress(capability, this.reader.publicKey, this.home.collect.box)
  }

  /** The writer dials the relay over the recorded wire, and sends, or only asks for the limits. */
  async send(says: boolean): Promise<void> {
    const { capability, box, to } = this.home.deposit
    try {
      const stub = await this.stub(capability, DepositInterface, { via: () => this.#wire() })
      await stub.limits()
      if (!says) return
      const envelope = seal(to, box, MESSAGE, { pattern: 'X', key: this.writer })
      await stub.deposit({ messages: [{ envelope, expiresMs: expiry() }] })
    } catch (error) {
      if (!this.#cut) throw error
    }
  }

  #wire(): Pipe {
    if (this.#cut)
      throw new NoisecapError('transport/unreachable', 'Cannot reach the relay: the cable is cut')
    const { client, server } = memoryPair()
    record(client, this.recording.fromClient)
    record(server, this.recording.fromRelay)
    this.service.accept(server)
    return client
  }

  /** Cut every cable. */
  cut(): void {
    this.#cut = true
    this.network.refusesConnections = true
    this.network.disconnect()
  }

  /** The bytes of a recorded client again, over a fresh connection.
   * @returns how many bytes the relay has answered by the time at which it has answered a whole session of somebody else. */
  async replay({ fromClient, fromRelay }: Recording): Promise<number> {
    if (fromRelay.length === 0) throw new Error('the relay did not answer the first time either')
    const { client, server } = memoryPair()
    const answers: Uint8Array[] = []
    record(server, answers)
    client.start({ data: () => {}, drain: () => {}, end: () => {}, closed: () => {} })
    this.service.accept(server)
    for (const bytes of fromClient) client.write(bytes.slice())
    const meanwhile = await this.stub(this.other.deposit.capability, DepositInterface)
    await meanwhile.limits()
    client.destroy()
    return concat(...answers).length
  }

  /** Everything that the store holds, keys and values. */
  dump(): readonly Uint8Array[] {
    return this.entries.read((view) =>
      [...view.range(Uint8Array.of(0), Uint8Array.of(0xff))].flatMap(({ key, value }) => [
        key.slice(),
        value.slice(),
      ]),
    )
  }

  /** What the relay calls a box: it sees the aliases as they are used. */
  async idOf({ collect }: OpenedBox): Promise<Uint8Array> {
    const alias = parseAlias(collect.capability.object!.split('/')[1]!)!
    return (await this.store.find(aliasHash(alias), Date.now()))!.box
  }

  /** How many messages wait in the box. */
  async waiting({ collect }: OpenedBox): Promise<number> {
    const owner = await this.stub(collect.capability, CollectInterface)
    return (await owner.stat()).messages
  }

  /** The reader's inbox takes all that is in the box. */
  async collect(box: OpenedBox): Promise<Collected> {
    const all: Collected = { taken: [], refused: [] }
    if (this.#cut) return all
    const stop = new AbortController()
    const inbox = new Inbox<unknown>(box.collect, this.reader, undefined, {
      connect: this.network.connect,
      signal: stop.signal,
      seen: this.#seen,
      onUnreadable: (error) => all.refused.push((error as NoisecapError).code),
    })
    const running = inbox.run(({ value, id, from }) => {
      const writer = from.pattern === 'X' ? hexEncode(from.writer) : undefined
      all.taken.push({ value, id, writer })
    })
    const owner = await this.stub(box.collect.capability, CollectInterface)
    while ((await owner.stat()).messages > 0) await new Promise((resolve) => setTimeout(resolve, 2))
    stop.abort()
    await running
    return all
  }
}

function record(pipe: Pipe, into: Uint8Array[]): void {
  const write = pipe.write.bind(pipe)
  pipe.write = (bytes) => {
    into.push(Uint8Array.from(bytes)) // a copy also of a Buffer, which the receiver opens in place
    return write(bytes)
  }
}
