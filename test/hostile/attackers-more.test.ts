// What the table of attackers has no column for: contact tags, capabilities narrowed by others, proofs shown in sessions,
// and one key on both sides. docs/threat-model.md points here by name.
import { beforeEach, describe, expect, test } from 'vitest'
import { equalConstantTime, utf8 } from '../../src/bytes.js'
import { type Capability, contactDay, contactTag } from '../../src/capability/index.js'
import { generateKeyPair, type KeyPair } from '../../src/crypto/index.js'
import { SeenEphemerals } from '../../src/session/admission.js'
import { ClientHandshake } from '../../src/session/client-handshake.js'
import { mac1Key, mac1Matches, parseHello } from '../../src/session/hello.js'
import {
  DEFAULT_LIMITS,
  presentCapability,
  presentedParts,
  verifyPresentation,
} from '../../src/session/index.js'
import { clientOf, errorOf, handshake, now, openSessions, Shop } from '../session/parties.js'
import { NAMED } from './attackers/cells.js'
import { inventedCapability, narrowedAgain } from './attackers/knowledge.js'
import { type Admitted, Scene, ServiceEnd } from './attackers/scene.js'

let shop: Shop
beforeEach(() => {
  shop = new Shop()
})

/** Come as an honest client. */
function enter(capability: Capability, key?: KeyPair): Admitted | string {
  const end = new ServiceEnd(shop, new SeenEphemerals())
  const client = clientOf(capability, key)
  const message2 = end.hello(client.hello)
  if (message2 === undefined) return 'silence'
  const step = client.receive(message2)
  return 'session' in step ? end.firstRecord(step.session.seal(utf8('hi'), 'message')) : 'a reply'
}

describe('a hello', () => {
  test('is recognised by who knows the public key of its service, and by nobody else', () => {
    const { hello } = clientOf(shop.capability())
    expect(mac1Matches(hello, mac1Key(shop.key.publicKey))).toBe(true)
    expect(mac1Matches(hello, mac1Key(new Shop().key.publicKey))).toBe(false)
  })
})

describe('the contact tag of KK', () => {
  const tagOf = (capability: Capability, keyPair: KeyPair, days = 0) => {
    const nowSeconds = now() + days * 86_400
    const client = new ClientHandshake({
      capability,
      keyPair,
      pattern: 'KK',
      limits: DEFAULT_LIMITS,
      nowSeconds,
    })
    return parseHello(client.hello)!.contactTag
  }

  test('links the hellos of one client with one capability within a day, to anybody who watches', () => {
    const [capability, key] = [shop.capability(), generateKeyPair()]
    expect(tagOf(capability, key)).toEqual(tagOf(capability, key))
  })

  test('links neither days, nor capabilities, nor clients', () => {
    const [capability, key] = [shop.capability(), generateKeyPair()]
    const tag = tagOf(capability, key)
    for (const other of [
      tagOf(capability, key, 1),
      tagOf(shop.capability(), key),
      tagOf(capability.attenuate({ methods: ['list'] }), key),
      tagOf(capability, generateKeyPair()),
    ]) {
      expect(equalConstantTime(tag, other)).toBe(false)
    }
  })

  test('is recognised on any day by a thief of the book of contacts, who can greet with none of it', () => {
    const [capability, key] = [shop.capability(), generateKeyPair()]
    const contactKey = capability.keys().contactKey() // what a book keeps, with the public key
    for (const day of [-300, 0, 300]) {
      const made = contactTag(contactKey, key.publicKey, contactDay(now() + day * 86_400))
      expect(tagOf(capability, key, day)).toEqual(made)
    }
    const invented = inventedCapability(shop.key.publicKey, capability.locator, contactKey)
    expect(enter(invented)).toBe('silence')
    expect(enter(capability)).toMatchObject({ object: 'notes/ada' })
  })
})

describe('a capability that others narrowed further', () => {
  test('cannot be computed by an ancestor who does not know the salts, and can by one who saw its locator', () => {
    const parent = shop.capability()
    const theirs = parent.attenuate({ methods: ['list'] }).attenuate({ methods: ['list'] })
    const guessed = parent.attenuate({ methods: ['list'] }).attenuate({ methods: ['list'] })
    expect(guessed.ids()).not.toEqual(theirs.ids()) // it works, as another link: revoked and logged apart
    expect(enter(guessed)).toMatchObject({ methods: ['list'] })
    expect(narrowedAgain(parent, theirs.locator).ids()).toEqual(theirs.ids())
  })

  test('is used by an ancestor like by its holder, unless it is bound to the holder’s key', () => {
    const [parent, holder] = [shop.capability(), generateKeyPair()]
    const free = parent.attenuate({ via: 'ada' })
    const bound = free.attenuate({ holder: holder.publicKey })
    expect(enter(narrowedAgain(parent, free.locator))).toMatchObject({ object: 'notes/ada' })
    expect(enter(narrowedAgain(parent, bound.locator), generateKeyPair())).toBe('holder')
    expect(enter(bound, holder)).toMatchObject({ client: holder.publicKey })
  })
})

describe('a proof shown inside a session', () => {
  test('holds in that session and from that side only', () => {
    const capability = shop.capability()
    const { client, service } = openSessions('NK', shop)
    const elsewhere = openSessions('NK', shop).service
    const { locator, proof } = presentCapability(client, capability)
    const verified = (parts: readonly Uint8Array[]) =>
      verifyPresentation(
        { locator, proof, proven: parts, pattern: 'NK' },
        {
          authority: shop.key.authority(),
          revocations: shop.revocations,
          limits: DEFAULT_LIMITS,
          nowSeconds: now(),
        },
      )?.status
    expect(verified(presentedParts(service, 'client', locator))).toBe('ok')
    expect(verified(presentedParts(service, 'service', locator))).toBeUndefined()
    expect(verified(presentedParts(elsewhere, 'client', locator))).toBeUndefined()
  })
})

describe.each(NAMED)('one key on both sides, %s', (pattern) => {
  test('records sent back to their sender do not open, in either direction', () => {
    for (const side of ['client', 'service'] as const) {
      const scene = new Scene(pattern, { oneKey: true })
      const ends = handshake(scene.dialOfCaller(), scene.shop)
      const [sender, receiver] = side === 'client' ? [ends.client, ends.service] : [ends.service, ends.client]
      const record = sender!.seal(utf8('x'), 'message')
      const copy = () => Uint8Array.from(record) // a Buffer's slice would share memory, and opening alters
      expect(errorOf(() => sender!.open(copy()))).toMatchObject({ code: 'session/protocol' })
      expect(receiver!.open(copy())).toEqual(utf8('x'))
    }
  })

  test('a hello that is sent to the caller’s own instance opens a session there, with none in between', () => {
    const scene = new Scene(pattern, { oneKey: true })
    const { client, service, messages } = handshake(scene.dialOfCaller(), scene.shop)
    expect(service?.remoteStatic).toEqual(scene.shop.key.publicKey)
    const record = Uint8Array.from(client!.seal(utf8('for myself'), 'message'))
    expect(service!.open(record)).toEqual(utf8('for myself'))
    expect(messages.some(({ bytes }) => Buffer.from(bytes).includes('notes/ada'))).toBe(false)
  })
})
