// The conformance suite of MailboxStore (spec/mailbox.md §6): every store passes all of it. Time is given, so nothing here waits.
import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { hexEncode } from '../../src/bytes.js'
import { messageId } from '../../src/mailbox/envelope.js'
import type {
  BoxLimits,
  LeasedMessage,
  LeaseRequest,
  MailboxStore,
  NewMessage,
} from '../../src/mailbox/store.js'

const NOW = 1_800_000_000_000
const DAY_MS = 86_400_000
const LIMITS: BoxLimits = {
  maxMessages: 100,
  maxBytes: 1_000_000,
  messageTtlSeconds: 86_400,
  maxDeliveries: 3,
  ordered: true,
}
const ANA = Uint8Array.of(1, 1, 1, 1, 1, 1, 1, 1)
const BOB = Uint8Array.of(2, 2, 2, 2, 2, 2, 2, 2)

/** A message that says `text` to who looks. */
export function messageOf(text: string, expiresMs = NOW + DAY_MS / 2): NewMessage {
  const envelope = new TextEncoder().encode(text)
  return { id: messageId(envelope), envelope, expiresMs }
}
const textOf = ({ envelope }: { readonly envelope: Uint8Array }) => new TextDecoder().decode(envelope)
const asking = (consumer: Uint8Array, request: Partial<LeaseRequest> = {}): LeaseRequest => ({
  consumer,
  maxMessages: 10,
  maxBytes: 1_000_000,
  leaseMs: 30_000,
  ...request,
})

/** Run the suite.
 * @param open - a store with nothing in it. */
export function describeStore(name: string, open: () => Promise<MailboxStore>): void {
  describe(`MailboxStore ${name}`, () => {
    let store: MailboxStore
    let box: Uint8Array
    const newBox = async (limits: Partial<BoxLimits> = {}, expiresMs?: number) => {
      const id = new Uint8Array(randomBytes(16))
      const names = (['deposit', 'collect', 'notify'] as const).map((role) => ({
        role,
        hash: new Uint8Array(randomBytes(16)),
      }))
      await store.openBox({ id, limits: { ...LIMITS, ...limits }, expiresMs }, names, NOW)
      return { id, names }
    }
    const put = (texts: readonly string[], depositor = 0, now = NOW) =>
      store.deposit(
        box,
        depositor,
        texts.map((text) => messageOf(text)),
        now,
      )
    const take = async (consumer = ANA, request: Partial<LeaseRequest> = {}, now = NOW) =>
      (await store.lease(box, asking(consumer, request), now)).messages
    const texts = async (...args: Parameters<typeof take>) => (await take(...args)).map(textOf)
    const settle = (
      kind: 'ack' | 'reject',
      messages: readonly (LeasedMessage | undefined)[],
      now = NOW,
    ): Promise<void> =>
      store.settle(
        box,
        messages.map((message) => ({ kind, receipt: message!.receipt })),
        now,
      )
    const nack = (message: LeasedMessage | undefined, delayMs: number, now = NOW) =>
      store.settle(box, [{ kind: 'nack', receipt: message!.receipt, delayMs }], now)

    beforeEach(async () => {
      store = await open()
      box = (await newBox()).id
    })
    afterEach(() => store[Symbol.asyncDispose]())

    describe('names', () => {
      test('find, each name of a box, gives its role; deposits are numbered', async () => {
        const { id, names } = await newBox()
        const extra = { role: 'deposit' as const, hash: new Uint8Array(randomBytes(16)) }
        expect(await store.addAlias(id, extra, NOW)).toBe(true)
        const found = await Promise.all([...names, extra].map(({ hash }) => store.find(hash, NOW)))
        expect(found.map((entry) => entry?.role)).toEqual(['deposit', 'collect', 'notify', 'deposit'])
        expect(found.map((entry) => hexEncode(entry!.box))).toEqual(Array(4).fill(hexEncode(id)))
        expect(found[3]?.depositor).not.toBe(found[0]?.depositor)
      })
      test('find, a name that was removed or never was, gives nothing', async () => {
        const { names } = await newBox()
        await store.removeAlias(names[0]!.hash)
        expect(await store.find(names[0]!.hash, NOW)).toBeUndefined()
        expect(await store.find(new Uint8Array(16), NOW)).toBeUndefined()
        expect((await store.find(names[1]!.hash, NOW))?.role).toBe('collect')
      })
      test('dropBox, names and messages are gone, other boxes are not', async () => {
        const { id, names } = await newBox()
        await store.deposit(id, 0, [messageOf('a')], NOW)
        await put(['kept'])
        await store.dropBox(id)
        expect(await store.find(names[0]!.hash, NOW)).toBeUndefined()
        expect(await store.stat(id, NOW)).toBeUndefined()
        expect(await store.deposit(id, 0, [messageOf('b')], NOW)).toMatchObject({ refusal: 'gone' })
        expect((await store.lease(id, asking(ANA), NOW)).open).toBe(false)
        expect(await store.addAlias(id, names[0]!, NOW)).toBe(false)
        expect(await texts()).toEqual(['kept'])
      })
      test('a box past its expiry is not there, and is swept', async () => {
        const { id, names } = await newBox({}, NOW + 1_000)
        expect(await store.find(names[0]!.hash, NOW + 999)).toBeDefined()
        expect(await store.find(names[0]!.hash, NOW + 1_000)).toBeUndefined()
        expect(await store.deposit(id, 0, [messageOf('a')], NOW + 1_000)).toMatchObject({ refusal: 'gone' })
        expect(await store.sweep(NOW + 1_000, 100)).toBeGreaterThan(0)
        expect(await store.find(names[0]!.hash, NOW)).toBeUndefined()
      })
    })

    describe('deposit', () => {
      test('what is deposited comes in order of arrival', async () => {
        expect(await put(['a', 'b'])).toEqual({ accepted: 2, duplicates: 0, refusal: undefined })
        await put(['c'])
        const messages = await take()
        expect(messages.map(textOf)).toEqual(['a', 'b', 'c'])
        expect(messages[0]).toMatchObject({
          depositedMs: NOW,
          expiresMs: NOW + DAY_MS / 2,
          deliveries: 1,
        })
        expect(messages[1]!.position).toBeGreaterThan(messages[0]!.position)
      })
      test('a repeated message is a duplicate, also after it was acknowledged', async () => {
        await put(['a'])
        expect(await put(['a', 'b'])).toEqual({ accepted: 2, duplicates: 1, refusal: undefined })
        await settle('ack', await take())
        expect(await put(['a'])).toEqual({ accepted: 1, duplicates: 1, refusal: undefined })
        expect(await texts()).toEqual([])
        expect(await store.stat(box, NOW)).toMatchObject({ messages: 0, bytes: 0, arrivals: 2 })
      })
      test('the same message concurrently is kept once', async () => {
        const results = await Promise.all(Array.from({ length: 8 }, () => put(['same'])))
        expect(results.map(({ accepted }) => accepted)).toEqual(Array(8).fill(1))
        expect(results.reduce((sum, { duplicates }) => sum + duplicates, 0)).toBe(7)
        expect(await texts()).toEqual(['same'])
      })
      test('concurrent deposits of one caller keep their order', async () => {
        const sent = Array.from({ length: 20 }, (_, i) => `m${i}`)
        await Promise.all(sent.map((text) => put([text])))
        expect(await texts(ANA, { maxMessages: 50 })).toEqual(sent)
      })
      test('past the quota of messages, the first ones are taken and the rest is refused', async () => {
        box = (await newBox({ maxMessages: 2 })).id
        expect(await put(['a', 'b', 'c'])).toEqual({ accepted: 2, duplicates: 0, refusal: 'quota_messages' })
        expect(await store.stat(box, NOW)).toMatchObject({ messages: 2, refusals: 1 })
        await settle('ack', (await take()).slice(0, 1))
        expect(await put(['c'])).toMatchObject({ accepted: 1, refusal: undefined })
      })
      test('past the quota of bytes it is refused, what is smaller is taken', async () => {
        box = (await newBox({ maxBytes: 10 })).id
        await put(['12345678'])
        expect(await put(['123'])).toEqual({ accepted: 0, duplicates: 0, refusal: 'quota_bytes' })
        expect(await put(['12'])).toMatchObject({ accepted: 1 })
      })
      test('an expired message is refused; a long life is cut to that of the box', async () => {
        const past = await store.deposit(box, 0, [messageOf('old', NOW)], NOW)
        expect(past).toEqual({ accepted: 0, duplicates: 0, refusal: 'expired' })
        await store.deposit(box, 0, [messageOf('long', NOW + 9 * DAY_MS)], NOW)
        expect((await take())[0]?.expiresMs).toBe(NOW + DAY_MS)
      })
      test('expired messages are not delivered, and swept with their ids', async () => {
        await store.deposit(box, 0, [messageOf('brief', NOW + 1_000), messageOf('held', NOW + 2_000)], NOW)
        await put(['kept'])
        expect(await texts(ANA, {}, NOW + 2_000)).toEqual(['kept'])
        expect(await store.sweep(NOW + 2_000, 100)).toBe(2)
        expect(await store.sweep(NOW + 2_000, 100)).toBe(0)
        expect(await store.stat(box, NOW)).toMatchObject({ messages: 1, bytes: 4 })
        const again = await store.deposit(box, 0, [messageOf('brief', NOW + DAY_MS)], NOW)
        expect(again).toMatchObject({ duplicates: 0, accepted: 1 })
      })
    })

    describe('leases', () => {
      test('what one consumer holds, no other gets, until the lease is over', async () => {
        await put(['a'])
        expect(await texts(ANA)).toEqual(['a'])
        expect(await texts(BOB)).toEqual([])
        expect(await texts(ANA)).toEqual([])
        const leased = await store.lease(box, asking(BOB), NOW + 29_999)
        expect(leased).toMatchObject({ messages: [], nextMs: NOW + 30_000 })
        const [again] = await take(BOB, {}, NOW + 30_000)
        expect(again).toMatchObject({ deliveries: 2 })
      })
      test('maxMessages and maxBytes bound it, yet one message always comes', async () => {
        await put(['1234567890', '12345', '1234'])
        expect(await texts(ANA, { maxMessages: 1 })).toEqual(['1234567890'])
        expect(await texts(ANA, { maxBytes: 5 })).toEqual(['12345'])
        expect(await texts(ANA, { maxBytes: 1 })).toEqual(['1234'])
      })
      test('of one depositor nothing overtakes what another consumer holds; of others it does', async () => {
        await put(['a1', 'a2'], 1)
        await put(['b1'], 2)
        expect(await texts(ANA, { maxMessages: 1 })).toEqual(['a1'])
        expect(await texts(BOB)).toEqual(['b1'])
        expect(await texts(ANA)).toEqual(['a2'])
      })
      test('of one depositor nothing overtakes what is delayed, in an ordered box', async () => {
        await put(['a', 'b'])
        const [first] = await take(ANA, { maxMessages: 1 })
        await nack(first, 5_000)
        expect(await store.lease(box, asking(ANA), NOW)).toMatchObject({ messages: [], nextMs: NOW + 5_000 })
        expect(await texts(ANA, {}, NOW + 5_000)).toEqual(['a', 'b'])
      })
      test('in a box without order it does', async () => {
        box = (await newBox({ ordered: false })).id
        await put(['a', 'b'])
        const [first] = await take(ANA, { maxMessages: 1 })
        await nack(first, 5_000)
        expect(await texts(BOB)).toEqual(['b'])
      })
      test('ack removes; repeated, or after the lease is over, it is as good', async () => {
        await put(['a', 'b'])
        const [a, b] = await take()
        await settle('ack', [a])
        await settle('ack', [a])
        await settle('ack', [b], NOW + DAY_MS / 4)
        expect(await store.stat(box, NOW)).toMatchObject({ messages: 0, bytes: 0 })
        expect(await texts(BOB, {}, NOW + DAY_MS / 4)).toEqual([])
      })
      test('ackThrough acknowledges what this consumer holds up to there, and nothing of others', async () => {
        await put(['a1', 'a2', 'a3'], 1)
        await put(['b1'], 2)
        const held = await take(ANA, { maxMessages: 2 })
        const other = await take(BOB)
        expect(other.map(textOf)).toEqual(['b1'])
        const rest = await take(ANA)
        expect(rest.map(textOf)).toEqual(['a3'])
        await store.ackThrough(box, held[1]!.receipt, ANA, NOW)
        expect(await texts(BOB, {}, NOW + 30_000)).toEqual(['a3', 'b1'])
      })
      test('nack without delay gives it back at once', async () => {
        await put(['a'])
        await nack((await take(ANA))[0], 0)
        expect((await take(BOB))[0]).toMatchObject({ deliveries: 2 })
      })
      test('a nack of an earlier delivery changes nothing', async () => {
        await put(['a'])
        const [first] = await take(ANA)
        await take(BOB, {}, NOW + 30_000)
        await nack(first, 0, NOW + 30_000)
        expect(await texts(ANA, {}, NOW + 30_000)).toEqual([])
      })
      test('extend holds it longer', async () => {
        await put(['a'])
        const [first] = await take(ANA)
        await store.settle(box, [{ kind: 'extend', receipt: first!.receipt, leaseMs: 60_000 }], NOW + 20_000)
        expect(await texts(BOB, {}, NOW + 79_999)).toEqual([])
        expect(await texts(BOB, {}, NOW + 80_000)).toEqual(['a'])
      })
      test('a clock that goes back does not hold it for longer than was asked', async () => {
        await put(['a'])
        await take(ANA)
        expect(await texts(BOB, {}, NOW - DAY_MS)).toEqual(['a'])
      })
      test('a receipt that is none is refused, and changes nothing', async () => {
        await put(['a'])
        const [a] = await take()
        const settlements = [
          { kind: 'ack' as const, receipt: a!.receipt },
          { kind: 'ack' as const, receipt: 'nonsense' },
        ]
        await expect(store.settle(box, settlements, NOW)).rejects.toThrow(RangeError)
        expect(await store.stat(box, NOW)).toMatchObject({ messages: 1 })
      })
    })

    describe('dead letters', () => {
      test('what was delivered too often without acknowledgement becomes one', async () => {
        await put(['poison', 'next'])
        for (let i = 0; i < 3; i++) await nack((await take(ANA, { maxMessages: 1 }))[0], 0)
        expect(await texts(ANA, { maxMessages: 1 })).toEqual(['next'])
        const dead = await store.deadLetters(box, { after: -1, maxMessages: 10, maxBytes: 1_000 }, NOW)
        expect(dead.map(textOf)).toEqual(['poison'])
        expect(dead[0]).toMatchObject({ reason: 'deliveries', deliveries: 3 })
        expect(await store.stat(box, NOW)).toMatchObject({ messages: 1, deadLetters: 1, deadBytes: 6 })
      })
      test('reject makes one at once; it can be delivered again, or removed', async () => {
        await put(['a', 'b'])
        await settle('reject', await take())
        const dead = await store.deadLetters(box, { after: -1, maxMessages: 10, maxBytes: 1_000 }, NOW)
        expect(dead.map(({ reason }) => reason)).toEqual(['rejected', 'rejected'])
        expect(await store.settleDead(box, [dead[0]!.position], 'redeliver', NOW)).toBe(1)
        expect((await take(BOB))[0]).toMatchObject({ deliveries: 1 })
        expect(await store.settleDead(box, undefined, 'remove', NOW)).toBe(1)
        expect(await store.stat(box, NOW)).toMatchObject({ messages: 1, deadLetters: 0, deadBytes: 0 })
      })
      test('it counts for the quota, and expires like others', async () => {
        box = (await newBox({ maxMessages: 1 })).id
        await put(['a'])
        await settle('reject', await take())
        expect(await put(['b'])).toMatchObject({ refusal: 'quota_messages' })
        await store.sweep(NOW + DAY_MS, 100)
        expect(await put(['b'], 0, NOW)).toMatchObject({ accepted: 1 })
      })
    })

    describe('reading and waiting', () => {
      test('read shows everything in order, from a position on, and consumes nothing', async () => {
        await put(['a', 'b', 'c'])
        await take(ANA, { maxMessages: 1 })
        const request = { after: -1, maxMessages: 2, maxBytes: 1_000 }
        const first = await store.read(box, request, NOW)
        expect(first.map(textOf)).toEqual(['a', 'b'])
        const rest = await store.read(box, { ...request, after: first[1]!.position }, NOW)
        expect(rest.map(textOf)).toEqual(['c'])
        expect(await texts(BOB, {}, NOW + 30_000)).toEqual(['a', 'b', 'c'])
      })
      test('watch hears of a deposit, of a refusal and of what is given back, until it is stopped', async () => {
        let heard = 0
        const stop = store.watch(box, () => {
          heard += 1
        })
        await put(['a'])
        await expect.poll(() => heard).toBeGreaterThan(0)
        heard = 0
        await nack((await take())[0], 0)
        await expect.poll(() => heard).toBeGreaterThan(0)
        stop()
        heard = 0
        await put(['b'])
        expect(heard).toBe(0)
      })
    })

    describe('large bodies', () => {
      const PIECE = 262_144
      const piece = (byte: number, length = PIECE) => new Uint8Array(length).fill(byte)
      const message = messageOf('head')
      const BYTES = 2 * PIECE + 5
      const bodies = () => store.bodies!
      const begin = (bodyBytes = BYTES, now = NOW) => bodies().begin(box, 0, message, bodyBytes, now)
      const append = (index: number, bytes: Uint8Array, now = NOW) =>
        bodies().append(box, 0, message.id, index, bytes, now)
      const read = (index: number) => bodies().read(box, message.id, index, NOW)
      const upload = async () => {
        await begin()
        for (const [i, bytes] of [piece(1), piece(2), piece(3, 5)].entries()) await append(i, bytes)
      }
      const counted = async () => {
        const { messages, bytes, deadLetters, deadBytes } = (await store.stat(box, NOW))!
        return { messages, bytes, deadLetters, deadBytes }
      }
      const EMPTY_BOX = { messages: 0, bytes: 0, deadLetters: 0, deadBytes: 0 }

      test('a message is delivered once its last piece is there, and its body goes when it is acknowledged', async () => {
        expect(await begin()).toEqual({ pieces: 0, complete: false, refusal: undefined })
        expect(await counted()).toMatchObject({ messages: 1, bytes: BYTES + 4 })
        expect(await append(0, piece(1))).toEqual({ pieces: 1, complete: false })
        expect(await texts()).toEqual([])
        expect(await read(0)).toBeUndefined()
        expect(await append(1, piece(2))).toEqual({ pieces: 2, complete: false })
        expect(await append(2, piece(3, 5))).toEqual({ pieces: 3, complete: true })
        const messages = await take()
        expect(messages.map(textOf)).toEqual(['head'])
        expect(await Promise.all([0, 1, 2, 3].map(read))).toEqual(
          [Buffer.from(piece(1)), Buffer.from(piece(2)), Buffer.from(piece(3, 5)), undefined].map(
            (bytes) => bytes && expect.objectContaining({ length: bytes.length, 0: bytes[0] }),
          ),
        )
        expect(await counted()).toMatchObject({ messages: 1, bytes: BYTES + 4 })
        await settle('ack', messages)
        expect(await counted()).toEqual(EMPTY_BOX)
        expect(await read(0)).toBeUndefined()
      })

      test('pieces that come twice, too early or too late change nothing', async () => {
        expect(await append(0, piece(1))).toBeUndefined()
        await begin()
        expect(await append(1, piece(9))).toEqual({ pieces: 0, complete: false })
        await append(0, piece(1))
        expect(await append(0, piece(9))).toEqual({ pieces: 1, complete: false })
        expect(await begin()).toEqual({ pieces: 1, complete: false, refusal: undefined })
        await append(1, piece(2))
        await append(2, piece(3, 5))
        expect(await append(2, piece(9, 5))).toEqual({ pieces: 3, complete: true })
        expect(await begin()).toMatchObject({ complete: true, refusal: undefined })
        expect(await read(0)).toMatchObject({ length: PIECE, 0: 1 })
        expect(await counted()).toMatchObject({ messages: 1, bytes: BYTES + 4 })
      })

      test('a piece of another length, another length of the body, another depositor are refused', async () => {
        await begin()
        await expect(append(0, piece(1, 5))).rejects.toThrow(RangeError)
        await expect(begin(BYTES + 1)).rejects.toThrow(RangeError)
        expect(await bodies().append(box, 1, message.id, 0, piece(1), NOW)).toBeUndefined()
      })

      test('another depositor with the same message takes its upload over, and it is counted once', async () => {
        await begin()
        await append(0, piece(1))
        expect(await bodies().begin(box, 1, message, BYTES, NOW)).toMatchObject({
          pieces: 0,
          complete: false,
        })
        expect(await counted()).toMatchObject({ messages: 1, bytes: BYTES + 4 })
        expect(await append(1, piece(2))).toBeUndefined()
        for (const [i, bytes] of [piece(4), piece(5), piece(6, 5)].entries())
          await bodies().append(box, 1, message.id, i, bytes, NOW)
        expect(await read(0)).toMatchObject({ length: PIECE, 0: 4 })
        await settle('ack', await take())
        expect(await counted()).toEqual(EMPTY_BOX)
      })

      test('a message that is deposited whole while its upload is on the way stays, and the upload ends', async () => {
        await begin()
        await append(0, piece(1))
        await put(['head'])
        expect(await append(1, piece(2))).toMatchObject({ complete: true })
        await store.sweep(NOW + 3_600_000, 100)
        expect(await counted()).toEqual({ ...EMPTY_BOX, messages: 1, bytes: 4 })
        expect(await texts()).toEqual(['head'])
        expect(await read(0)).toBeUndefined()
      })

      test('what there is no room for leaves nothing behind, and what could never be is told apart', async () => {
        expect(await begin(1_000_000)).toMatchObject({ refusal: 'too_large' })
        await store.deposit(box, 0, [messageOf('x'.repeat(600_000))], NOW)
        const before = await counted()
        expect(await begin()).toMatchObject({ pieces: 0, refusal: 'quota_bytes' })
        expect(await append(0, piece(1))).toBeUndefined()
        expect(await counted()).toEqual(before)
        expect((await store.stat(box, NOW))?.refusals).toBe(1)
        box = (await newBox({ maxMessages: 1 })).id
        expect(await begin()).toMatchObject({ refusal: undefined })
        expect(await put(['a'])).toMatchObject({ refusal: 'quota_messages' })
      })

      test('an upload that stops is removed after an hour, one that goes on is not', async () => {
        const HOUR_MS = 3_600_000
        await begin()
        await append(0, piece(1), NOW + HOUR_MS - 1)
        await store.sweep(NOW + HOUR_MS, 100)
        expect(await counted()).toMatchObject({ messages: 1 })
        await store.sweep(NOW + 2 * HOUR_MS - 1, 100)
        expect(await counted()).toEqual(EMPTY_BOX)
        expect(await append(1, piece(2), NOW + 2 * HOUR_MS)).toBeUndefined()
      })

      test('the body of a dead letter stays until that is removed or has expired', async () => {
        await upload()
        await settle('reject', await take())
        expect(await counted()).toMatchObject({ messages: 0, deadLetters: 1, deadBytes: BYTES + 4 })
        expect(await read(0)).toMatchObject({ length: PIECE })
        await store.settleDead(box, undefined, 'redeliver', NOW)
        expect(await counted()).toMatchObject({ messages: 1, bytes: BYTES + 4 })
        await settle('reject', await take())
        await store.settleDead(box, undefined, 'remove', NOW)
        expect(await counted()).toEqual(EMPTY_BOX)
        expect(await read(0)).toBeUndefined()
      })

      test('a body ends with the expiry of its message', async () => {
        await upload()
        await store.sweep(NOW + DAY_MS, 100)
        expect(await counted()).toEqual(EMPTY_BOX)
        expect(await read(0)).toBeUndefined()
      })
    })

    test('two consumers, many depositors, at once: each message once, in order of its depositor', async () => {
      box = (await newBox({ maxMessages: 1_000 })).id
      const sent = Array.from({ length: 120 }, (_, i) => ({ depositor: i % 4, text: `${i % 4}:${i}` }))
      await Promise.all(sent.map(({ depositor, text }) => put([text], depositor)))
      const got: string[] = []
      const consume = async (consumer: typeof ANA) => {
        for (;;) {
          const messages = await take(consumer, { maxMessages: 7 })
          if (messages.length === 0) {
            if ((await store.stat(box, NOW))?.messages === 0) return
            await new Promise((resolve) => setTimeout(resolve, 2))
            continue
          }
          got.push(...messages.map(textOf))
          await settle('ack', messages)
        }
      }
      await Promise.all([consume(ANA), consume(BOB)])
      expect([...got].sort()).toEqual(sent.map(({ text }) => text).sort())
      for (let depositor = 0; depositor < 4; depositor++) {
        const of = (texts: readonly string[]) => texts.filter((text) => text.startsWith(`${depositor}:`))
        expect(of(got)).toEqual(of(sent.map(({ text }) => text)))
      }
    })
  })
}
