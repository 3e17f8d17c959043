// The clock of a relay's machine is set forward and back by hours while boxes are in use, and while the relay is down: leases, lives,
// remembered ids and what was acknowledged, in every store that outlives its process. The clock itself: steady-clock.test.ts.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { MAILBOX_SWEEP_MS } from '../../src/limits.js'
import { EnvelopeWriter } from '../../src/mailbox/envelope.js'
import { CollectInterface, DepositInterface, Relay, RelayClient } from '../../src/mailbox/index.js'
import { FakeClock, TestNetwork } from '../../src/testing/index.js'
import { ada, closeAll, closing } from './parties.js'
import { REAL_STORES, type StoreAt } from './real-stores.js'

const HOUR_MS = 3_600_000
const ANA = new Uint8Array(8).fill(1)
const BOB = new Uint8Array(8).fill(2)

describe.each(REAL_STORES)('a clock that is set, boxes in $name', ({ found, start }) => {
  const directory = mkdtempSync(join(tmpdir(), 'noisecap-clocks-'))
  let place: StoreAt
  beforeAll(async () => {
    if (found) place = await start(directory)
  }, 60_000)
  afterAll(async () => {
    await closeAll()
    await place?.stop()
    rmSync(directory, { recursive: true, force: true })
  })

  async function world() {
    const network = closing(new TestNetwork())
    const store = closing(await place.open())
    const clock = new FakeClock()
    const service = network.createService()
    const run = () => closing(new Relay(service, store, { clock }))
    const relay = run()
    const client = closing(new RelayClient(relay.boxes.mint({}), { connect: network.connect }))
    const { deposit, collect } = await client.openBox({ to: ada.publicKey })
    const depositor = closing(await network.connect(deposit.capability, DepositInterface))
    const collector = closing(await network.connect(collect.capability, CollectInterface))
    const writer = new EnvelopeWriter({ to: ada.publicKey, box: deposit.box })
    const seal = () => {
      const header = {
        series: new Uint8Array(16),
        sequence: 0,
        previous: undefined,
        sentAt: 1,
        expires: 2,
        contentType: 'application/json',
        headers: {},
        reply: undefined,
        receipt: undefined,
        inReplyTo: undefined,
      }
      return writer.seal({ header, body: Uint8Array.of(0x31) })
    }
    const put = (envelopes: readonly Uint8Array[], ttlMs: number, fromMs = clock.wallMs()) =>
      depositor.deposit({
        messages: envelopes.map((envelope) => ({ envelope, expiresMs: fromMs + ttlMs })),
      })
    const take = async (consumer: Uint8Array) =>
      (await collector.receive({ consumer, leaseMs: 30_000, maxMessages: 100, waitMs: 0 })).messages
    const ack = (messages: readonly { readonly receipt: string }[]) =>
      collector.settle({ settlements: messages.map(({ receipt }) => ({ kind: 'ack' as const, receipt })) })
    /** Let time go by until the relay has swept. */
    const swept = async () => {
      await clock.advance(MAILBOX_SWEEP_MS)
      await clock.advance(0)
      await collector.stat() // what was asked of the store before is done
    }
    return { clock, run, relay, seal, put, take, ack, swept, collector }
  }
  const envelopes = (seal: () => Uint8Array) => [0, 1, 2].map(seal)

  test.skipIf(!found).each([
    ['forward', 12 * HOUR_MS],
    ['back', -12 * HOUR_MS],
  ])(
    'set %s by 12 hours while the relay runs: nothing expires, no lease ends early or late, ids stay known',
    async (_way, jumpMs) => {
      const { clock, seal, put, take, ack, swept, collector } = await world()
      const three = envelopes(seal)
      const before = clock.wallMs()
      await put(three, HOUR_MS)
      const held = await take(ANA)
      expect(held).toHaveLength(3)
      clock.setDate(before + jumpMs)
      expect(await take(BOB)).toEqual([])
      expect(await put(three, HOUR_MS, before)).toMatchObject({ accepted: 3, duplicates: 3 })
      await ack(held.slice(0, 1))
      await swept() // 30 s: the leases are over too
      const again = await take(BOB)
      expect(again.map(({ envelope }) => Buffer.from(envelope))).toEqual(
        three.slice(1).map((e) => Buffer.from(e)),
      )
      expect(again.map(({ deliveries }) => deliveries)).toEqual([2, 2])
      await ack(again)
      expect(await put(three, HOUR_MS, before)).toMatchObject({ accepted: 3, duplicates: 3 })
      expect(await collector.stat()).toMatchObject({ messages: 0, bytes: 0, arrivals: 3, deadLetters: 0 })
    },
    30_000,
  )

  test.skipIf(!found).each([
    ['forward', 12 * HOUR_MS],
    ['back', -12 * HOUR_MS],
  ])(
    'set %s by 12 hours while the relay is down: what was acknowledged is delivered, once each, and held by nobody for hours',
    async (_way, jumpMs) => {
      const { clock, run, relay, seal, put, take, ack, swept, collector } = await world()
      const three = envelopes(seal)
      const before = clock.wallMs()
      await put(three, 24 * HOUR_MS)
      await ack((await take(ANA)).slice(0, 1))
      await relay[Symbol.asyncDispose]()
      clock.setDate(before + jumpMs)
      run()
      await swept()
      const messages = await take(BOB)
      expect(messages.map(({ envelope }) => Buffer.from(envelope))).toEqual(
        three.slice(1).map((e) => Buffer.from(e)),
      )
      await ack(messages)
      expect(await put(three, 24 * HOUR_MS, before)).toMatchObject({ accepted: 3, duplicates: 3 })
      expect(await take(BOB)).toEqual([])
      expect(await collector.stat()).toMatchObject({ messages: 0, arrivals: 3 })
    },
    30_000,
  )
})
