// Introductions, over real TCP: Ada has a live object of a service, asks for a capability for it, and Bob dials the service
// himself with that. What he gets is never more than Ada has, and ends with it.
import { inspect } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { z } from 'zod'
import {
  type Capability,
  capabilityOf,
  connect,
  generateKeyPair,
  iface,
  isProxied,
  method,
  type Offer,
  type Reference,
  reference,
} from '../../src/index.js'
import type { Calls } from '../../src/rpc/index.js'
import { codeOf, Notes, NotesOf, startNotes, type World } from './notes.js'

const Desk = iface('Desk', {
  open: method(z.string(), Notes),
  unnamed: method(z.void(), Notes),
  keep: method(z.unknown(), z.void()),
  sees: method(Notes, z.boolean()),
})

let world: World
let desks: Offer<Calls<(typeof Desk)['declared']>, unknown>
let kept: unknown[]
beforeEach(async () => {
  kept = []
  world = await startNotes()
  desks = world.service.offer('desk', Desk, () => ({
    open: (owner: string) => world.notes.reference({ owner }),
    unnamed: () => reference(Notes, new NotesOf('nobody', undefined) as never),
    keep: (value: unknown) => void kept.push(value),
    sees: (notes: Reference<typeof Notes>) => isProxied(notes),
  }))
})
afterEach(() => world.close())

const at = () => ({ at: [world.location] })
/** Nobody finds the service but by what the capability says. */
const alone = { resolvers: [] }

test('a third party dials the host itself with a capability for a live object, and both call their own', async () => {
  await using desk = await connect(desks.mint({}, { ...at(), claims: { tier: 'gold' } }), alone)
  using notes = await desk.open('ada')
  expect(await notes.add({ text: 'milk' })).toBe(1)
  const capability = await capabilityOf(notes, { methods: ['add', 'list'], label: 'Ada', via: 'desk' })
  expect(capability).toMatchObject({ object: 'notes/ada', label: 'Ada', locations: [world.location] })
  // As it would arrive: as text, in another process.
  await using bob = await connect(capability.export(), Notes, { ...alone, partition: 'bob' })
  expect(world.service.openSessions).toBe(2)
  expect(await bob.add({ text: 'bread' })).toBe(1)
  expect(await codeOf(bob.whoami())).toBe('rpc/permission_denied')
  await desk[Symbol.asyncDispose]()
  expect(await bob.list()).toEqual(['bread'])
  expect(world.objects.map(({ owner }) => owner)).toEqual(['ada', 'ada'])
})

test('within one session, the live object and its capability are the same object', async () => {
  await using desk = await connect(desks.mint({}, at()), alone)
  using notes = await desk.open('ada')
  using again = await desk.open('ada')
  await notes.add({ text: 'milk' })
  await using same = await connect(await capabilityOf(again), alone)
  expect(await same.list()).toEqual(['milk'])
  expect(await desk.open('ada').list()).toEqual(['milk']) // by an answer that is not there yet
  expect(world.objects).toHaveLength(1)
})

test('the capability that connect used is narrowed offline', async () => {
  const mine = desks.mint({}, at())
  await using desk = await connect(mine, alone)
  await world.service.close(0)
  const capability = await capabilityOf(desk, { methods: ['open'], expiresIn: '1h' })
  expect(capability.object).toBe('desk')
  expect(capability.caveats.map(({ type }) => type)).toEqual(['expires', 'methods'])
})

test('what was derived falls with the capability of the one who asked, and alone when it is revoked itself', async () => {
  const [mine, other] = [desks.mint({}, at()), desks.mint({}, at())]
  await using desk = await connect(mine, alone)
  await using elsewhere = await connect(other, alone)
  const derived = await capabilityOf(desk.open('ada'))
  const further = derived.attenuate({ via: 'bob' })
  const ofOther = await capabilityOf(elsewhere.open('ada'))
  await using bob = await connect(further, { ...alone, partition: 'bob' })
  expect(await bob.list()).toEqual([])
  await world.service.revoke(mine)
  await expect.poll(() => codeOf(bob.list())).toBe('session/revoked')
  expect(await codeOf(connect(derived, { ...alone, partition: 'new' }))).toBe('session/revoked')
  await using fine = await connect(ofOther, { ...alone, partition: 'fine' })
  expect(await fine.list()).toEqual([])
  await world.service.revoke(ofOther)
  await expect.poll(() => codeOf(fine.list())).toBe('session/revoked')
  await using still = await connect(other, { ...alone, partition: 'still' })
  expect(await still.open('ada').list()).toEqual([])
})

test('it expires with the capability of the one who asked, however long it was asked for', async () => {
  await using desk = await connect(desks.mint({}, { ...at(), expiresIn: 3_600 }), alone)
  const derived = await capabilityOf(desk.open('ada'), { expiresIn: '52w' })
  const times = derived.caveats.flatMap((caveat) => (caveat.type === 'expires' ? [caveat.at] : []))
  expect(times).toHaveLength(2)
  expect(times[0]).toBeLessThan(Date.now() / 1_000 + 3_601)
  // One that has expired already is refused at once.
  const past = await capabilityOf(desk.open('ada'), { expiresAt: new Date(Date.now() - 120_000) })
  expect(await codeOf(connect(past, { ...alone, partition: 'past' }))).toBe('session/expired')
})

test('one for a holder is for nobody else', async () => {
  const [bob, eve] = [generateKeyPair(), generateKeyPair()]
  await using desk = await connect(desks.mint({}, at()), alone)
  const derived = await capabilityOf(desk.open('ada'), { holder: bob.publicKey })
  await using his = await connect(derived, { ...alone, key: bob })
  expect(await his.whoami()).toBe('client of 32 bytes')
  expect(await codeOf(connect(derived, { ...alone, key: eve }).then((stub) => stub.whoami()))).toMatch(
    /denied$/,
  )
})

test('a caller who is bound to a key gets what is bound to that key, and nothing for others', async () => {
  const [ada, bob] = [generateKeyPair(), generateKeyPair()]
  await using desk = await connect(desks.mint({}, { ...at(), holder: ada.publicKey }), { ...alone, key: ada })
  using notes = await desk.open('ada')
  const own = await capabilityOf(notes)
  await using again = await connect(own, { ...alone, key: ada, partition: 'again' })
  expect(await again.list()).toEqual([])
  expect(await codeOf(connect(own, { ...alone, key: bob }).then((stub) => stub.list()))).toMatch(/denied$/)
  for (const reference of [notes, desk]) {
    const refused = capabilityOf(reference, { holder: bob.publicKey })
    await expect(refused).rejects.toMatchObject({ code: 'rpc/failed_precondition', hint: expect.any(String) })
  }
  expect((await capabilityOf(notes, { holder: ada.publicKey })).caveats).toHaveLength(3)
})

test('objects without a name, proxied ones and what is no reference are refused, with a hint', async () => {
  const other = await startNotes()
  const otherDesks = other.service.offer('desk', Desk, () => ({
    open: (owner: string) => other.notes.reference({ owner }),
    unnamed: () => world.notes.reference({ owner: 'ada' }), // of the other service
    keep: () => {},
    sees: async (notes: Reference<typeof Notes>) => {
      expect(await codeOf(capabilityOf(notes))).toBe('rpc/failed_precondition')
      return isProxied(notes)
    },
  }))
  await using desk = await connect(desks.mint({}, at()), alone)
  await using elsewhere = await connect(otherDesks.mint({}, { at: [other.location] }), alone)
  using unnamed = await desk.unnamed()
  const hint = expect.stringContaining('offer.reference')
  await expect(capabilityOf(unnamed)).rejects.toMatchObject({ code: 'rpc/failed_precondition', hint })
  using foreign = await elsewhere.unnamed()
  expect(await codeOf(foreign.list())).toBe('rpc/failed_precondition')
  await expect(capabilityOf(foreign)).rejects.toMatchObject({ code: 'rpc/failed_precondition' })
  using notes = await desk.open('ada')
  expect(await elsewhere.sees(notes)).toBe(true)
  await expect(capabilityOf({} as never)).rejects.toThrow(TypeError)
  await expect(capabilityOf(world.notes.reference({ owner: 'ada' }))).rejects.toThrow(TypeError)
  expect(await codeOf(capabilityOf(notes, { methods: ['nothing' as never] }))).toBe('rpc/invalid_argument')
  await other.close()
})

test('a chain that is as long as it may be is refused as such', async () => {
  let mine = desks.mint({}, at())
  for (let i = 0; i < 16; i++) mine = mine.attenuate({ via: `link ${i}` })
  await using desk = await connect(mine, alone)
  using notes = await desk.open('ada')
  await expect(capabilityOf(notes)).rejects.toThrow(/longer than is allowed/)
})

test('the secret stands in nothing that is shown: errors, logs, what a handler prints', async () => {
  await using desk = await connect(desks.mint({}, at()), alone)
  const capability = await capabilityOf(desk.open('ada'))
  const secret = capability.export().split('#')[1]!
  await desk.keep({ capability })
  const [received] = kept as [{ capability: Capability }]
  expect(received.capability.equals(capability)).toBe(true)
  const error = await capabilityOf(desk.open('ada'), { via: capability.export().slice(0, 120) }).catch(
    (reason: unknown) => reason,
  )
  const shown = [inspect(kept, { depth: 9 }), JSON.stringify(kept), String(received.capability)]
  for (const text of [...shown, inspect(error, { depth: 9 }), inspect(world.errors, { depth: 9 })]) {
    expect(text).not.toContain(secret.slice(0, 40))
    expect(text).not.toContain(secret.slice(-40))
  }
  expect(shown[0]).toContain('[redacted]')
})
