// Runs spec/vectors/noise-vectors.json through both roles of the engine on given primitives. The layout is that of the
// cacophony set plus `rekey_after`: after so many transport messages both sides rekey both directions.
// After a one-way handshake every transport message goes from the initiator, otherwise message i when i is even.
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { EMPTY, hexDecode, hexEncode } from '../../src/bytes.js'
import { asPublicKey, asSecretKey, KeyPair, type Primitives } from '../../src/crypto/index.js'
import { type HandshakeOptions, HandshakeState, parseProtocolName, type Role } from '../../src/noise/index.js'

export interface NoiseVector {
  readonly protocol_name: string
  readonly init_prologue: string
  readonly resp_prologue: string
  readonly init_static?: string
  readonly resp_static?: string
  readonly init_ephemeral: string
  readonly resp_ephemeral?: string
  readonly init_remote_static?: string
  readonly resp_remote_static?: string
  readonly init_psks?: readonly string[]
  readonly resp_psks?: readonly string[]
  readonly messages: readonly { readonly payload: string; readonly ciphertext: string }[]
  readonly handshake_hash: string
  readonly rekey_after: number
}

export const VECTORS_IN_ALL = 886

const file = new URL('../../spec/vectors/noise-vectors.json', import.meta.url)
export const vectors: readonly NoiseVector[] = JSON.parse(readFileSync(file, 'utf8')).vectors

/** When the PSKs are handed over: with the options, or each right before the message that needs it. */
type PskTiming = 'early' | 'late'

/** Declare the tests of all vectors that `wanted` selects: one test a vector, PSK handshakes twice.
 * @param count - how many vectors that must be. */
export function declareVectorTests(
  title: string,
  primitives: () => Primitives,
  count: number,
  wanted: (vector: NoiseVector) => boolean = () => true,
): void {
  const selected = vectors.filter(wanted)
  describe(title, () => {
    test(`the set holds ${count} of ${VECTORS_IN_ALL} vectors for it`, () => {
      expect(vectors).toHaveLength(VECTORS_IN_ALL)
      expect(selected).toHaveLength(count)
    })
    for (const vector of selected) {
      test(vector.protocol_name, () => runVector(vector, primitives(), 'early'))
      if (vector.init_psks !== undefined) {
        test(`${vector.protocol_name}, PSKs set late`, () => runVector(vector, primitives(), 'late'))
      }
    }
  })
}

function runVector(vector: NoiseVector, primitives: Primitives, timing: PskTiming): void {
  const { plan } = parseProtocolName(vector.protocol_name)
  const initiator = new HandshakeState(optionsOf(vector, 'initiator', primitives, timing))
  const responder = new HandshakeState(optionsOf(vector, 'responder', primitives, timing))
  for (const [index, { sender, psks }] of plan.messages.entries()) {
    const [writer, reader] = sender === 'initiator' ? [initiator, responder] : [responder, initiator]
    const { payload, ciphertext } = vector.messages[index]!
    if (timing === 'late') {
      for (const number of psks) {
        const place = plan.psks.indexOf(number)
        initiator.setPsk(number, hexDecode(vector.init_psks![place]!))
        responder.setPsk(number, hexDecode(vector.resp_psks![place]!))
      }
    }
    expect(hexEncode(writer.writeMessage(hexDecode(payload)))).toBe(ciphertext)
    expect(hexEncode(reader.readMessage(hexDecode(ciphertext)))).toBe(payload)
  }
  expect(initiator.finished && responder.finished).toBe(true)
  expect(hexEncode(initiator.handshakeHash)).toBe(vector.handshake_hash)
  expect(hexEncode(responder.handshakeHash)).toBe(vector.handshake_hash)
  runTransport(vector, initiator, responder)
}

function runTransport(vector: NoiseVector, initiator: HandshakeState, responder: HandshakeState): void {
  const { plan } = parseProtocolName(vector.protocol_name)
  const ours = initiator.split()
  const theirs = responder.split()
  const transport = vector.messages.slice(plan.messages.length)
  for (const [index, { payload, ciphertext }] of transport.entries()) {
    if (index === vector.rekey_after) {
      const live = plan.oneWay
        ? [ours.send, theirs.receive]
        : [ours.send, ours.receive, theirs.send, theirs.receive]
      for (const cipher of live) cipher.rekey()
    }
    const fromInitiator = plan.oneWay || (index + plan.messages.length) % 2 === 0
    const [send, receive] = fromInitiator ? [ours.send, theirs.receive] : [theirs.send, ours.receive]
    expect(hexEncode(send.encryptWithAd(EMPTY, hexDecode(payload)))).toBe(ciphertext)
    expect(hexEncode(receive.decryptWithAd(EMPTY, hexDecode(ciphertext)))).toBe(payload)
  }
  expect(transport.length).toBeGreaterThan(vector.rekey_after)
}

/** What `role` brings to the handshake of `vector`. */
export function optionsOf(
  vector: NoiseVector,
  role: Role,
  primitives: Primitives,
  timing: PskTiming,
): HandshakeOptions {
  const dh = primitives.dh(parseProtocolName(vector.protocol_name).dh)
  const pairOf = (secret: string) => KeyPair.fromSecretKey(dh, asSecretKey(hexDecode(secret), dh.length))
  const [s, rs, e, psks, prologue] =
    role === 'initiator'
      ? [
          vector.init_static,
          vector.init_remote_static,
          vector.init_ephemeral,
          vector.init_psks,
          vector.init_prologue,
        ]
      : [
          vector.resp_static,
          vector.resp_remote_static,
          vector.resp_ephemeral,
          vector.resp_psks,
          vector.resp_prologue,
        ]
  return {
    protocol: vector.protocol_name,
    role,
    primitives,
    prologue: hexDecode(prologue),
    ...(s === undefined ? {} : { s: pairOf(s) }),
    ...(rs === undefined ? {} : { rs: asPublicKey(hexDecode(rs), dh.length) }),
    ...(e === undefined ? {} : { unsafeEphemeral: pairOf(e) }),
    ...(psks === undefined || timing === 'late' ? {} : { psks: psks.map((psk) => hexDecode(psk)) }),
  }
}
