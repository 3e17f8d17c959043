// A real Peer at one end of a session, and at the other a script that writes whatever plaintexts it likes.

import { ByteSink } from '../../src/rpc/byte-sink.js'
import type { DispatcherOptions } from '../../src/rpc/dispatch.js'
import { type Authority, OPEN_AUTHORITY } from '../../src/rpc/exports.js'
import { type Exported, Exports, type Interface, type InternalError, Peer } from '../../src/rpc/index.js'
import type { ItemWriter } from '../../src/rpc/item-writer.js'
import {
  type LinkWriter,
  type PathKey,
  writeAnswer,
  writeCapability,
  writeReference,
  writeStream,
} from '../../src/rpc/value-links.js'
import { encodeValueInto } from '../../src/rpc/values.js'
import {
  CALL_FLAG,
  FieldReader,
  FRAME,
  OP,
  writeAnswerTarget,
  writeByte,
  writeBytes,
  writeText,
  writeVarint,
} from '../../src/rpc/wire.js'
import type { SessionLimits } from '../../src/session/index.js'
import { DEFAULT_LIMITS } from '../../src/session/index.js'
import { listen, openPair } from '../session/parties.js'

/** Bytes written by `write`. */
export function bytesOf(write: (sink: ByteSink) => void): Uint8Array {
  const sink = new ByteSink()
  write(sink)
  return sink.bytes.slice(0, sink.length)
}

/** Stands in a value for a tagged item with whatever numbers. */
class Link {
  readonly write: (to: ItemWriter) => void
  constructor(write: (to: ItemWriter) => void) {
    this.write = write
  }
}

/** Links with whatever numbers, to be put into values of {@link call}, {@link returned} and {@link item}. */
export const link = {
  mine: (id: number) => new Link((to) => writeReference(to, 'mine', id)),
  yours: (id: number) => new Link((to) => writeReference(to, 'yours', id)),
  answer: (id: number, ...path: PathKey[]) => new Link((to) => writeAnswer(to, id, path)),
  stream: (id: number, isBytes = false) => new Link((to) => writeStream(to, id, isBytes)),
  capability: (text: string) => new Link((to) => writeCapability(to, text)),
}

const AS_WRITTEN: LinkWriter = {
  write(value, to) {
    if (value instanceof Link) value.write(to)
    return value instanceof Link
  },
}

const writeValue = (sink: ByteSink, value: unknown): void => encodeValueInto(sink, value, 'value', AS_WRITTEN)

/** A batch frame of these messages. */
export const batch = (...messages: readonly Uint8Array[]): Uint8Array =>
  bytesOf((sink) => {
    writeByte(sink, FRAME.batch)
    for (const message of messages) {
      writeVarint(sink, message.length)
      writeBytes(sink, message)
    }
  })

/** A message: op, then varints. */
export const message = (op: number, ...fields: readonly number[]): Uint8Array =>
  bytesOf((sink) => {
    writeByte(sink, op)
    for (const field of fields) writeVarint(sink, field)
  })

/** A CALL. */
export const call = (
  id: number,
  method: string,
  input: unknown = undefined,
  { flags = CALL_FLAG.want as number, target = 0 } = {},
): Uint8Array =>
  bytesOf((sink) => {
    writeByte(sink, OP.call)
    writeVarint(sink, id)
    writeByte(sink, flags)
    writeVarint(sink, target)
    writeText(sink, method)
    writeValue(sink, input)
  })

/** A CALL to what will stand at `path` of an answer. */
export const callAnswer = (
  id: number,
  parent: number,
  path: readonly PathKey[],
  method: string,
  input: unknown = undefined,
  flags: number = CALL_FLAG.want,
): Uint8Array =>
  bytesOf((sink) => {
    writeByte(sink, OP.call)
    writeVarint(sink, id)
    writeByte(sink, flags)
    writeAnswerTarget(sink, parent, path)
    writeText(sink, method)
    writeValue(sink, input)
  })

/** An ITEM. */
export const item = (stream: number, value: unknown): Uint8Array =>
  bytesOf((sink) => {
    writeByte(sink, OP.item)
    writeVarint(sink, stream)
    writeValue(sink, value)
  })

/** A frame of a stream of bytes. */
export const piece = (stream: number, length: number): Uint8Array =>
  bytesOf((sink) => {
    writeByte(sink, FRAME.stream)
    writeVarint(sink, stream)
    writeBytes(sink, new Uint8Array(length))
  })

/** A RETURN of a value. */
export const returned = (id: number, value: unknown): Uint8Array =>
  bytesOf((sink) => {
    writeByte(sink, OP.return)
    writeVarint(sink, id)
    writeValue(sink, value)
  })

/** Op, call id and, for FAIL, code of every message in batches. */
export function answersIn(records: readonly Uint8Array[]): { op: number; id: number; code?: number }[] {
  const found: { op: number; id: number; code?: number }[] = []
  for (const record of records) {
    const reader = new FieldReader()
    for (let at = 1; at < record.length && record[0] === FRAME.batch; ) {
      reader.reset(record, at, record.length)
      const length = reader.varint()
      at = reader.at + length
      const op = reader.byte()
      const id = op === OP.ping || op === OP.pong ? 0 : reader.varint()
      found.push(op === OP.fail ? { op, id, code: reader.varint() } : { op, id })
    }
  }
  return found
}

/** A serving Peer, and a script as its client. */
export async function serve(
  description: Interface,
  object: object,
  options: {
    limits?: Partial<SessionLimits>
    authorize?: Exported['authorize']
    authority?: Authority
    present?: DispatcherOptions['present']
    save?: DispatcherOptions['save']
  } = {},
) {
  const { client, service, limits, pipes } = await openPair()
  const errors: InternalError[] = []
  const exports = new Exports(DEFAULT_LIMITS.maxExports)
  exports.add({
    authority: options.authority ?? OPEN_AUTHORITY,
    isLive: true,
    authorize: options.authorize ?? (() => 'ok'),
    target: () => ({ description, object }),
    released: () => {},
  })
  const peer = new Peer(service, {
    remoteLimits: limits,
    localLimits: { ...DEFAULT_LIMITS, ...options.limits },
    serves: {
      exports,
      ...(options.present === undefined ? {} : { present: options.present }),
      ...(options.save === undefined ? {} : { save: options.save }),
      client: undefined,
      onInternalError: (report) => errors.push(report),
    },
  })
  peer.start()
  const script = listen(client)
  return {
    peer,
    errors,
    exports,
    records: script.records,
    send: (...plaintexts: readonly Uint8Array[]) => {
      for (const plaintext of plaintexts) client.send(plaintext)
    },
    answers: () => answersIn(script.records),
    outcome: script.outcome,
    close: () => client.close(),
    /** Bytes that are no record, or the beginning of one. */
    sendRaw: (bytes: Uint8Array) => pipes.client.write(bytes),
    /** The client sends nothing more, and says no word of that; it could still read. */
    endSending: () => pipes.client.end(),
  }
}

/** A calling Peer, and a script as its service. */
export async function callFrom(remote: Partial<SessionLimits> = {}) {
  const { client, service } = await openPair()
  const peer = new Peer(client, {
    remoteLimits: { ...DEFAULT_LIMITS, ...remote },
    localLimits: DEFAULT_LIMITS,
  })
  peer.start()
  const script = listen(service)
  return {
    peer,
    send: (plaintext: Uint8Array) => service.send(plaintext),
    received: () => answersIn(script.records),
    outcome: script.outcome,
    close: () => service.close(),
  }
}
