// Messages of one tick become one record; large ones fragments; nothing is sent while the socket is full.
import { expect, test } from 'vitest'
import { FRAGMENT_MAX_BYTES, SOCKET_HIGH_WATER_BYTES, STREAM_FRAME_MAX_BYTES } from '../../src/limits.js'
import { Outbox } from '../../src/rpc/outbox.js'
import { FRAME, OP, writeBytes } from '../../src/rpc/wire.js'
import type { Pipe } from '../../src/transport/index.js'
import { dialTcp, listenTcp } from '../../src/transport/tcp.js'
import { listen, openPair } from '../session/parties.js'

async function open() {
  const { client, service, pipes } = await openPair()
  const outbox = new Outbox(client)
  const heard = listen(service)
  client.start({ record: () => {}, drain: () => outbox.flush(), closed: () => {} })
  const send = (length: number, fill = 1) => {
    const { sink, mark } = outbox.beginMessage(OP.ping)
    writeBytes(sink, new Uint8Array(length).fill(fill))
    outbox.endMessage(mark)
  }
  return { client, service, pipes, outbox, heard, send }
}

test('messages of one tick leave in one batch, in order', async () => {
  const { heard, send, client } = await open()
  for (const fill of [1, 2, 3]) send(1, fill)
  await expect
    .poll(() => heard.records.map((record) => [...record]))
    .toEqual([[FRAME.batch, 2, OP.ping, 1, 2, OP.ping, 2, 2, OP.ping, 3]])
  client.close()
})

test.each([126, 127, 16_381, 16_383])(
  'a message of 1 + %i bytes has its length before it',
  async (length) => {
    const { heard, send, client } = await open()
    send(1)
    send(length)
    await expect.poll(() => heard.records.length).toBe(1)
    const lengthBytes = length + 1 > 0x3fff ? 3 : length + 1 > 0x7f ? 2 : 1
    expect(heard.records[0]?.length).toBe(1 + lengthBytes + 1 + length + 3)
    client.close()
  },
)

test('a message over 16 KiB is cut into fragments, behind what was written before it', async () => {
  const { heard, send, client } = await open()
  send(1)
  send(2 * FRAGMENT_MAX_BYTES)
  send(1)
  await expect.poll(() => heard.records.length).toBe(5)
  expect(
    heard.records.map(([kind, , last]) => (kind === FRAME.fragment ? `fragment ${last}` : kind)),
  ).toEqual([FRAME.batch, 'fragment 0', 'fragment 0', 'fragment 1', FRAME.batch])
  client.close()
})

test('a batch of more than 16 KiB leaves before the turn ends, the rest at its end', async () => {
  const { heard, send, outbox, client } = await open()
  send(9_000, 1)
  expect(outbox.waitingBytes).toBeGreaterThan(9_000)
  send(9_000, 2)
  expect(outbox.waitingBytes).toBe(0)
  send(1, 3)
  await expect.poll(() => heard.records.map(({ length }) => length)).toEqual([1 + 2 * 9_003, 4])
  client.close()
})

test('a dropped message leaves no trace', async () => {
  const { heard, send, outbox, client } = await open()
  const { sink, mark } = outbox.beginMessage(OP.ping)
  writeBytes(sink, new Uint8Array(100))
  expect(outbox.messageLength(mark)).toBe(101)
  outbox.dropMessage(mark)
  send(1, 7)
  await expect.poll(() => heard.records.map((record) => [...record])).toEqual([[FRAME.batch, 2, OP.ping, 7]])
  client.close()
})

test('flush stops while the socket holds 64 KiB and goes on when it drains', async () => {
  const { heard, send, outbox, pipes, client } = await open()
  pipes.server.pause()
  for (let i = 0; i < 40; i++) send(FRAGMENT_MAX_BYTES - 1)
  outbox.flush()
  expect(client.waitingBytes).toBeGreaterThanOrEqual(SOCKET_HIGH_WATER_BYTES)
  expect(client.waitingBytes).toBeLessThan(3 * SOCKET_HIGH_WATER_BYTES)
  expect(outbox.waitingBytes).toBeGreaterThan(0)
  pipes.server.resume()
  const total = () => heard.records.reduce((sum, record) => sum + record.length, 0)
  await expect.poll(total).toBeGreaterThan(40 * FRAGMENT_MAX_BYTES)
  expect(outbox.waitingBytes).toBe(0)
  client.close()
})

test('corked, messages wait for uncork and leave in that very turn, as one batch', async () => {
  const { heard, send, client, outbox, pipes } = await open()
  let writes = 0
  const write = pipes.client.write.bind(pipes.client)
  pipes.client.write = (bytes) => {
    writes += 1
    return write(bytes)
  }
  outbox.cork()
  for (const fill of [1, 2]) send(1, fill)
  await new Promise((resolve) => setImmediate(resolve))
  expect(writes).toBe(0)
  outbox.uncork()
  expect(writes).toBe(1)
  send(1, 3) // written behind it: at the end of the tick, as ever
  expect(writes).toBe(1)
  await expect.poll(() => heard.records.map(({ length }) => length)).toEqual([7, 4])
  client.close()
})

test('two outboxes that take turns, no byte of one leaves with the other', async () => {
  const [first, second] = [await open(), await open()]
  for (const fill of [1, 2]) {
    first.send(1, fill)
    first.outbox.flush()
    second.send(1, 10 * fill)
    first.send(1, 5)
    second.outbox.flush()
  }
  await expect.poll(() => [first.heard.records.length, second.heard.records.length]).toEqual([3, 2])
  const fills = (records: readonly Uint8Array[]) =>
    records.flatMap((record) => [...record].filter((_, i) => i > 0 && i % 3 === 0))
  expect(fills(first.heard.records)).toEqual([1, 5, 2, 5])
  expect(fills(second.heard.records)).toEqual([10, 20])
  first.client.close()
  second.client.close()
})

test('a flush while a value is being written, its sink goes to no other session', async () => {
  const [first, second] = [await open(), await open()]
  const { sink } = first.outbox.beginMessage(OP.ping)
  sink.locked = true
  first.outbox.flush()
  expect(second.outbox.beginMessage(OP.ping).sink).not.toBe(sink)
  sink.locked = false
  first.client.close()
  second.client.close()
})

test('bulk over a socket that takes it all, not more than may wait in the socket in one turn of the event loop', async () => {
  let accept!: (pipe: Pipe) => void
  const accepted = new Promise<Pipe>((resolve) => {
    accept = resolve
  })
  const listener = await listenTcp('tcp://127.0.0.1:0', accept)
  const client = await dialTcp(listener.location, AbortSignal.timeout(5_000))
  const pair = await openPair({ pipes: { client, server: await accepted } })
  const outbox = new Outbox(pair.client)
  pair.client.start({ record: () => {}, drain: () => outbox.flush(), closed: () => {} })
  const heard = listen(pair.service)
  const frame = new Uint8Array(STREAM_FRAME_MAX_BYTES)
  const frames = 16
  let taken = 0
  const takenInTurn = [0]
  let isCounting = true
  // Asked for before the outbox asks, so that it runs before it in every turn.
  const turned = (): void => {
    takenInTurn.push(0)
    if (isCounting) setImmediate(turned)
  }
  setImmediate(turned)
  outbox.addBulk({
    id: 0,
    takeBytes() {
      if (taken === frames) return undefined
      taken += 1
      takenInTurn[takenInTurn.length - 1]! += 1
      return frame
    },
  })
  await expect.poll(() => heard.records.length).toBe(frames)
  isCounting = false
  expect(Math.max(...takenInTurn)).toBe(SOCKET_HIGH_WATER_BYTES / STREAM_FRAME_MAX_BYTES)
  pair.client.close()
  await listener.close()
})

test.each([
  ['full, until it drains', true],
  ['closed', false],
])('bulk for a socket that is %s does not ask for turns of the event loop', async (_, isOpen) => {
  let asked = 0
  let taken = 0
  const socket = { waitingBytes: SOCKET_HIGH_WATER_BYTES }
  const connection = {
    get isOpen() {
      asked += 1
      return isOpen
    },
    get waitingBytes() {
      return socket.waitingBytes
    },
    cork() {},
    uncork() {},
    send() {},
  }
  const outbox = new Outbox(connection as unknown as ConstructorParameters<typeof Outbox>[0])
  outbox.addBulk({
    id: 0,
    takeBytes() {
      taken += 1
      return taken === 1 ? new Uint8Array(STREAM_FRAME_MAX_BYTES) : undefined
    },
  })
  const turns = async (): Promise<void> => {
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve))
  }
  await turns()
  const askedOnce = asked
  await turns()
  expect({ asked, taken }).toEqual({ asked: askedOnce, taken: 0 })
  socket.waitingBytes = 0
  outbox.flush() // as its drain does
  expect(taken > 0).toBe(isOpen)
})
