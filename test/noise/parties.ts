// Both sides of a handshake with whatever keys the protocol name asks for, for the tests of the noise layer.
import { KeyPair, type Primitives, primitives } from '../../src/crypto/index.js'
import { NoisecapError } from '../../src/errors.js'
import {
  type CipherState,
  type HandshakeOptions,
  HandshakeState,
  parseProtocolName,
} from '../../src/noise/index.js'

/** PSK of modifier `number`, the same on both sides. */
export function pskOf(number: number): Uint8Array {
  return new Uint8Array(32).fill(0xa0 + number)
}

/** Options of both sides: fresh keys exactly where the pattern needs them, PSKs in place. */
export function optionsOf(
  protocol: string,
  from: Primitives = primitives(),
): { readonly initiator: HandshakeOptions; readonly responder: HandshakeOptions } {
  const { dh, plan } = parseProtocolName(protocol)
  const own = { initiator: KeyPair.generate(from.dh(dh)), responder: KeyPair.generate(from.dh(dh)) }
  const ephemeral = { initiator: KeyPair.generate(from.dh(dh)), responder: KeyPair.generate(from.dh(dh)) }
  const psks = plan.psks.map(pskOf)
  const side = (role: 'initiator' | 'responder'): HandshakeOptions => {
    const peer = role === 'initiator' ? 'responder' : 'initiator'
    const needs = plan.needs[role]
    return {
      protocol,
      role,
      psks,
      primitives: from,
      ...(needs.s ? { s: own[role] } : {}),
      ...(needs.rs ? { rs: own[peer].publicKey } : {}),
      ...(needs.e ? { e: ephemeral[role] } : {}),
      ...(needs.re ? { re: ephemeral[peer].publicKey } : {}),
    }
  }
  return { initiator: side('initiator'), responder: side('responder') }
}

/** Both sides, ready for the first message. */
export function partiesOf(protocol: string): { initiator: HandshakeState; responder: HandshakeState } {
  const { initiator, responder } = optionsOf(protocol)
  return { initiator: new HandshakeState(initiator), responder: new HandshakeState(responder) }
}

/** Run handshake messages until both sides have finished, or only `count` of them.
 * @returns the messages. */
export function runHandshake(
  initiator: HandshakeState,
  responder: HandshakeState,
  count = Number.POSITIVE_INFINITY,
): Uint8Array[] {
  const messages: Uint8Array[] = []
  let [writer, reader] = [initiator, responder]
  while (!initiator.finished && messages.length < count) {
    const message = writer.writeMessage(Uint8Array.of(messages.length))
    reader.readMessage(message)
    messages.push(message)
    ;[writer, reader] = [reader, writer]
  }
  return messages
}

/** Transport ciphers of a finished handshake of `protocol`. */
export function transportOf(protocol: string): {
  ours: { send: CipherState; receive: CipherState }
  theirs: { send: CipherState; receive: CipherState }
} {
  const { initiator, responder } = partiesOf(protocol)
  runHandshake(initiator, responder)
  return { ours: initiator.split(), theirs: responder.split() }
}

/** How `action` fails: the code of a NoisecapError, the name of another error, or undefined. */
export function failureOf(action: () => unknown): string | undefined {
  try {
    action()
  } catch (error) {
    if (error instanceof NoisecapError) return error.code
    return error instanceof Error ? error.name : 'not an error'
  }
  return undefined
}

/** The NoisecapError that `action` must throw. */
export function errorOf(action: () => unknown): NoisecapError {
  try {
    action()
  } catch (error) {
    if (error instanceof NoisecapError) return error
    throw error
  }
  throw new Error('expected a NoisecapError, nothing was thrown')
}
