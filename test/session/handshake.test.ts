// Hello and message 2 as state machines: what a genuine holder learns, and that everything else is silence.
import { beforeEach, describe, expect, test } from 'vitest'
import { concat, hexEncode } from '../../src/bytes.js'
import { Capability, mint, ServiceKey } from '../../src/capability/index.js'
import { generateKeyPair } from '../../src/crypto/index.js'
import { SeenEphemerals } from '../../src/session/admission.js'
import { encodeHello, HELLO_MIN_BYTES, pad, unpad } from '../../src/session/hello.js'
import { DEFAULT_LIMITS, mac1Key } from '../../src/session/index.js'
import {
  decodeClientParameters,
  decodeServiceAnswer,
  encodeClientParameters,
  encodeServiceAnswer,
} from '../../src/session/parameters.js'
import { ServerHandshake } from '../../src/session/server-handshake.js'
import { BOTH, clientKeyFor, clientOf, errorOf, flipped, openSessions, Shop } from './parties.js'

let shop: Shop
let seen: SeenEphemerals

beforeEach(() => {
  shop = new Shop()
  seen = new SeenEphemerals()
})

const receive = (hello: Uint8Array, admit?: () => boolean) =>
  new ServerHandshake([shop.identity], seen).receive(hello, admit)

/** Whether the service says anything at all to `hello`. */
function isAnswered(hello: Uint8Array): boolean {
  const server = new ServerHandshake([shop.identity], seen)
  const question = server.receive(hello)
  const verdict = question && shop.verifier(question)
  return verdict !== undefined && server.answer(verdict.answer) !== undefined
}

/** Message 2 for a hello, whatever its status. */
function answerTo(hello: Uint8Array): Uint8Array {
  const server = new ServerHandshake([shop.identity], seen)
  const verdict = shop.verifier(server.receive(hello)!)
  return server.answer(verdict!.answer)!.message
}

describe.each(BOTH)('%s handshake', (pattern) => {
  test('both ends get the same session, and the service the proven key', () => {
    const { client, service } = openSessions(pattern)
    expect(client.handshakeHash).toEqual(service.handshakeHash)
    expect(client.pattern).toBe(pattern)
    expect(service.remoteStatic === undefined).toBe(pattern === 'NK')
    expect([...service.open(client.seal(Uint8Array.of(0, 1), 'message'))]).toEqual([0, 1])
    expect([...client.open(service.seal(Uint8Array.of(2), 'message'))]).toEqual([2])
  })

  test('every single bit flipped in the hello is met with silence', () => {
    const { hello } = clientOf(shop.capability(), clientKeyFor(pattern))
    for (let at = 0; at < hello.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        if (isAnswered(flipped(hello, at, bit))) throw new Error(`answered: byte ${at}, bit ${bit}`)
      }
    }
    expect(isAnswered(hello)).toBe(true)
  })

  test('every bit flipped behind a mac1 made anew is met with silence', () => {
    const { hello } = clientOf(shop.capability(), clientKeyFor(pattern))
    for (let at = 0; at < hello.length - 16; at++) {
      const changed = flipped(hello.subarray(0, -16), at, at % 8)
      const again = encodeHello(changed.subarray(0, 3), changed.subarray(3), shop.identity.mac1Key)
      if (isAnswered(again)) throw new Error(`answered: byte ${at}`)
    }
  })

  test('a hello cut anywhere is met with silence', () => {
    const { hello } = clientOf(shop.capability(), clientKeyFor(pattern))
    for (let length = 0; length < hello.length; length++) {
      if (isAnswered(hello.slice(0, length))) throw new Error(`answered: ${length} bytes`)
    }
    expect(isAnswered(concat(hello, Uint8Array.of(0)))).toBe(false)
  })

  test('a bit flipped in every byte of message 2, or a cut, is refused by the client for good', () => {
    const keyPair = clientKeyFor(pattern)
    const capability = shop.capability()
    const { length } = answerTo(clientOf(capability, keyPair).hello)
    for (let at = 0; at < length; at++) {
      const client = clientOf(capability, keyPair)
      const message = answerTo(client.hello)
      const bad = at % 3 === 0 ? message.slice(0, at) : flipped(message, at, at % 8)
      expect(errorOf(() => client.receive(bad))).toMatchObject({ code: 'session/handshake' })
      // It is over for good: the genuine message comes too late.
      expect(errorOf(() => client.receive(message))).toMatchObject({ code: 'session/handshake' })
    }
  })
})

test('every single bit flipped in message 2 of NK is refused by the client', () => {
  const capability = shop.capability()
  const { length } = answerTo(clientOf(capability).hello)
  for (let i = 0; i < 8 * length; i++) {
    const client = clientOf(capability)
    const bad = flipped(answerTo(client.hello), i >> 3, i & 7)
    expect(errorOf(() => client.receive(bad))).toMatchObject({ code: 'session/handshake' })
  }
})

describe('the order of checks at the service', () => {
  /** The service's identity, counting how often its key pair, without which there is no DH, is touched. */
  function watched(): { identity: Shop['identity']; touched: () => number } {
    let count = 0
    const { keyHash, mac1Key: key, keyPair } = shop.identity
    const identity = {
      keyHash,
      mac1Key: key,
      get keyPair() {
        count += 1
        return keyPair
      },
    }
    return { identity, touched: () => count }
  }

  test('a wrong mac1 is refused before any DH: the static key is not touched', () => {
    const { hello } = clientOf(shop.capability())
    const { identity, touched } = watched()
    expect(new ServerHandshake([identity], seen).receive(flipped(hello, hello.length - 1, 0))).toBeUndefined()
    expect(touched()).toBe(0)
    expect(new ServerHandshake([identity], seen).receive(hello)).toBeDefined()
    expect(touched()).toBe(1)
  })

  test('no token is taken for a wrong mac1, and no DH is done without a token', () => {
    const { hello } = clientOf(shop.capability())
    const { identity, touched } = watched()
    let asked = 0
    const refuse = () => {
      asked += 1
      return false
    }
    new ServerHandshake([identity], seen).receive(flipped(hello, hello.length - 1, 0), refuse)
    expect(asked).toBe(0)
    expect(new ServerHandshake([identity], seen).receive(hello, refuse)).toBeUndefined()
    expect([asked, touched()]).toEqual([1, 0])
  })

  test('a replay of a whole recorded hello is refused before any DH', () => {
    const { hello } = clientOf(shop.capability())
    expect(isAnswered(hello)).toBe(true)
    const { identity, touched } = watched()
    expect(new ServerHandshake([identity], seen).receive(hello)).toBeUndefined()
    expect(touched()).toBe(0)
  })

  test('of two connections with the same hello at once only the first is answered', () => {
    const { hello } = clientOf(shop.capability())
    const [first, second] = [0, 1].map(() => new ServerHandshake([shop.identity], seen))
    const verdicts = [first, second].map((server) => shop.verifier(server!.receive(hello)!)!)
    expect(first!.answer(verdicts[0]!.answer)).toBeDefined()
    expect(second!.answer(verdicts[1]!.answer)).toBeUndefined()
  })

  test('a hello that proves nothing does not use up the memory for ephemerals', () => {
    const stranger = Capability.fromPair(shop.key.publicKey, new Uint8Array(32).fill(3))
    const { hello } = clientOf(stranger)
    expect(isAnswered(hello)).toBe(false)
    expect(seen.has(String.fromCharCode(...hello.subarray(3, 35)))).toBe(false)
  })

  test('mac1 picks the service where several share a port', () => {
    const other = new Shop()
    const { hello } = clientOf(shop.capability())
    const server = new ServerHandshake([other.identity, shop.identity], seen)
    expect(server.receive(hello)?.service).toBe(shop.identity)
  })
})

describe('silence', () => {
  test('an unknown kid, an unknown pair and another root are not answered', () => {
    shop.key.roots.rotate()
    const old = mint(shop.key, { object: 'notes/ada', kid: 1 })
    shop.key.roots.retire(1)
    expect(isAnswered(clientOf(old).hello)).toBe(false)
    expect(isAnswered(clientOf(Capability.fromPair(shop.key.publicKey, new Uint8Array(32))).hello)).toBe(
      false,
    )
    const forged = mint(new ServiceKey(shop.key.keyPair, ServiceKey.generate().roots), {
      object: 'notes/ada',
      kid: 1,
    })
    expect(isAnswered(clientOf(forged).hello)).toBe(false)
    expect(isAnswered(clientOf(shop.capability()).hello)).toBe(true)
  })

  test('a bad proof is not answered: the locator of a capability without its secret', () => {
    const genuine = shop.capability()
    const question = receive(clientOf(genuine).hello)!
    expect(shop.verifier({ ...question, proof: flipped(question.proof, 0, 0) })).toBeUndefined()
    expect(shop.verifier({ ...question, locator: flipped(question.locator, 30, 0) })).toBeUndefined()
    const elsewhere = question.proven.map((part, i) => (i === 2 ? flipped(part, 0, 0) : part))
    expect(shop.verifier({ ...question, proven: elsewhere })).toBeUndefined()
    expect(shop.verifier(question)).toBeDefined()
  })

  test('a stolen capability that is expired tells the status only to who can prove it', () => {
    const expired = shop.capability({ expiresAt: new Date(1_000_000) })
    const question = receive(clientOf(expired).hello)!
    expect(shop.verifier(question)?.answer.status).toBe('expired')
    expect(shop.verifier({ ...question, proof: flipped(question.proof, 31, 7) })).toBeUndefined()
  })

  test.each([
    ['XK', 2],
    ['KK', 4],
    ['an unknown pattern', 9],
  ])('pattern %s is not spoken', (_name, code) => {
    const hello = clientOf(shop.capability()).hello.slice()
    const again = encodeHello(Uint8Array.of(1, code, 1), hello.subarray(3, -16), shop.identity.mac1Key)
    expect(receive(again)).toBeUndefined()
  })

  test.each([
    ['low order', new Uint8Array(32)],
    ['order 1', Uint8Array.of(1, ...new Uint8Array(31))],
  ])('an ephemeral of %s is met with silence', (_name, ephemeral) => {
    const { hello } = clientOf(shop.capability())
    const message1 = concat(ephemeral, hello.subarray(35, -16))
    expect(receive(encodeHello(hello.slice(0, 3), message1, shop.identity.mac1Key))).toBeUndefined()
  })
})

describe('status', () => {
  const cases: [string, string, () => Capability][] = [
    ['expired', 'session/expired', () => shop.capability({ expiresAt: new Date(1_000_000) })],
    ['not_yet_valid', 'session/not_yet_valid', () => shop.capability({ notBefore: new Date(4e12) })],
    ['pattern', 'session/denied', () => shop.capability({ patterns: ['IK'] })],
    ['use', 'session/denied', () => mint(shop.key, { object: 'notes/ada', use: 'seal' })],
  ]
  test.each(cases)('%s is told to a genuine holder as %s', (_status, code, capability) => {
    const client = clientOf(capability())
    const message = answerTo(client.hello)
    expect(errorOf(() => client.receive(message))).toMatchObject({ code })
  })

  test('revoked is told to a genuine holder, for any link of the chain', async () => {
    const parent = shop.capability()
    const child = parent.attenuate({ methods: ['list'] })
    await shop.revocations.revoke(parent.ids()[0]!)
    const client = clientOf(child)
    const message = answerTo(client.hello)
    expect(errorOf(() => client.receive(message))).toMatchObject({ code: 'session/revoked' })
  })

  test('a refusal leaves no session at the service', () => {
    const server = new ServerHandshake([shop.identity], seen)
    const question = server.receive(clientOf(shop.capability({ notBefore: new Date(4e12) })).hello)!
    expect(server.answer(shop.verifier(question)!.answer)?.session).toBeUndefined()
  })

  test('answer without a question, and a second hello, are refused', () => {
    const server = new ServerHandshake([shop.identity], seen)
    const psk = new Uint8Array(32)
    expect(errorOf(() => server.answer({ psk, status: 'ok', limits: DEFAULT_LIMITS }))).toMatchObject({
      code: 'session/handshake',
    })
    expect(server.receive(clientOf(shop.capability()).hello)).toBeDefined()
    expect(server.receive(clientOf(shop.capability()).hello)).toBeUndefined()
  })
})

describe('padding', () => {
  test('pad and unpad are inverse, in whole multiples of 256 bytes', () => {
    for (const length of [0, 1, 253, 254, 255, 510, 1_000]) {
      const padded = pad(new Uint8Array(length).fill(5))
      expect(padded.length % 256).toBe(0)
      expect(unpad(padded)).toEqual(new Uint8Array(length).fill(5))
    }
  })

  test('unpad refuses bytes that are not zero, a block too many and a length beyond', () => {
    expect(unpad(flipped(pad(Uint8Array.of(1)), 255, 0))).toBeUndefined()
    expect(unpad(concat(pad(Uint8Array.of(1)), new Uint8Array(256)))).toBeUndefined()
    expect(unpad(Uint8Array.of(255, 255, 0))).toBeUndefined()
    expect(unpad(new Uint8Array(0))).toBeUndefined()
  })

  test('hellos of capabilities with and without caveats have the same length', () => {
    const plain = clientOf(shop.capability()).hello.length
    expect(clientOf(shop.capability({ methods: ['list'] })).hello.length).toBe(plain)
    expect(plain).toBeGreaterThanOrEqual(HELLO_MIN_BYTES)
  })

  test('no secret stands in clear: neither locator nor proof', () => {
    const capability = shop.capability()
    const text = hexEncode(clientOf(capability, generateKeyPair()).hello)
    expect(text).not.toContain(hexEncode(capability.locator))
    expect(text).not.toContain(hexEncode(mac1Key(shop.key.publicKey)))
  })
})

describe('parameters', () => {
  test('decode of encode gives the limits and the salts back', () => {
    const salts = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)]
    const limits = { ...DEFAULT_LIMITS, maxCallsInFlight: 3 }
    expect(decodeClientParameters(encodeClientParameters({ limits, holderSalts: salts }))).toEqual({
      limits,
      holderSalts: salts,
    })
    expect(decodeServiceAnswer(encodeServiceAnswer({ status: 'revoked', limits }))).toEqual({
      status: 'revoked',
      limits,
    })
  })

  test('unknown keys are ignored, missing ones are the defaults', () => {
    expect(decodeClientParameters(Uint8Array.of(0xa1, 0x18, 99, 0x01))).toEqual({
      limits: DEFAULT_LIMITS,
      holderSalts: [],
    })
  })

  test.each([
    ['nothing', []],
    ['an array', [0x80]],
    ['a negative limit', [0xa1, 0x01, 0x20]],
    ['a limit as text', [0xa1, 0x01, 0x61, 0x61]],
    ['a limit of 2^31', [0xa1, 0x01, 0x1a, 0x80, 0, 0, 0]],
    ['a salt of one byte', [0xa1, 0x10, 0x81, 0x41, 0x00]],
    ['salts that are no list', [0xa1, 0x10, 0x01]],
    ['bytes behind the map', [0xa0, 0x00]],
  ])('client parameters with %s are malformed', (_name, bytes) => {
    expect(decodeClientParameters(Uint8Array.from(bytes))).toBeUndefined()
  })

  test('an unknown status is malformed: unknown means deny', () => {
    expect(decodeServiceAnswer(Uint8Array.of(0x83, 0x18, 200, 0xa0, 0xa0))).toBeUndefined()
    expect(decodeServiceAnswer(Uint8Array.of(0x83, 0x00, 0xa0, 0xa0))?.status).toBe('ok')
    expect(decodeServiceAnswer(Uint8Array.of(0x82, 0x00, 0xa0))).toBeUndefined()
  })
})
