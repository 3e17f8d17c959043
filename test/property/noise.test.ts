// Handshakes over random protocol names: both sides agree, and any truncation, extension or flipped bit is refused.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { EMPTY } from '../../src/bytes.js'
import { type HandshakeState, PATTERN_NAMES, parseProtocolName } from '../../src/noise/index.js'
import { failureOf, partiesOf } from '../noise/parties.js'

/** X448 is left to the vectors: the rules below do not depend on the curve and it is slow without node. */
const suite = fc
  .tuple(fc.constantFrom('ChaChaPoly', 'AESGCM'), fc.constantFrom('SHA256', 'SHA512', 'BLAKE2s', 'BLAKE2b'))
  .map(([cipher, hash]) => `25519_${cipher}_${hash}`)

const messageCount = (pattern: string) =>
  parseProtocolName(`Noise_${pattern}_25519_ChaChaPoly_BLAKE2b`).plan.messages.length

const FALLBACKS = ['NNfallback', 'XXfallback', 'IXfallback', 'X1X1fallback', 'NK1fallback']

/** A valid protocol name: any pattern, any set of psk placements, any suite. */
const protocolName = fc
  .constantFrom(...PATTERN_NAMES, ...FALLBACKS)
  .chain((pattern) => {
    const numbers = Array.from({ length: messageCount(pattern) + 1 }, (_, number) => number)
    return fc.tuple(fc.constant(pattern), fc.subarray(numbers), suite)
  })
  .map(([pattern, numbers, algorithms]) => {
    const modifiers = numbers.map((number) => `psk${number}`).join('+')
    const joint = modifiers !== '' && pattern.endsWith('fallback') ? '+' : ''
    return `Noise_${pattern}${joint}${modifiers}_${algorithms}`
  })

const payload = fc.uint8Array({ maxLength: 48 })

/** Both sides after `count` messages with these payloads, and who writes next. */
function advance(protocol: string, count: number, payloads: readonly Uint8Array[]) {
  const { initiator, responder } = partiesOf(protocol)
  let [writer, reader]: [HandshakeState, HandshakeState] = [initiator, responder]
  for (let index = 0; index < count; index++) {
    expect(reader.readMessage(writer.writeMessage(payloads[index]))).toEqual(payloads[index])
    ;[writer, reader] = [reader, writer]
  }
  return { initiator, responder, writer, reader }
}

/** Whether the handshake can still come to an agreement after `reader` took `message`. */
function agreesAfter(writer: HandshakeState, reader: HandshakeState, message: Uint8Array): boolean {
  try {
    reader.readMessage(message)
    let [next, other] = [reader, writer]
    while (!next.finished || !other.finished) {
      other.readMessage(next.writeMessage())
      ;[next, other] = [other, next]
    }
    return Buffer.from(next.handshakeHash).equals(other.handshakeHash)
  } catch {
    return false
  }
}

const run = fc.tuple(protocolName, fc.array(payload, { minLength: 5, maxLength: 5 }))

describe('random protocol names', () => {
  test('both sides agree on the hash, payloads and transport arrive unchanged', () => {
    fc.assert(
      fc.property(run, payload, ([protocol, payloads], text) => {
        const { plan } = parseProtocolName(protocol)
        const { initiator, responder } = advance(protocol, plan.messages.length, payloads)
        expect(initiator.handshakeHash).toEqual(responder.handshakeHash)
        const [ours, theirs] = [initiator.split(), responder.split()]
        expect(theirs.receive.decryptWithAd(EMPTY, ours.send.encryptWithAd(EMPTY, text))).toEqual(text)
        if (plan.oneWay) return
        expect(ours.receive.decryptWithAd(EMPTY, theirs.send.encryptWithAd(EMPTY, text))).toEqual(text)
      }),
      { numRuns: 150 },
    )
  })

  test('an unchanged handshake message ends in agreement', () => {
    fc.assert(
      fc.property(run, fc.nat(), ([protocol, payloads], which) => {
        const { plan } = parseProtocolName(protocol)
        const { writer, reader } = advance(protocol, which % plan.messages.length, payloads)
        expect(agreesAfter(writer, reader, writer.writeMessage(payloads[4]))).toBe(true)
      }),
      { numRuns: 100 },
    )
  })

  test('a flipped bit in any handshake message never ends in agreement', () => {
    fc.assert(
      fc.property(run, fc.nat(), fc.nat(), ([protocol, payloads], which, bit) => {
        const { plan } = parseProtocolName(protocol)
        const { writer, reader } = advance(protocol, which % plan.messages.length, payloads)
        const message = writer.writeMessage(payloads[4])
        // X25519 ignores the last bit of a public key; h does not, so that bit is no exception below.
        const place = bit % (message.length * 8)
        message[place >> 3]! ^= 1 << (place & 7)
        expect(agreesAfter(writer, reader, message)).toBe(false)
      }),
      { numRuns: 300 },
    )
  })

  test('a truncated or extended handshake message never ends in agreement', () => {
    fc.assert(
      fc.property(
        run,
        fc.nat(),
        fc.integer({ min: 1, max: 400 }),
        fc.boolean(),
        ([protocol, payloads], which, by, cut) => {
          const { plan } = parseProtocolName(protocol)
          const { writer, reader } = advance(protocol, which % plan.messages.length, payloads)
          const message = writer.writeMessage(payloads[4])
          const length = cut ? Math.max(0, message.length - by) : message.length + by
          const changed = new Uint8Array(length)
          changed.set(message.subarray(0, length))
          expect(agreesAfter(writer, reader, changed)).toBe(false)
        },
      ),
      { numRuns: 300 },
    )
  })

  test('a changed message is refused at once where a key exists, with an opaque code, and poisons', () => {
    fc.assert(
      fc.property(run, fc.nat(), ([protocol, payloads], bit) => {
        const { plan } = parseProtocolName(protocol)
        const keyed = plan.messages.findIndex(
          ({ overhead, tokens }) =>
            overhead > 32 * tokens.filter((token) => token === 'e' || token === 's').length,
        )
        const { writer, reader } = advance(protocol, keyed, payloads)
        const message = writer.writeMessage(payloads[4])
        const place = bit % (message.length * 8)
        message[place >> 3]! ^= 1 << (place & 7)
        expect(failureOf(() => reader.readMessage(message))).toBe('noise/decrypt')
        expect(failureOf(() => reader.readMessage(message))).toBe('noise/failed')
        expect(reader.remoteEphemeral).toBeUndefined()
      }),
      { numRuns: 300 },
    )
  })

  test('transport: any flipped bit or truncation is refused and the genuine message still opens', () => {
    fc.assert(
      fc.property(run, payload, fc.nat(), fc.boolean(), ([protocol, payloads], text, bit, cut) => {
        const { initiator, responder } = advance(
          protocol,
          parseProtocolName(protocol).plan.messages.length,
          payloads,
        )
        const { send } = initiator.split()
        const { receive } = responder.split()
        const genuine = send.encryptWithAd(EMPTY, text)
        const changed = cut ? genuine.slice(0, bit % genuine.length) : genuine.slice()
        const place = bit % (genuine.length * 8)
        if (!cut) changed[place >> 3]! ^= 1 << (place & 7)
        const expected = changed.length < 16 ? 'noise/message_length' : 'noise/decrypt'
        expect(failureOf(() => receive.decryptWithAd(EMPTY, changed))).toBe(expected)
        expect(receive.nonce).toBe(0n)
        expect(receive.decryptWithAd(EMPTY, genuine)).toEqual(text)
      }),
      { numRuns: 150 },
    )
  })
})
