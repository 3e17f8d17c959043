// Hello and message 2 as state machines: what a genuine holder learns, and that everything else is silence.
import { beforeEach, describe, expect, test } from 'vitest'
import { concat, hexEncode } from '../../src/bytes.js'
import { Capability, judgeHolder, mint, type PatternName, ServiceKey } from '../../src/capability/index.js'
import { generateKeyPair } from '../../src/crypto/index.js'
import { NoisecapError } from '../../src/errors.js'
import { HandshakeState } from '../../src/noise/index.js'
import { SeenEphemerals } from '../../src/session/admission.js'
import { ClientHandshake } from '../../src/session/client-handshake.js'
import { encodeHello, HELLO_MIN_BYTES, pad, prologue, unpad } from '../../src/session/hello.js'
import { DEFAULT_LIMITS, mac1Key } from '../../src/session/index.js'
import {
  decodeClientParameters,
  decodeServiceAnswer,
  encodeClientParameters,
  encodeServiceAnswer,
} from '../../src/session/parameters.js'
import { ServerHandshake } from '../../src/session/server-handshake.js'
import { PATTERNS } from '../../src/session/wire.js'
import {
  ALL,
  clientOf,
  errorOf,
  flipped,
  greeting,
  handshake,
  now,
  openSessions,
  prepared,
  Shop,
} from './parties.js'

let shop: Shop
let seen: SeenEphemerals

beforeEach(() => {
  shop = new Shop()
  seen = new SeenEphemerals()
})

const receive = (hello: Uint8Array, admit: () => boolean = () => true) =>
  new ServerHandshake([shop.identity], seen).receive(hello, { admit, nowSeconds: now() })

/** Whether the service says anything at all to `hello`. */
function isAnswered(hello: Uint8Array): boolean {
  const server = new ServerHandshake([shop.identity], seen)
  const question = server.receive(hello, { nowSeconds: now() })
  const verdict = question && shop.verifier(question)
  return verdict !== undefined && server.answer(verdict.answer) !== undefined
}

/** The code that a client of `pattern` ends with. */
function refusalOf(pattern: PatternName, capability: Capability): unknown {
  const { client, service, clientError } = handshake(greeting(pattern, shop, capability), shop)
  expect([client, service]).toEqual([undefined, undefined])
  return clientError instanceof NoisecapError ? clientError.code : clientError
}

describe.each(ALL)('%s handshake', (pattern) => {
  test('both ends get the same session, and the service the proven key', () => {
    const { client, service } = openSessions(pattern, shop)
    expect(client.handshakeHash).toEqual(service.handshakeHash)
    expect([client.pattern, service.pattern]).toEqual([pattern, pattern])
    expect(service.remoteStatic === undefined).toBe(pattern === 'NK')
    expect(client.remoteStatic).toEqual(shop.key.publicKey)
    expect([...service.open(client.seal(Uint8Array.of(0, 1), 'message'))]).toEqual([0, 1])
    expect([...client.open(service.seal(Uint8Array.of(2), 'message'))]).toEqual([2])
  })

  test('sends as many messages, of such lengths, as spec/session.md says', () => {
    const { messages } = handshake(greeting(pattern, shop), shop)
    expect(messages.map(({ from, bytes }) => `${from} ${bytes.length}`)).toEqual(
      {
        NK: ['client 323', 'service 304'],
        XK: ['client 323', 'service 48', 'client 320', 'service 272'],
        IK: ['client 371', 'service 304'],
        KK: ['client 339', 'service 304'],
      }[pattern],
    )
  })

  test('the two ends of one handshake disagree about nothing that stands in clear', () => {
    // The header is part of the prologue: a hello whose header was changed behind a mac1 made anew proves nothing.
    const { hello } = greeting(pattern, shop)
    const length = pattern === 'KK' ? 19 : 3
    for (let at = 0; at < length; at++) {
      const changed = flipped(hello.subarray(0, -16), at, 0)
      expect(
        isAnswered(encodeHello(changed.subarray(0, 3), changed.subarray(3), shop.identity.mac1Key)),
      ).toBe(false)
    }
    expect(isAnswered(hello)).toBe(true)
  })

  test('a second message at either end finds the handshake over', () => {
    const client = greeting(pattern, shop)
    const { messages } = handshake(client, shop)
    expect(errorOf(() => client.receive(messages[1]!.bytes))).toMatchObject({ code: 'session/handshake' })
  })

  test('a holder caveat holds for its key and no other', () => {
    const { keyPair } = prepared(pattern, shop)
    if (keyPair === undefined) {
      const bound = shop.capability({ holder: generateKeyPair().publicKey })
      expect(refusalOf(pattern, bound)).toBe('session/denied')
      return
    }
    const bound = shop.capability({ holder: keyPair.publicKey })
    void shop.contacts.add({ client: keyPair.publicKey, contactKey: bound.keys().contactKey() })
    const server = new ServerHandshake([shop.identity], seen)
    const client = clientOf(bound, keyPair, pattern)
    const question = server.receive(client.hello, { nowSeconds: now() })!
    const verdict = shop.verifier(question)!
    let salts = question.parameters.holderSalts
    let { message, session } = server.answer(verdict.answer)!
    if (pattern === 'XK') {
      expect(salts).toEqual([]) // not before message 3
      const step = client.receive(message)
      const completed = server.complete('reply' in step ? step.reply : message, 'message')!
      salts = completed.holderSalts
      session = completed.session
      message = completed.record
    }
    expect(judgeHolder(verdict.verified, session?.remoteStatic, salts)).toBe('ok')
    expect(judgeHolder(verdict.verified, generateKeyPair().publicKey, salts)).toBe('holder')
    expect(judgeHolder(verdict.verified, session?.remoteStatic, [])).toBe('holder')
  })

  test('a patterns caveat without it is told as denied', () => {
    const others = ALL.filter((each) => each !== pattern)
    expect(refusalOf(pattern, shop.capability({ patterns: others }))).toBe('session/denied')
    const { client } = handshake(greeting(pattern, shop, shop.capability({ patterns: [pattern] })), shop)
    expect(client).toBeDefined()
  })

  test('without a free slot a genuine holder is told overloaded', () => {
    const { clientError } = handshake(greeting(pattern, shop), shop, {
      answer: ({ answer }) => ({ ...answer, status: 'overloaded' }),
    })
    expect(clientError).toMatchObject({ code: 'session/overloaded' })
  })
})

test.each([
  ['NK with a key', 'NK', true],
  ['XK without', 'XK', false],
  ['IK without', 'IK', false],
  ['KK without', 'KK', false],
] as const)('%s is refused before anything is sent', (_name, pattern, withKey) => {
  const keyPair = withKey ? generateKeyPair() : undefined
  expect(errorOf(() => clientOf(shop.capability(), keyPair, pattern))).toBeInstanceOf(TypeError)
})

describe('XK', () => {
  test('message 3 from another client than that of the hello is met with silence', () => {
    const [first, second] = [greeting('XK', shop), greeting('XK', shop)]
    const server = new ServerHandshake([shop.identity], seen)
    const other = new ServerHandshake([shop.identity], seen)
    const answer = (handshakeOf: ServerHandshake, hello: Uint8Array) =>
      handshakeOf.answer(shop.verifier(handshakeOf.receive(hello, { nowSeconds: now() })!)!.answer)!.message
    const reply = (client: typeof first, message: Uint8Array) => {
      const step = client.receive(message)
      if (!('reply' in step)) throw new Error('expected message 3')
      return step.reply
    }
    const [message2, otherMessage2] = [answer(server, first.hello), answer(other, second.hello)]
    reply(first, message2)
    expect(server.complete(reply(second, otherMessage2), 'message')).toBeUndefined()
    expect(errorOf(() => server.complete(new Uint8Array(320), 'message'))).toMatchObject({
      code: 'session/handshake',
    })
  })

  test('the service learns neither key nor salts of the client before message 3', () => {
    const client = generateKeyPair()
    const question = receive(clientOf(shop.capability({ holder: client.publicKey }), client, 'XK').hello)!
    expect(question.clientKey).toBeUndefined()
    expect(question.parameters.holderSalts).toEqual([])
  })

  test('message 3 is not expected of other patterns, nor before message 2', () => {
    const server = new ServerHandshake([shop.identity], seen)
    server.receive(greeting('IK', shop).hello, { nowSeconds: now() })
    expect(errorOf(() => server.complete(new Uint8Array(320), 'message'))).toMatchObject({
      code: 'session/handshake',
    })
  })

  test('message 2 with an ok inside is not from this service', () => {
    // Only a refusal may stand there: an ok before message 3 would be an answer to nobody in particular.
    const client = greeting('XK', shop)
    const noise = new HandshakeState({
      protocol: PATTERNS.XK.protocol,
      role: 'responder',
      prologue: prologue(client.hello.subarray(0, 3), shop.identity.keyHash),
      s: shop.key.keyPair,
    })
    noise.readMessage(client.hello.subarray(3, -16))
    const message = noise.writeMessage(pad(encodeServiceAnswer({ status: 'ok', limits: DEFAULT_LIMITS })))
    expect(errorOf(() => client.receive(message))).toMatchObject({ code: 'session/handshake' })
  })
})

describe('KK', () => {
  test('a client who is no contact, or with another capability, meets silence', () => {
    const [known, stranger] = [generateKeyPair(), generateKeyPair()]
    const capability = shop.capability()
    void shop.contacts.add({ client: known.publicKey, contactKey: capability.keys().contactKey() })
    expect(isAnswered(clientOf(capability, known, 'KK').hello)).toBe(true)
    expect(isAnswered(clientOf(capability, stranger, 'KK').hello)).toBe(false)
    expect(isAnswered(clientOf(shop.capability(), known, 'KK').hello)).toBe(false)
  })

  test('a tag of the day before or after is found, of two days off is not', () => {
    const keyPair = generateKeyPair()
    const capability = shop.capability()
    void shop.contacts.add({ client: keyPair.publicKey, contactKey: capability.keys().contactKey() })
    const daysOff = [-2, -1, 0, 1, 2].filter((days) => {
      const client = new ClientHandshake({
        capability,
        keyPair,
        pattern: 'KK',
        limits: DEFAULT_LIMITS,
        nowSeconds: now() + days * 86_400,
      })
      return isAnswered(client.hello)
    })
    expect(daysOff).toEqual([-1, 0, 1])
  })

  test('a removed contact meets silence', async () => {
    const { capability, keyPair } = prepared('KK', shop)
    expect(isAnswered(clientOf(capability, keyPair, 'KK').hello)).toBe(true)
    await shop.contacts.remove(keyPair!.publicKey)
    expect(isAnswered(clientOf(capability, keyPair, 'KK').hello)).toBe(false)
  })

  test('the tag names nobody: it differs by capability, client and day', () => {
    const [one, two] = [generateKeyPair(), generateKeyPair()]
    const [cap, other] = [shop.capability(), shop.capability()]
    const tag = (capability: Capability, keyPair = one, days = 0) =>
      hexEncode(
        new ClientHandshake({
          capability,
          keyPair,
          pattern: 'KK',
          limits: DEFAULT_LIMITS,
          nowSeconds: 1_800_000_000 + days * 86_400,
        }).hello.subarray(3, 19),
      )
    const tags = [tag(cap), tag(other), tag(cap, two), tag(cap, one, 1)]
    expect(new Set(tags).size).toBe(4)
    expect(tag(cap)).toBe(tags[0])
  })

  test('a service without contacts is silent towards every KK hello', () => {
    const { capability, keyPair } = prepared('KK', shop)
    const { contacts: _, ...identity } = shop.identity
    const { hello } = clientOf(capability, keyPair, 'KK')
    expect(new ServerHandshake([identity], seen).receive(hello, { nowSeconds: now() })).toBeUndefined()
  })
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
    expect(
      new ServerHandshake([identity], seen).receive(flipped(hello, hello.length - 1, 0), {
        nowSeconds: now(),
      }),
    ).toBeUndefined()
    expect(touched()).toBe(0)
    expect(new ServerHandshake([identity], seen).receive(hello, { nowSeconds: now() })).toBeDefined()
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
    new ServerHandshake([identity], seen).receive(flipped(hello, hello.length - 1, 0), {
      admit: refuse,
      nowSeconds: now(),
    })
    expect(asked).toBe(0)
    expect(
      new ServerHandshake([identity], seen).receive(hello, { admit: refuse, nowSeconds: now() }),
    ).toBeUndefined()
    expect([asked, touched()]).toEqual([1, 0])
  })

  test('a replay of a whole recorded hello is refused before any DH', () => {
    const { hello } = clientOf(shop.capability())
    expect(isAnswered(hello)).toBe(true)
    const { identity, touched } = watched()
    expect(new ServerHandshake([identity], seen).receive(hello, { nowSeconds: now() })).toBeUndefined()
    expect(touched()).toBe(0)
  })

  test('of two connections with the same hello at once only the first is answered', () => {
    const { hello } = clientOf(shop.capability())
    const [first, second] = [0, 1].map(() => new ServerHandshake([shop.identity], seen))
    const verdicts = [first, second].map(
      (server) => shop.verifier(server!.receive(hello, { nowSeconds: now() })!)!,
    )
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
    expect(server.receive(hello, { nowSeconds: now() })?.service).toBe(shop.identity)
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

  test('an unknown pattern, version and suite are not spoken', () => {
    const hello = clientOf(shop.capability()).hello.slice()
    for (const header of [
      [1, 9, 1],
      [1, 0, 1],
      [2, 1, 1],
      [1, 1, 2],
    ]) {
      const again = encodeHello(Uint8Array.from(header), hello.subarray(3, -16), shop.identity.mac1Key)
      expect(receive(again)).toBeUndefined()
    }
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
    ['use', 'session/denied', () => mint(shop.key, { object: 'notes/ada', use: 'seal' })],
  ]
  describe.each(ALL)('%s', (pattern) => {
    test.each(cases)('%s is told to a genuine holder as %s', (_status, code, capability) => {
      expect(refusalOf(pattern, capability())).toBe(code)
    })

    test('revoked is told to a genuine holder, for any link of the chain', async () => {
      const parent = shop.capability()
      const child = parent.attenuate({ methods: ['list'] })
      await shop.revocations.revoke(parent.ids()[0]!)
      expect(refusalOf(pattern, child)).toBe('session/revoked')
    })
  })

  test('a refusal leaves no session at the service', () => {
    const server = new ServerHandshake([shop.identity], seen)
    const question = server.receive(clientOf(shop.capability({ notBefore: new Date(4e12) })).hello, {
      nowSeconds: now(),
    })!
    expect(server.answer(shop.verifier(question)!.answer)?.session).toBeUndefined()
  })

  test('answer without a question, and a second hello, are refused', () => {
    const server = new ServerHandshake([shop.identity], seen)
    const psk = new Uint8Array(32)
    expect(errorOf(() => server.answer({ psk, status: 'ok', limits: DEFAULT_LIMITS }))).toMatchObject({
      code: 'session/handshake',
    })
    expect(server.receive(clientOf(shop.capability()).hello, { nowSeconds: now() })).toBeDefined()
    expect(server.receive(clientOf(shop.capability()).hello, { nowSeconds: now() })).toBeUndefined()
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
