// What a mailbox needs of a JetStream server: one stream, entries that are appended under a condition, read, removed and listed.
// Works with nats-server 2.9 and later. Leaves out what the entries mean (nats-entry.ts, nats-box.ts).
import {
  type JetStreamClient,
  type JetStreamManager,
  jetstream,
  jetstreamManager,
  type StreamConfig,
} from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/transport-node'
import { hexEncode } from '../bytes.js'
import { primitives } from '../crypto/index.js'
import { NoisecapError } from '../errors.js'
import { MAILBOX_ENVELOPE_MAX_BYTES } from '../limits.js'

/** Until the server has to answer, ms. */
const ANSWER_MS = 3_000
/** Besides the envelope: subject and headers of its entry, bytes. */
const ENTRY_OVERHEAD_BYTES = 1_024
const STREAM_EXISTS = 10_058
const WRONG_LAST_SEQUENCE = 10_071

/** Where the boxes lie. */
export interface NatsPlace {
  /** Name of the stream, and first part of its subjects. */
  readonly stream: string
  /** Servers that keep a copy, 1, 3 or 5. */
  readonly replicas: number
}

/** One entry of the stream. */
export interface StreamEntry {
  readonly sequence: number
  readonly data: Uint8Array
}

/** The subjects of a box. Its name in the store, 32 hexadecimal digits, is the last part of all but that of an alias. */
export class Subjects {
  readonly #prefix: string

  constructor(prefix: string) {
    this.#prefix = prefix
  }

  /** What the stream keeps. Notices are not kept. */
  get kept(): string[] {
    return [
      `${this.#prefix}.log.*`,
      `${this.#prefix}.message.*`,
      `${this.#prefix}.snapshot.*`,
      `${this.#prefix}.alias.*`,
      `${this.#prefix}.due.*.*.*`,
      this.pieces,
    ]
  }

  /** Of all pieces of all bodies. */
  get pieces(): string {
    return `${this.#prefix}.piece.*.*.*`
  }

  log = (box: Uint8Array) => `${this.#prefix}.log.${hexEncode(box)}`
  message = (box: Uint8Array) => `${this.#prefix}.message.${hexEncode(box)}`
  snapshot = (box: Uint8Array) => `${this.#prefix}.snapshot.${hexEncode(box)}`
  /** A piece of the body of the message with this id, hexadecimal. */
  piece = (box: Uint8Array, id: string, index: number | '*') =>
    `${this.#prefix}.piece.${hexEncode(box)}.${id}.${index}`
  alias = (hash: Uint8Array) => `${this.#prefix}.alias.${hexEncode(hash)}`
  notice = (box: string) => `${this.#prefix}.notice.${box}`
  /** That something in a box is due: by hour, so that a sweep need not list the others. */
  due = (hour: number | '*', ms: number | '*', box: string) => `${this.#prefix}.due.${hour}.${ms}.${box}`
}

/** The stream of a mailbox. */
export class NatsStream {
  readonly subjects: Subjects
  readonly #name: string
  readonly #connection: NatsConnection
  readonly #client: JetStreamClient
  readonly #manager: JetStreamManager
  readonly #reconnected = new Set<() => void>()
  #connected = true

  private constructor(name: string, connection: NatsConnection, manager: JetStreamManager) {
    this.subjects = new Subjects(name)
    this.#name = name
    this.#connection = connection
    this.#manager = manager
    this.#client = jetstream(connection, { timeout: ANSWER_MS })
    void this.#follow()
  }

  /** Make the stream, or take one that is there and keeps what it is given.
   * @throws `mailbox/store`. */
  static async open(connection: NatsConnection, { stream, replicas }: NatsPlace): Promise<NatsStream> {
    return attempt('open', async () => {
      const room = connection.info?.max_payload ?? 0
      const needed = MAILBOX_ENVELOPE_MAX_BYTES + ENTRY_OVERHEAD_BYTES
      if (room < needed) throw new TypeError(`the server's max_payload is ${room}, and ${needed} are needed`)
      const manager = await jetstreamManager(connection, { timeout: ANSWER_MS })
      const opened = new NatsStream(stream, connection, manager)
      await manager.streams
        .add({
          name: stream,
          subjects: opened.subjects.kept,
          storage: 'file',
          retention: 'limits',
          discard: 'new',
          num_replicas: replicas,
          allow_direct: true,
        })
        .catch((error: unknown) => {
          if (codeOf(error) !== STREAM_EXISTS) throw error
        })
      checkKeeps((await manager.streams.info(stream)).config, opened.subjects.kept)
      return opened
    })
  }

  /** Call `heard` whenever a connection was made again: what was known of the stream may no longer be so. */
  onReconnected(heard: () => void): void {
    this.#reconnected.add(heard)
  }

  /** Call `heard` with the name of a box, hexadecimal, in which another relay has changed something. */
  onNotice(heard: (box: string) => void): void {
    const callback = (_error: unknown, { subject }: { readonly subject: string }) =>
      heard(subject.slice(subject.lastIndexOf('.') + 1))
    this.#connection.subscribe(this.subjects.notice('*'), { callback })
  }

  /** Let the other relays know that something has changed in a box. */
  tell(box: string): void {
    if (this.#connected && !this.#connection.isClosed()) this.#connection.publish(this.subjects.notice(box))
  }

  /** Append an entry.
   * @param after - where given, the sequence of the last entry of this subject; any other is refused, and so is a repetition.
   * @returns its sequence, once the server has it. */
  async append(subject: string, data: Uint8Array, after?: number): Promise<number> {
    this.#checkConnected()
    const { seq } = await this.#client.publish(subject, data, {
      // A publication that the client repeats is one.
      msgID: hexEncode(primitives().randomBytes(16)),
      expect: { streamName: this.#name, ...(after === undefined ? {} : { lastSubjectSequence: after }) },
      timeout: ANSWER_MS,
    })
    return seq
  }

  /** The last entry of a subject. */
  last(subject: string): Promise<StreamEntry | undefined> {
    return this.#get({ last_by_subj: subject })
  }

  /** The first entry of a subject whose sequence is not below `sequence`. */
  next(subject: string, sequence: number): Promise<StreamEntry | undefined> {
    // The server knows this request since 2.9; the client's type of it does not.
    return this.#get({ next_by_subj: subject, seq: sequence } as unknown as { seq: number })
  }

  /** One entry. */
  async at(sequence: number): Promise<Uint8Array | undefined> {
    this.#checkConnected()
    // Any server that has a copy may answer; one that lags behind does not have it yet, and then the leader is asked.
    const copy = await this.#manager.direct.getMessage(this.#name, { seq: sequence })
    return copy?.data ?? (await this.#get({ seq: sequence }))?.data
  }

  /** Remove entries whose sequences these are; those that are not there are none of its business. */
  async remove(sequences: readonly number[]): Promise<void> {
    const removed = sequences.map((sequence) =>
      this.#manager.streams.deleteMessage(this.#name, sequence, false).catch(() => {}),
    )
    await Promise.all(removed)
  }

  /** Remove what a subject has, up to an entry that stays where it is given. */
  async purge(filter: string, before?: number): Promise<void> {
    this.#checkConnected()
    await this.#manager.streams.purge(this.#name, before === undefined ? { filter } : { filter, seq: before })
  }

  /** Subjects that have entries. */
  async list(filter: string): Promise<readonly string[]> {
    this.#checkConnected()
    const { state } = await this.#manager.streams.info(this.#name, { subjects_filter: filter })
    return Object.keys(state.subjects ?? {})
  }

  /** End the connection, once what was sent has arrived. */
  async close(): Promise<void> {
    if (this.#connected) await this.#connection.drain().catch(() => {}) // it may just have been lost
    await this.#connection.close()
  }

  /** Answers of the leader of the stream, which has all that was acknowledged. */
  async #get(query: { seq: number } | { last_by_subj: string }): Promise<StreamEntry | undefined> {
    this.#checkConnected()
    const message = await this.#manager.streams.getMessage(this.#name, query)
    return message === null ? undefined : { sequence: message.seq, data: message.data }
  }

  /** While there is no connection, what is asked would wait for one: say so at once. */
  #checkConnected(): void {
    if (this.#connection.isClosed()) throw new TypeError('the store is closed')
    if (!this.#connected) throw new TypeError('there is no connection to a server')
  }

  async #follow(): Promise<void> {
    for await (const { type } of this.#connection.status()) {
      if (type === 'disconnect') this.#connected = false
      if (type !== 'reconnect') continue
      this.#connected = true
      for (const heard of this.#reconnected) heard()
    }
  }
}

/** A stream that somebody else has made must not lose what it has acknowledged. */
function checkKeeps(config: StreamConfig, subjects: readonly string[]): void {
  const { storage, retention, discard, max_age, max_msgs_per_subject } = config
  const missing = subjects.find((subject) => !config.subjects.includes(subject))
  const wrong =
    (missing !== undefined && `expected subject ${missing}`) ||
    (storage !== 'file' && 'expected storage file') ||
    (retention !== 'limits' && 'expected retention limits') ||
    (discard !== 'new' && 'expected discard new') ||
    (max_age > 0 && 'expected no max_age') ||
    (max_msgs_per_subject > 0 && 'expected no max_msgs_per_subject')
  if (wrong) throw new TypeError(`the stream ${config.name} is there, and would lose messages: ${wrong}`)
}

/** The number by which JetStream names an error. */
function codeOf(error: unknown): number | undefined {
  const { code } = error as { readonly code?: unknown } // whatever was thrown
  return typeof code === 'number' ? code : undefined
}

/** Whether the server will not have an entry, for another reason than that something was appended meanwhile. */
export function isRefusal(error: unknown): boolean {
  const code = codeOf(error)
  return code !== undefined && code !== WRONG_LAST_SEQUENCE
}

/** Run `work`.
 * @throws `mailbox/store` for whatever it throws; a RangeError as it is. */
export async function attempt<T>(action: 'open' | 'read' | 'change', work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    // A RangeError is of the caller's making: a receipt that is none.
    if (error instanceof NoisecapError || error instanceof RangeError) throw error
    throw new NoisecapError('mailbox/store', `Cannot ${action} the mailbox in NATS`, {
      cause: error,
      hint: 'Check that the server runs with JetStream, has room, and lets this user use the stream',
    })
  }
}
