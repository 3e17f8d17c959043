// Sessions whose client has its DHs computed ahead, by Node's Web Cryptography: the same handshakes, and no DH of its own.
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { PatternName } from '../../src/capability/index.js'
import {
  asPublicKey,
  type HeldX25519Key,
  type LaterX25519,
  primitives,
  webX25519,
} from '../../src/crypto/index.js'
import { SeenEphemerals } from '../../src/session/admission.js'
import { ClientDhs } from '../../src/session/client-dhs.js'
import { ClientHandshake } from '../../src/session/client-handshake.js'
import { DEFAULT_LIMITS, initiateSession } from '../../src/session/index.js'
import { ServerHandshake } from '../../src/session/server-handshake.js'
import { memoryPair } from '../../src/transport/index.js'
import { ALL, listen, now, openPair, prepared, Shop } from './parties.js'

afterEach(() => vi.restoreAllMocks())

/** Node's Web Cryptography, counting DHs. */
async function counting(): Promise<{ readonly later: LaterX25519; readonly done: () => number }> {
  const later = await webX25519()
  if (later === undefined) throw new Error('this host has no X25519 in Web Cryptography')
  let done = 0
  const hold = async (...given: Parameters<LaterX25519['hold']>): Promise<HeldX25519Key | undefined> => {
    const held = await later.hold(...given)
    return (
      held && {
        dh: (publicKey) => {
          done += 1
          return held.dh(publicKey)
        },
      }
    )
  }
  return { later: { hold }, done: () => done }
}

/** DHs of the client, its public ephemeral key included, and of the service. */
const DHS = { NK: [3, 2], XK: [4, 3], IK: [5, 4], KK: [5, 4] } satisfies Record<PatternName, [number, number]>

describe.each(ALL)('%s with DHs ahead', (pattern) => {
  test.each(['length', 'message'] as const)(
    'opens over frames by %s, and only the service computes',
    async (framing) => {
      const { later, done } = await counting()
      const usual = vi.spyOn(primitives().dh('25519'), 'dh')
      const { client, service } = await openPair({ pattern, framing, laterX25519: later })
      expect([done(), usual.mock.calls.length]).toEqual(DHS[pattern])
      const heard = listen(service)
      listen(client)
      client.send(Uint8Array.of(0, 7))
      await expect.poll(() => heard.records.map((record) => [...record])).toEqual([[0, 7]])
      client.close('done')
    },
  )

  test.each([
    ['that refuses every key', { hold: async () => undefined }],
    ['that fails', { hold: () => Promise.reject(new Error('no')) }],
  ] satisfies [string, LaterX25519][])('opens all the same with an X25519 %s', async (_, later) => {
    const { client, service } = await openPair({ pattern, laterX25519: later })
    expect(client.session.handshakeHash).toEqual(service.session.handshakeHash)
    client.close('done')
  })
})

/** A client's handshake with its DHs ahead, and the service's answer to its hello. */
async function answered(answer: (message: Uint8Array) => Uint8Array) {
  const { later } = await counting()
  const shop = new Shop()
  const pipes = memoryPair('message')
  const { capability } = prepared('NK', shop)
  const opening = initiateSession(
    pipes.client,
    { capability, pattern: 'NK', limits: DEFAULT_LIMITS, laterX25519: async () => later },
    AbortSignal.timeout(5_000),
  )
  pipes.server.start({
    data: (hello) => {
      const server = new ServerHandshake([shop.identity], new SeenEphemerals())
      const question = server.receive(hello, { nowSeconds: now() })
      const verdict = question && shop.verifier(question)
      const answering = verdict && server.answer({ ...verdict.answer, status: 'expired' })
      if (answering === undefined) throw new Error('the hello was refused')
      pipes.server.write(answer(answering.message))
      pipes.server.end()
    },
    drain: () => {},
    end: () => {},
    closed: () => {},
  })
  return await opening.then(
    () => undefined,
    (error: unknown) => error,
  )
}

describe('what comes while DHs are computed', () => {
  test('an end behind the answer is heard after it: the refusal is told', async () => {
    expect(await answered((message) => message)).toMatchObject({ code: 'session/expired' })
  })

  test('an ephemeral key of low order is refused as any foreign answer', async () => {
    const lowOrder = (message: Uint8Array): Uint8Array => message.fill(0, 0, 32)
    expect(await answered(lowOrder)).toMatchObject({ code: 'session/handshake' })
  })

  test('an answer too short to have a key is refused', async () => {
    expect(await answered((message) => message.subarray(0, 20))).toMatchObject({ code: 'session/handshake' })
  })

  test('results that never come end with the deadline, and the pipe is gone', async () => {
    const shop = new Shop()
    const pipes = memoryPair('message')
    const later: LaterX25519 = { hold: async () => ({ dh: () => new Promise(() => {}) }) }
    let closed = 0
    pipes.server.start({ data: () => {}, drain: () => {}, end: () => {}, closed: () => closed++ })
    const opening = initiateSession(
      pipes.client,
      {
        capability: shop.capability(),
        pattern: 'NK',
        limits: DEFAULT_LIMITS,
        laterX25519: async () => later,
      },
      AbortSignal.timeout(50),
    )
    await expect(opening).rejects.toMatchObject({ code: 'session/no_answer' })
    await expect.poll(() => closed).toBe(1)
  })

  test('what comes after the attempt was given up is wiped', async () => {
    const shop = new Shop()
    const pipes = memoryPair('message')
    const results: Uint8Array[] = []
    let answer = (): void => {}
    const asked = new Promise<void>((resolve) => {
      answer = resolve
    })
    const later: LaterX25519 = {
      hold: async () => ({
        async dh() {
          await asked
          const shared = new Uint8Array(32).fill(7)
          results.push(shared)
          return shared
        },
      }),
    }
    const controller = new AbortController()
    const given = { capability: shop.capability(), pattern: 'NK', limits: DEFAULT_LIMITS } as const
    const opening = initiateSession(
      pipes.client,
      { ...given, laterX25519: async () => later },
      controller.signal,
    )
    const reason = new Error('stop')
    controller.abort(reason)
    await expect(opening).rejects.toBe(reason)
    answer()
    await expect.poll(() => results.map((bytes) => bytes.every((byte) => byte === 0))).toEqual([true, true])
  })

  test('giving up wipes what was computed', async () => {
    const { later } = await counting()
    const shop = new Shop()
    const capability = shop.capability()
    const dhs = await ClientDhs.begin(later, { pattern: 'NK', service: capability.publicKey })
    const options = { capability, pattern: 'NK', limits: DEFAULT_LIMITS, nowSeconds: now(), dhs } as const
    const client = new ClientHandshake(options)
    const peer = primitives().dh('25519')
    const message = new Uint8Array(304)
    message.set(peer.publicKeyOf(peer.generateSecretKey()))
    const meeting = client.ahead(message)
    const usual = vi.spyOn(peer, 'dh')
    client.abandon()
    await meeting
    // Nothing is left to be given: the function computes by itself.
    dhs.function.dh(peer.generateSecretKey(), asPublicKey(message.slice(0, 32)))
    expect(usual).toHaveBeenCalledTimes(1)
  })
})
