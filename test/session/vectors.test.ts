// An independent reader of spec/vectors/session.json: mac1, proof, PSK and padding by node:crypto; a ServerHandshake
// accepts the hello and asks the same question.
import { createHash, createHmac } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { sessionVectors } from '../../scripts/vectors/session.js'
import vectors from '../../spec/vectors/session.json' with { type: 'json' }
import { keyHash, MemoryRevocationSet, RootSecrets, ServiceKey, verify } from '../../src/capability/index.js'
import { asSecretKey, KeyPair, primitives } from '../../src/crypto/index.js'
import { SeenEphemerals } from '../../src/session/admission.js'
import { DEFAULT_LIMITS, MemoryContactBook, mac1Key, verifyHello } from '../../src/session/index.js'
import { ServerHandshake } from '../../src/session/server-handshake.js'

const hex = (text: string) => Buffer.from(text, 'hex')
const hash = (...parts: Buffer[]) => createHash('sha256').update(Buffer.concat(parts)).digest()
const hmac = (key: Buffer, ...parts: Buffer[]) =>
  createHmac('sha256', key).update(Buffer.concat(parts)).digest()
const counted = (bytes: Buffer) =>
  Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes])

const keyPairOf = (secret: string) =>
  KeyPair.fromSecretKey(primitives().dh('25519'), asSecretKey(Uint8Array.from(hex(secret))))
const publicKeyOf = (secret: string) => Buffer.from(keyPairOf(secret).publicKey)

test('the generator gives the file', () => {
  expect(sessionVectors()).toEqual(vectors)
})

describe.each(vectors.sessions)('$pattern', (vector) => {
  const hello = hex(vector.hello)
  const headerBytes = vector.pattern === 'KK' ? 19 : 3
  const header = hello.subarray(0, headerBytes)
  const hashOfKey = hash(Buffer.from('noisecap/v1 key hash\0'), hex(vector.publicKey))

  test('prologue, mac1, proof, PSK and payload follow from the spec', () => {
    expect(hex(vector.prologue)).toEqual(Buffer.concat([Buffer.from('noisecap/v1\0'), header, hashOfKey]))
    expect(hex(vector.mac1Key)).toEqual(hash(Buffer.from('noisecap/v1 mac1\0'), hex(vector.publicKey)))
    expect(hello.subarray(-16)).toEqual(hmac(hex(vector.mac1Key), hello.subarray(0, -16)).subarray(0, 16))
    const locator = hex(vector.locator)
    // locator = [kid 1, grant, []]: the grant is a byte string behind two or three bytes of heads.
    const grant = locator.subarray(locator[2] === 0x58 ? 4 : 3, -1)
    const t0 = hmac(hex(vector.root), Buffer.from('noisecap/v1 grant\0'), hashOfKey, grant)
    const use = hmac(t0, Buffer.from('noisecap/v1 use\0'))
    expect(hex(vector.psk)).toEqual(hmac(use, Buffer.from('noisecap/v1 psk\0'), Buffer.from(vector.protocol)))
    const parameters = hex(vector.parameters)
    const prove = hmac(use, Buffer.from('noisecap/v1 present\0'))
    const e = hello.subarray(headerBytes, headerBytes + 32)
    const label = Buffer.from('noisecap/v1 hello\0')
    expect(hex(vector.proof)).toEqual(hmac(prove, label, hashOfKey, header, e, locator, parameters))
    const content = [counted(locator), hex(vector.proof), counted(parameters), counted(Buffer.alloc(0))]
    const payload = counted(Buffer.concat(content))
    const padding = Buffer.alloc(Math.ceil(payload.length / 256) * 256 - payload.length)
    expect(hex(vector.payload)).toEqual(Buffer.concat([payload, padding]))
    if (vector.pattern !== 'KK') return
    const contact = hmac(use, Buffer.from('noisecap/v1 contact\0'))
    const day = Buffer.alloc(4)
    day.writeUInt32BE(vectors.contactDay)
    const tag = hmac(contact, publicKeyOf(vector.clientSecretKey), day).subarray(0, 16)
    expect([hex(vector.contactTag), header.subarray(3)]).toEqual([tag, tag])
  })

  test('the presentation proves the capability to this session alone, and PRESENT carries it', () => {
    const { role, locator, handshakeHash, proof, call, message } = vector.presentation
    expect([locator, handshakeHash, role]).toEqual([vector.locator, vector.handshakeHash, 1])
    expect(hex(handshakeHash).length).toBe(64)
    const bytes = hex(locator)
    const grant = bytes.subarray(bytes[2] === 0x58 ? 4 : 3, -1)
    const t0 = hmac(hex(vector.root), Buffer.from('noisecap/v1 grant\0'), hashOfKey, grant)
    const use = hmac(t0, Buffer.from('noisecap/v1 use\0'))
    const prove = hmac(use, Buffer.from('noisecap/v1 present\0'))
    const label = Buffer.from('noisecap/v1 present\0')
    expect(hex(proof)).toEqual(hmac(prove, label, Buffer.from([role]), hex(handshakeHash), bytes))
    // op 12, call 300 and the locator's length as varints, locator, proof, no salts.
    expect(call).toBe(300)
    const head = Buffer.from([12, 0xac, 0x02, bytes.length])
    expect(bytes.length).toBeLessThan(128)
    expect(hex(message)).toEqual(Buffer.concat([head, bytes, hex(proof), Buffer.from([0])]))
    const others = vectors.sessions.filter(({ pattern }) => pattern !== vector.pattern)
    expect(others.map(({ presentation }) => presentation.proof)).not.toContain(proof)
  })

  test('only XK has a message 3 with the salts, and its status in the first record', () => {
    const { message2, message3, message3Payload, statusRecord, answer } = vector
    if (vector.pattern !== 'XK') {
      expect([message3, message3Payload, statusRecord]).toEqual(['', '', ''])
      expect(hex(message2).length).toBe(32 + hex(answer).length + 16)
      return
    }
    // {16: [salt]} in deterministic CBOR, counted and padded.
    const salt = Buffer.from(Array.from({ length: 32 }, (_, i) => 0x10 + i))
    const content = Buffer.concat([Buffer.from([0xa1, 0x10, 0x81, 0x58, 0x20]), salt])
    expect(hex(message3Payload)).toEqual(
      Buffer.concat([counted(content), Buffer.alloc(256 - 2 - content.length)]),
    )
    expect([message2, message3, statusRecord].map((text) => hex(text).length)).toEqual([48, 320, 2 + 272])
  })

  test('a ServerHandshake accepts the hello and asks about the same locator, proof and client', () => {
    const keyPair = keyPairOf(vector.serviceSecretKey)
    const key = new ServiceKey(keyPair, RootSecrets.from([[1, hex(vector.root)]]))
    const contacts = new MemoryContactBook()
    const client = vector.clientSecretKey === '' ? undefined : keyPairOf(vector.clientSecretKey)
    const identity = { keyPair, keyHash: keyHash(key.publicKey), mac1Key: mac1Key(key.publicKey), contacts }
    const genuine = verify(hex(vector.locator), key.authority())
    if (client !== undefined && genuine.ok) {
      void contacts.add({ client: client.publicKey, contactKey: genuine.keys.contactKey() })
    }
    const server = new ServerHandshake([identity], new SeenEphemerals())
    const question = server.receive(Uint8Array.from(hello), {
      nowSeconds: vectors.contactDay * 86_400 + 5,
    })
    expect(question?.pattern).toBe(vector.pattern)
    expect(Buffer.from(question?.locator ?? [])).toEqual(hex(vector.locator))
    expect(Buffer.from(question?.proof ?? [])).toEqual(hex(vector.proof))
    // XK's client stays unknown until message 3.
    const known = vector.pattern === 'IK' || vector.pattern === 'KK'
    expect(question?.clientKey).toEqual(known ? client?.publicKey : undefined)
    const verdict = verifyHello(question!, {
      authority: key.authority(),
      revocations: new MemoryRevocationSet(),
      limits: DEFAULT_LIMITS,
      nowSeconds: 1_700_000_000,
    })
    expect(verdict?.answer.status).toBe('ok')
    expect(Buffer.from(verdict?.answer.psk ?? [])).toEqual(hex(vector.psk))
  })
})
