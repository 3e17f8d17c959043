// A small flood from another process against a real service with its real limits, while honest clients call: all of them are
// answered, strangers get nothing and are closed, memory comes back. Figures come from bench/flood.ts; nothing here is timed.
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Capability, connect } from '../../src/index.js'
import { Notes, startNotes, type World } from '../integration/notes.js'
import { clientOf, flipped } from '../session/parties.js'
import { Crowd, framed, heldBytes } from './door.js'

const STALLED = 1_000
const BOGUS = 2_000
const FLOOD_MS = 2_000
/** DESIGN allows 16 KiB; this test has its honest clients in the same process. */
const GROWTH_MAX_BYTES = STALLED * 65_536

let world: World
let crowd: Crowd
let unhandled: unknown[]
const note = (reason: unknown): void => {
  unhandled.push(reason)
}

beforeEach(async () => {
  unhandled = []
  process.on('unhandledRejection', note)
  world = await startNotes()
  crowd = await Crowd.start()
})

afterEach(async () => {
  await crowd.stop()
  await world.close()
  process.off('unhandledRejection', note)
  expect(unhandled).toEqual([])
  expect(world.errors).toEqual([])
})

const port = (): number => Number(new URL(world.location).port)
const dial = () =>
  connect(world.notes.mint({ owner: 'ada' }), Notes, { resolvers: [world.registry], timeoutMs: 60_000 })

/** Calls one after another over one connection, and now and then over a fresh one, until `over`; how many were answered. */
async function callUntil(over: Promise<unknown>): Promise<number> {
  let going = true
  void over.finally(() => {
    going = false
  })
  await using steady = await dial()
  let answered = 0
  do {
    expect(await steady.echo(answered)).toBe(answered)
    answered += 1
    if (answered % 50 === 1) {
      await using fresh = await dial()
      expect(await fresh.echo('fresh')).toBe('fresh')
    }
  } while (going)
  return answered
}

describe('connections that stall', () => {
  test.each([
    ['send nothing', new Uint8Array(0)],
    ['send one byte', Uint8Array.of(1)],
    ['announce the longest hello and send a little of it', Uint8Array.of(0x10, 0x00, 1, 1, 1)],
  ])(
    '1,000 that %s: honest clients are answered, the others closed by the deadline',
    async (_name, bytes) => {
      await (await dial())[Symbol.asyncDispose]()
      const before = await heldBytes()
      const order = { port: port(), count: STALLED, bytes: Buffer.from(bytes).toString('base64') }
      const stalling = crowd.order({ do: 'stall', ...order })
      expect(await callUntil(stalling)).toBeGreaterThan(0)
      expect(await stalling).toMatchObject({ sent: STALLED, failed: 0, received: 0 })
      expect((await heldBytes()) - before).toBeLessThan(GROWTH_MAX_BYTES)
      await using honest = await dial()
      await expect.poll(async () => (await crowd.order({ do: 'report' })).open, { interval: 250 }).toBe(0)
      expect(await honest.echo(1)).toBe(1)
      expect(world.service.openSessions).toBe(1)
      expect((await heldBytes()) - before).toBeLessThan(GROWTH_MAX_BYTES / 8)
    },
    120_000,
  )
})

describe('a flood of bogus hellos', () => {
  const genuine = () => framed(clientOf(world.notes.mint({ owner: 'eve' })).hello)
  const kinds: [string, () => Promise<Uint8Array>][] = [
    ['with a wrong mac1', async () => flipped(genuine(), 40, 0)],
    [
      'with a valid mac1 and no capability',
      async () =>
        framed(clientOf(Capability.fromPair(world.service.key.publicKey, new Uint8Array(32))).hello),
    ],
    [
      'replayed',
      async () => {
        const hello = genuine()
        const order = { port: port(), count: 1, ms: 60_000, bytes: Buffer.from(hello).toString('base64') }
        await crowd.order({ do: 'flood', ...order })
        await crowd.order({ do: 'drop' })
        return hello
      },
    ],
  ]

  test.each(kinds)(
    '%s: honest clients are answered, the flood is not',
    async (_name, make) => {
      const bytes = Buffer.from(await make()).toString('base64')
      await (await dial())[Symbol.asyncDispose]()
      const before = await heldBytes()
      const flooding = crowd.order({ do: 'flood', port: port(), count: BOGUS, ms: FLOOD_MS, bytes })
      expect(await callUntil(flooding)).toBeGreaterThan(0)
      const report = await flooding
      expect(report.sent).toBeGreaterThan(0)
      expect([report.received, report.failed]).toEqual([0, 0])
      await using honest = await dial()
      expect(await honest.echo(1)).toBe(1)
      await expect.poll(() => world.service.openSessions).toBe(1)
      expect((await heldBytes()) - before).toBeLessThan(GROWTH_MAX_BYTES / 8)
    },
    120_000,
  )
})
