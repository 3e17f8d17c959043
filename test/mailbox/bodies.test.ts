// Large bodies from outbox to inbox over a real relay (spec/mailbox.md §4.1, §6.5): whole, cut, swapped, without room, interrupted.
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { concat } from '../../src/bytes.js'
import { attachedBody } from '../../src/mailbox/attached-body.js'
import { piecesOf } from '../../src/mailbox/box-pieces.js'
import {
  CollectInterface,
  DepositInterface,
  MemoryOrderedStore,
  type OrderedStore,
} from '../../src/mailbox/index.js'
import { LmdbOrderedStore } from '../../src/mailbox/lmdb.js'
import { takeBody } from '../../src/mailbox/outbox-body.js'
import { OutboxQueue } from '../../src/mailbox/outbox-queue.js'
import { flipped } from '../seal/parties.js'
import { closeAll, closing, mailbox, take } from './parties.js'
import { REAL_STORES } from './real-stores.js'

const codeOf = async (action: () => Promise<unknown>): Promise<string> => {
  try {
    await action()
    return 'none'
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  }
}
const MIB = 1_048_576
/** Bytes that differ from place to place, in pieces of odd length. */
function* bytesOf(length: number, pieceBytes = 70_001): Generator<Uint8Array> {
  for (let at = 0; at < length; at += pieceBytes) {
    const piece = new Uint8Array(Math.min(pieceBytes, length - at))
    for (let i = 0; i < piece.length; i++) piece[i] = (((at + i) * 2_654_435_761) >>> 24) & 0xff
    yield piece
  }
}
const hashOf = async (source: Iterable<Uint8Array> | AsyncIterable<Uint8Array>) => {
  const hash = createHash('sha256')
  let length = 0
  for await (const piece of source) {
    hash.update(piece)
    length += piece.length
  }
  return { length, hash: hash.digest('hex') }
}

/** How many entries a store of an outbox has, the count of commits in LMDB left out. */
function entriesOf(store: OrderedStore): number {
  return store.read((view) => [...view.range(new Uint8Array(2), new Uint8Array(64).fill(0xff))].length)
}

describe('bodies of bytes', () => {
  test.each([
    ['nothing', 0],
    ['one byte', 1],
    ['what just fits into a message', 892_925],
    ['one byte more', 892_926],
    ['many pieces', 5 * MIB + 17],
    ['an exact number of chunks', 32 * 65_536],
  ])('%s arrives as it was sent, from a stream of Node', async (_name, length) => {
    const { outbox, inbox, connect, collect } = await mailbox()
    const entries = new MemoryOrderedStore()
    const out = outbox({}, undefined, entries)
    const { id } = await out.send(Readable.from(bytesOf(length)), { contentType: 'image/png' })
    await out.flush()
    expect(entriesOf(entries)).toBe(1) // where its series stands
    await take(inbox(), 1, async (message) => {
      expect(message).toMatchObject({ id, contentType: 'image/png', value: undefined })
      expect(await hashOf(message.body)).toEqual(await hashOf(bytesOf(length)))
      await message.ack()
    })
    const box = closing(await connect(collect.capability, CollectInterface))
    expect(await box.stat()).toMatchObject({ messages: 0, bytes: 0 })
  })

  test('a Uint8Array and a stream of the web, in order with values', async () => {
    const { outbox, inbox } = await mailbox()
    const out = outbox()
    await out.send('first')
    await out.send(new Blob([...bytesOf(2 * MIB)] as Uint8Array<ArrayBuffer>[]).stream())
    await out.send(concat(...bytesOf(2 * MIB)))
    await out.send({ last: true })
    await out.flush()
    const got: unknown[] = []
    const messages = await take(inbox(), 4, async (message) => {
      const { length, hash } = await hashOf(message.body)
      got.push(message.value ?? [length, hash])
      await message.ack()
    })
    const { length, hash } = await hashOf(bytesOf(2 * MIB))
    expect(got).toEqual(['first', [length, hash], [length, hash], { last: true }])
    expect(messages.map(({ series }) => series.sequence)).toEqual([0, 1, 2, 3])
    expect(messages[1]!.contentType).toBe('application/octet-stream')
  })

  test('a source that fails leaves nothing behind, and the series goes on', async () => {
    const { outbox, inbox } = await mailbox()
    const entries = new MemoryOrderedStore()
    const out = outbox({}, undefined, entries)
    const failing = (async function* () {
      yield* bytesOf(2 * MIB)
      throw new Error('the disk is gone')
    })()
    await expect(out.send(failing)).rejects.toThrow('the disk is gone')
    await expect(out.send(Readable.from(['text']) as never)).rejects.toThrow(TypeError)
    expect(entriesOf(entries)).toBe(0)
    await out.send('after')
    expect((await take(inbox(), 1))[0]).toMatchObject({ value: 'after', series: { sequence: 0 } })
  })

  test('given back, it comes again with its body', async () => {
    const { outbox, inbox } = await mailbox()
    await outbox().send(Readable.from(bytesOf(2 * MIB)))
    const hashes: unknown[] = []
    await take(inbox({ retryDelayMs: 0 }), 2, async (message) => {
      hashes.push(await hashOf(message.body))
      await (message.deliveries === 1 ? message.nack() : message.ack())
    })
    expect(hashes[1]).toEqual(hashes[0])
  })

  test('whatever connection is lost on the way, it arrives whole and once', async () => {
    const { network, outbox, inbox } = await mailbox()
    const out = outbox()
    await out.send(Readable.from(bytesOf(8 * MIB)))
    const flushed = out.flush()
    for (let i = 0; i < 5; i++) {
      await new Promise((resolve) => setTimeout(resolve, 20))
      network.disconnect()
      out.retry()
    }
    await flushed
    const [message] = await take(inbox(), 1, async (message) => {
      expect(await hashOf(message.body)).toEqual(await hashOf(bytesOf(8 * MIB)))
      await message.ack()
    })
    expect(message!.deliveries).toBe(1)
  })

  test('an upload goes on where another process left it', async () => {
    const { network, outbox, deposit, connect, inbox } = await mailbox()
    const entries = new MemoryOrderedStore()
    network.refusesConnections = true
    const away = outbox({}, deposit, entries)
    await away.send(Readable.from(bytesOf(3 * MIB)))
    await away[Symbol.asyncDispose]()
    network.refusesConnections = false
    const queue = new OutboxQueue(entries, deposit)
    const [{ id, envelope, expiresMs, body }] = queue.head(1, MIB) as never as [
      Required<ReturnType<OutboxQueue['head']>[number]>,
    ]
    const depositor = closing(await connect(deposit.capability, DepositInterface))
    await depositor.beginBody({ envelope, expiresMs, bodyBytes: body!.bytes })
    await depositor.appendBody({ id, index: 0, piece: await queue.piece(body!, 0) })
    await depositor.appendBody({ id, index: 1, piece: await queue.piece(body!, 1) })
    expect(await depositor.beginBody({ envelope, expiresMs, bodyBytes: body!.bytes })).toMatchObject({
      pieces: 2,
    })
    const out = outbox({}, deposit, entries)
    await out.flush()
    await take(inbox(), 1, async (message) => {
      expect(await hashOf(message.body)).toEqual(await hashOf(bytesOf(3 * MIB)))
    })
  })
})

describe.each(REAL_STORES)('files at the sender, the relay on $name', ({ found, start }) => {
  test.skipIf(!found)(
    'values and large bodies arrive, in order, and nothing is left',
    async () => {
      const directory = mkdtempSync(join(tmpdir(), 'noisecap-bodies-'))
      const { open, stop } = await start(directory)
      try {
        const store = await open()
        const entries = new LmdbOrderedStore(join(directory, 'out'))
        const { outbox, inbox, connect, collect } = await mailbox({ store })
        const out = outbox({}, undefined, entries)
        await out.send('first')
        await out.send(Readable.from(bytesOf(3 * MIB)))
        await out.send('last')
        await out.flush()
        expect(out.waiting).toBe(0)
        const got: unknown[] = []
        await take(inbox(), 3, async (message) => {
          got.push(message.value ?? (await hashOf(message.body)))
          await message.ack()
        })
        expect(got).toEqual(['first', await hashOf(bytesOf(3 * MIB)), 'last'])
        const box = await connect(collect.capability, CollectInterface)
        expect(await box.stat()).toMatchObject({ messages: 0, bytes: 0, arrivals: 3 })
        expect(entriesOf(entries)).toBe(1)
        await box[Symbol.asyncDispose]()
        await out[Symbol.asyncDispose]()
        await entries[Symbol.asyncDispose]()
      } finally {
        await closeAll()
        await stop()
        rmSync(directory, { recursive: true })
      }
    },
    60_000,
  )
})

describe('room for bodies', () => {
  test('a box that could never hold it: the sender is told, the next message goes out, nothing is left', async () => {
    const { outbox, inbox, connect, collect } = await mailbox({ box: { maxBytes: MIB } })
    const entries = new MemoryOrderedStore()
    const failed: unknown[] = []
    const out = outbox({ onFailed: (failure) => failed.push(failure) }, undefined, entries)
    const { id } = await out.send(Readable.from(bytesOf(2 * MIB)))
    await out.send('small')
    await out.flush()
    expect(failed).toEqual([{ id, reason: 'too_large' }])
    expect(entriesOf(entries)).toBe(1)
    expect(await take(inbox(), 1)).toMatchObject([{ value: 'small' }])
    const box = closing(await connect(collect.capability, CollectInterface))
    expect(await box.stat()).toMatchObject({ messages: 0, bytes: 0, arrivals: 1 })
  })

  test('a full box takes nothing of it, and all of it once there is room', async () => {
    const { outbox, inbox, connect, collect } = await mailbox({ box: { maxBytes: 3 * MIB } })
    const out = outbox()
    await out.send(Readable.from(bytesOf(2 * MIB)))
    await out.flush()
    await out.send(Readable.from(bytesOf(2 * MIB)), { headers: { n: '2' } })
    const box = closing(await connect(collect.capability, CollectInterface))
    await expect.poll(async () => (await box.stat()).refusals).toBe(1)
    const { messages, bytes } = await box.stat()
    expect({ messages, full: bytes < 2.5 * MIB }).toEqual({ messages: 1, full: true })
    expect(out.waiting).toBe(1)
    await take(inbox(), 1)
    out.retry()
    await out.flush()
    await take(inbox(), 1, async (message) => {
      expect({ ...message.headers }).toEqual({ n: '2' })
      expect(await hashOf(message.body)).toEqual(await hashOf(bytesOf(2 * MIB)))
      await message.ack()
    })
    expect(await box.stat()).toMatchObject({ messages: 0, bytes: 0 })
  })

  test('a store that keeps no large bodies: the sender is told, the next message goes out', async () => {
    const { store, outbox, inbox } = await mailbox()
    Object.defineProperty(store, 'bodies', { value: undefined })
    const failed: unknown[] = []
    const out = outbox({ onFailed: ({ reason }) => failed.push(reason) })
    await out.send(Readable.from(bytesOf(2 * MIB)))
    await out.send('small')
    await out.flush()
    expect(failed).toEqual(['unsupported'])
    expect(await take(inbox(), 1)).toMatchObject([{ value: 'small' }])
  })

  test('who may deposit cannot read, and of a message that is gone nobody can', async () => {
    const { outbox, inbox, connect, deposit, collect } = await mailbox()
    await outbox().send(Readable.from(bytesOf(2 * MIB)))
    const depositor = closing(await connect(deposit.capability, DepositInterface))
    expect('readBody' in DepositInterface.declared).toBe(false)
    const [message] = await take(inbox(), 1, async (message) => {
      await message.ack()
      expect(await codeOf(() => hashOf(message.body))).toBe('mailbox/gone')
    })
    const box = closing(await connect(collect.capability, CollectInterface))
    const id = Uint8Array.from(Buffer.from(message!.id, 'hex'))
    expect(await codeOf(() => box.readBody({ id, index: 0 }))).toBe('rpc/not_found')
    expect(
      await codeOf(() =>
        depositor.appendBody({ id: new Uint8Array(16), index: 0, piece: new Uint8Array(1) }),
      ),
    ).toBe('rpc/failed_precondition')
  })
})

describe('what a relay could do to a body', () => {
  async function sealed() {
    const entries = new MemoryOrderedStore()
    const { deposit } = await mailbox()
    const queue = new OutboxQueue(entries, deposit)
    const one = async (length: number) => {
      const taken = await takeBody(bytesOf(length), queue, 0)
      if ('inline' in taken) throw new Error('expected a large one')
      const count = piecesOf(taken.queued.bytes)
      const pieces = await Promise.all(Array.from({ length: count }, (_, i) => queue.piece(taken.queued, i)))
      return { ...taken, pieces }
    }
    return { first: await one(2 * MIB), second: await one(2 * MIB) }
  }
  const outcome = async (attached: Parameters<typeof attachedBody>[0], pieces: readonly Uint8Array[]) => {
    let bytes = 0
    const read = async (index: number) => pieces[index] ?? new Uint8Array(0)
    const code = await codeOf(async () => {
      for await (const piece of attachedBody(attached, read)) bytes += piece.length
    })
    return { code, bytes }
  }

  test('whole', async () => {
    const { first } = await sealed()
    expect(await outcome(first.attached, first.pieces)).toEqual({ code: 'none', bytes: 2 * MIB })
  })

  const at = (pieces: Uint8Array[], index: number, piece: Uint8Array) =>
    pieces.map((each, i) => (i === index ? piece : each))
  test.each([
    ['cut after a piece', (pieces: Uint8Array[]) => pieces.slice(0, -1)],
    ['cut within the last', (pieces: Uint8Array[]) => at(pieces, 8, pieces[8]!.slice(0, -9))],
    ['a piece missing', (pieces: Uint8Array[]) => pieces.filter((_, i) => i !== 2)],
    ['two swapped', (pieces: Uint8Array[]) => at(at(pieces, 2, pieces[3]!), 3, pieces[2]!)],
    ['one twice', (pieces: Uint8Array[]) => at(pieces, 3, pieces[2]!)],
    ['a bit flipped', (pieces: Uint8Array[]) => at(pieces, 4, flipped(pieces[4]!, 99))],
  ])('%s: refused, and what was read before that is genuine', async (_name, alter) => {
    const { first } = await sealed()
    expect(first.pieces).toHaveLength(9)
    const result = await outcome(first.attached, alter([...first.pieces]))
    // Where a frame no longer begins where it should, its length says so first.
    expect(['seal/altered', 'seal/malformed', 'seal/truncated']).toContain(result.code)
    expect(result.bytes).toBeLessThan(2 * MIB)
  })

  test('the body of another message, or another length said: refused', async () => {
    const { first, second } = await sealed()
    expect((await outcome(first.attached, second.pieces)).code).not.toBe('none')
    const { attached, pieces } = first
    for (const bytes of [attached.bytes - 1, attached.bytes + 1])
      expect((await outcome({ ...attached, bytes }, pieces)).code).toBe('mailbox/malformed')
    const tail = second.attached.tail
    expect((await outcome({ ...attached, tail }, pieces)).code).toBe('mailbox/malformed')
  })
})

test('attachedBody asks for a few pieces ahead of who reads, and for no more', async () => {
  const { deposit } = await mailbox()
  const queue = new OutboxQueue(new MemoryOrderedStore(), deposit)
  const taken = await takeBody(bytesOf(6 * MIB), queue, 0)
  if ('inline' in taken) throw new Error('expected a large one')
  let asked = 0
  let bytes = 0
  const read = async (index: number) => {
    asked += 1
    return queue.piece(taken.queued, index)
  }
  for await (const piece of attachedBody(taken.attached, read)) {
    bytes += piece.length
    expect(asked * 262_144 - bytes).toBeLessThanOrEqual(6 * 262_144)
  }
  expect(bytes).toBe(6 * MIB)
})
