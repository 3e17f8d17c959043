// Every single bit flipped and every truncation, in every message of every pattern: the service is silent, the client has
// one error, and nothing is sent in answer. A stranger flips on the wire; who knows the public key makes mac1 anew.
import { beforeEach, describe, expect, test } from 'vitest'
import { concat } from '../../src/bytes.js'
import { SeenEphemerals } from '../../src/session/admission.js'
import { encodeHello } from '../../src/session/hello.js'
import { ALL, errorOf, flipped, greeting, handshake, openSessions, Shop } from '../session/parties.js'

const MINUTES = { timeout: 300_000 }
const HEADER_BYTES = 3

let shop: Shop
beforeEach(() => {
  shop = new Shop()
})

/** Every altered form of `message`: each bit flipped, each cut, one byte more. */
function* altered(message: Uint8Array): Generator<[what: string, bytes: Uint8Array]> {
  for (let at = 0; at < message.length; at++) {
    for (let bit = 0; bit < 8; bit++) yield [`byte ${at}, bit ${bit}`, flipped(message, at, bit)]
  }
  for (let length = 0; length < message.length; length++) yield [`cut to ${length}`, message.slice(0, length)]
  yield ['one byte more', concat(message, Uint8Array.of(0))]
}

const describeHandshake = (outcome: ReturnType<typeof handshake>): string =>
  [
    outcome.messages.map(({ from }) => from).join(' '),
    outcome.service === undefined ? 'no session there' : 'a session there',
    outcome.client === undefined ? 'no session here' : 'a session here',
    outcome.clientError === undefined ? 'no error' : (outcome.clientError as { code?: string }).code,
  ].join(', ')

describe.each(ALL)('%s', (pattern) => {
  test('hello: the service is silent', MINUTES, () => {
    const client = greeting(pattern, shop)
    const seen = new SeenEphemerals()
    const outcomes = new Map<string, string>()
    for (const [what, bytes] of altered(client.hello)) {
      const outcome = describeHandshake(handshake(client, shop, { seen, alter: () => bytes }))
      if (!outcomes.has(outcome)) outcomes.set(outcome, what)
    }
    expect([...outcomes.keys()]).toEqual(['client, no session there, no session here, no error'])
    expect(handshake(client, shop, { seen }).client).toBeDefined()
  })

  test('hello behind a mac1 made anew: the service is silent', MINUTES, () => {
    const client = greeting(pattern, shop)
    const seen = new SeenEphemerals()
    const outcomes = new Set<string>()
    const count = { tried: 0 }
    for (const [, bytes] of altered(client.hello.subarray(0, -16))) {
      const again = encodeHello(
        bytes.subarray(0, HEADER_BYTES),
        bytes.subarray(HEADER_BYTES),
        shop.identity.mac1Key,
      )
      count.tried += 1
      outcomes.add(describeHandshake(handshake(client, shop, { seen, alter: () => again })))
    }
    expect([...outcomes]).toEqual(['client, no session there, no session here, no error'])
    expect(count.tried).toBe(9 * (client.hello.length - 16) + 1)
  })

  test('message 2: the client has one error and sends nothing', MINUTES, () => {
    const outcomes = new Set<string>()
    const capability = shop.capability()
    const genuine = handshake(greeting(pattern, shop, capability), shop).messages[1]!.bytes
    for (let i = 0; i <= 9 * genuine.length; i++) {
      const alter = (bytes: Uint8Array, index: number) => (index === 1 ? alteredForm(bytes, i) : bytes)
      const outcome = handshake(greeting(pattern, shop, capability), shop, { alter })
      expect(outcome.client).toBeUndefined()
      outcomes.add(`${outcome.messages.length} messages, ${(outcome.clientError as { code?: string }).code}`)
    }
    expect([...outcomes]).toEqual(['2 messages, session/handshake'])
  })

  test('a record, in either direction: its reader has one error, for good', MINUTES, () => {
    for (const [from, to] of [
      ['client', 'service'],
      ['service', 'client'],
    ] as const) {
      const sessions = openSessions(pattern, shop)
      const length = sessions[from].seal(Uint8Array.of(0, 1, 2, 3), 'message').length
      for (let i = 0; i <= 9 * length; i++) {
        const ends = openSessions(pattern, shop)
        const record = ends[from].seal(Uint8Array.of(0, 1, 2, 3), 'message')
        const bad = alteredForm(record, i)
        expect(errorOf(() => ends[to].open(bad))).toMatchObject({ code: 'session/protocol' })
        // Over for good: neither the genuine record nor a reply is possible.
        expect(errorOf(() => ends[to].open(record))).toMatchObject({ code: 'session/closed' })
        expect(errorOf(() => ends[to].seal(Uint8Array.of(1), 'message'))).toMatchObject({
          code: 'session/closed',
        })
      }
    }
  })
})

/** The `i`-th altered form, as {@link altered} orders them. */
function alteredForm(message: Uint8Array, i: number): Uint8Array {
  if (i < 8 * message.length) return flipped(message, i >> 3, i & 7)
  if (i < 9 * message.length) return message.slice(0, i - 8 * message.length)
  return concat(message, Uint8Array.of(0))
}

describe('XK', () => {
  test('message 3: the service is silent', MINUTES, () => {
    const capability = shop.capability()
    const genuine = handshake(greeting('XK', shop, capability), shop).messages[2]!.bytes
    const outcomes = new Set<string>()
    for (let i = 0; i <= 9 * genuine.length; i++) {
      const alter = (bytes: Uint8Array, index: number) => (index === 2 ? alteredForm(bytes, i) : bytes)
      outcomes.add(describeHandshake(handshake(greeting('XK', shop, capability), shop, { alter })))
    }
    expect([...outcomes]).toEqual(['client service client, no session there, no session here, no error'])
  })

  test('the record with the status: the client has one error', MINUTES, () => {
    const capability = shop.capability()
    const genuine = handshake(greeting('XK', shop, capability), shop).messages[3]!.bytes
    const outcomes = new Set<string>()
    for (let i = 0; i <= 9 * genuine.length; i++) {
      const alter = (bytes: Uint8Array, index: number) => (index === 3 ? alteredForm(bytes, i) : bytes)
      const outcome = handshake(greeting('XK', shop, capability), shop, { alter })
      expect(outcome.client).toBeUndefined()
      outcomes.add(`${outcome.messages.length} messages, ${(outcome.clientError as { code?: string }).code}`)
    }
    expect([...outcomes]).toEqual(['4 messages, session/handshake'])
  })
})
