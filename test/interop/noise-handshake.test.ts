// npm's noise-handshake 4.2.0 (libsodium, ChaChaPoly, BLAKE2b) as the other side, in both roles, with transport messages
// after the handshake. It is an independent implementation; its psk0 is supported for NN and XX only.
import Noise from 'noise-handshake'
import Cipher from 'noise-handshake/cipher'
import { describe, expect, test } from 'vitest'
import { EMPTY, utf8 } from '../../src/bytes.js'
import { generateKeyPair } from '../../src/crypto/index.js'
import { type HandshakeOptions, HandshakeState, parseProtocolName, type Role } from '../../src/noise/index.js'

const PATTERNS = ['NN', 'NNpsk0', 'XX', 'XXpsk0', 'IK', 'XK'] as const
const ROLES = ['initiator', 'responder'] as const satisfies readonly Role[]
const PROLOGUE = utf8('interop')
const PSK = new Uint8Array(32).fill(0x5a)
const TEXTS = ['', 'short', 'x'.repeat(10_000)]

/** Our side in `role` and noise-handshake in the other one, with the keys that `pattern` asks for. */
function partiesOf(pattern: string, role: Role) {
  const protocol = `Noise_${pattern}_25519_ChaChaPoly_BLAKE2b`
  const { plan } = parseProtocolName(protocol)
  const [ownPair, peerPair] = [generateKeyPair(), generateKeyPair()]
  const options: HandshakeOptions = {
    protocol,
    role,
    prologue: PROLOGUE,
    psks: plan.psks.map(() => PSK),
    ...(plan.needs[role].s ? { s: ownPair } : {}),
    ...(plan.needs[role].rs ? { rs: peerPair.publicKey } : {}),
  }
  const peerRole = role === 'initiator' ? 'responder' : 'initiator'
  const peer = new Noise(
    pattern,
    peerRole === 'initiator',
    { publicKey: Buffer.from(peerPair.publicKey), secretKey: Buffer.from(peerPair.secretKey) },
    plan.psks.length > 0 ? { psk: Buffer.from(PSK) } : {},
  )
  peer.initialise(Buffer.from(PROLOGUE), plan.needs[peerRole].rs ? Buffer.from(ownPair.publicKey) : undefined)
  return { plan, ours: new HandshakeState(options), peer, ownPair, peerPair }
}

/** Run the handshake with a payload in every message. */
function runHandshake({ plan, ours, peer }: ReturnType<typeof partiesOf>): void {
  for (const [index, { sender }] of plan.messages.entries()) {
    const payload = Buffer.from(`payload ${index}`)
    if (sender === ours.role) expect(peer.recv(Buffer.from(ours.writeMessage(payload)))).toEqual(payload)
    else expect(Buffer.from(ours.readMessage(peer.send(payload)))).toEqual(payload)
  }
}

describe.each(ROLES)('noise-handshake, we are the %s', (role) => {
  test.each(PATTERNS)('%s: handshake, hash, identities and transport agree', (pattern) => {
    const parties = partiesOf(pattern, role)
    const { plan, ours, peer, ownPair, peerPair } = parties
    runHandshake(parties)
    expect(ours.finished && peer.complete).toBe(true)
    expect(Buffer.from(ours.handshakeHash)).toEqual(peer.hash)
    if (plan.needs[role].s) expect(peer.rs).toEqual(Buffer.from(ownPair.publicKey))
    if (pattern !== 'NN' && pattern !== 'NNpsk0') expect(ours.remoteStatic).toEqual(peerPair.publicKey)
    const { send, receive } = ours.split()
    const [theirSend, theirReceive] = [new Cipher(peer.tx!), new Cipher(peer.rx!)]
    for (const text of TEXTS) {
      expect(theirReceive.decrypt(Buffer.from(send.encryptWithAd(EMPTY, utf8(text)))).toString()).toBe(text)
      expect(receive.decryptWithAd(EMPTY, theirSend.encrypt(Buffer.from(text)))).toEqual(utf8(text))
    }
  })

  test('transport with associated data agrees', () => {
    const parties = partiesOf('XX', role)
    runHandshake(parties)
    const { send } = parties.ours.split()
    const sealed = Buffer.from(send.encryptWithAd(utf8('ad'), utf8('text')))
    expect(new Cipher(parties.peer.rx!).decrypt(sealed, Buffer.from('ad')).toString()).toBe('text')
  })

  test('a different PSK fails on whichever side reads first', () => {
    const { ours, peer } = partiesOf('NNpsk0', role)
    const other = new HandshakeState({
      protocol: ours.protocol,
      role,
      prologue: PROLOGUE,
      psks: [new Uint8Array(32).fill(1)],
    })
    if (role === 'initiator') expect(() => peer.recv(Buffer.from(other.writeMessage()))).toThrow()
    else
      expect(() => other.readMessage(peer.send())).toThrow(expect.objectContaining({ code: 'noise/decrypt' }))
  })
})
