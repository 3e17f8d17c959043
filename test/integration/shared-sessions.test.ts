// Many capabilities over one session, over real TCP: shown by one HMAC each, judged, ended and released one by one.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { mint } from '../../src/capability/index.js'
import { primitives } from '../../src/crypto/index.js'
import {
  befriend,
  Capability,
  connect,
  generateKeyPair,
  keyHashText,
  MemoryContactBook,
  Registrations,
  Service,
  ServiceKey,
} from '../../src/index.js'
import { CallError } from '../../src/rpc/index.js'
import { codeOf, Notes, NotesOf, startNotes, type World } from './notes.js'

let world: World
beforeEach(async () => {
  world = await startNotes()
})
afterEach(async () => {
  await world.close()
})

const options = () => ({ resolvers: [world.registry] })
const capabilityOf = (owner: string, restrictions = {}) => world.notes.mint({ owner }, restrictions)

describe('one session', () => {
  test('carries 1,000 capabilities of one service, for the DHs of one handshake', async () => {
    const owners = Array.from({ length: 1_000 }, (_, i) => `owner-${i}`)
    const spy = vi.spyOn(primitives().dh('25519'), 'dh')
    const stubs = await Promise.all(owners.map((owner) => connect(capabilityOf(owner), options())))
    expect(world.service.openSessions).toBe(1)
    expect(spy).toHaveBeenCalledTimes(4) // NK, both sides of which are in this process: es and ee
    spy.mockRestore()
    await Promise.all(stubs.map((stub, i) => stub.add({ text: `note ${i}` })))
    expect(await stubs[567]!.list()).toEqual(['note 567'])
    expect(world.objects.length).toBe(1_000)
    await Promise.all(stubs.map((stub) => stub[Symbol.asyncDispose]()))
    await expect.poll(() => world.service.openSessions).toBe(0)
    expect(world.objects.every(({ disposed }) => disposed === 1)).toBe(true)
  })

  test('is opened once by those who connect at once, and closed with the last of them', async () => {
    const [ada, bob] = await Promise.all(
      ['ada', 'bob'].map((owner) => connect(capabilityOf(owner), options())),
    )
    expect(world.service.openSessions).toBe(1)
    await ada![Symbol.asyncDispose]()
    expect(await bob!.add({ text: 'still here' })).toBe(1)
    expect(await codeOf(ada!.list())).toBe('rpc/failed_precondition')
    await bob![Symbol.asyncDispose]()
    await expect.poll(() => world.service.openSessions).toBe(0)
  })

  test('outlives the capability that opened it', async () => {
    const first = capabilityOf('ada')
    const ada = await connect(first, options())
    await using bob = await connect(capabilityOf('bob'), options())
    await world.service.revoke(first)
    await expect.poll(() => codeOf(ada.list())).toBe('session/revoked')
    expect(await bob.list()).toEqual([])
    expect(world.service.openSessions).toBe(1)
  })

  test('makes one object for a grant, however often it is shown, until the last is let go', async () => {
    const capability = capabilityOf('ada')
    const readOnly = capability.attenuate({ methods: ['list'] })
    const writer = await connect(capability, options())
    const reader = await connect(readOnly, options())
    await writer.add({ text: 'shared' })
    expect(await reader.list()).toEqual(['shared'])
    expect(world.objects.length).toBe(1)
    await writer[Symbol.asyncDispose]()
    expect(await reader.list()).toEqual(['shared'])
    expect(world.objects[0]?.disposed).toBe(0)
    await reader[Symbol.asyncDispose]()
    await expect.poll(() => world.objects[0]?.disposed).toBe(1)
  })

  test('judges methods for each capability alone', async () => {
    await using writer = await connect(capabilityOf('ada'), options())
    await using reader = await connect(capabilityOf('ada', { methods: ['list'] }), options())
    const loose = reader as unknown as typeof writer
    expect(typeof loose.add).toBe('function') // the stub knows the interface, the service knows the caveat
    expect(await codeOf(loose.add({ text: 'no' }))).toBe('rpc/permission_denied')
    expect(await writer.add({ text: 'yes' })).toBe(1)
    expect(world.service.openSessions).toBe(1)
  })
})

describe('who shares', () => {
  const sessionsAfter = async (...connects: (() => Promise<AsyncDisposable>)[]) => {
    const stubs: AsyncDisposable[] = []
    for (const each of connects) stubs.push(await each())
    const { openSessions } = world.service
    for (const stub of stubs) await stub[Symbol.asyncDispose]()
    return openSessions
  }

  test('an anonymous capability never rides on a named session, nor the other way round', async () => {
    const key = generateKeyPair()
    expect(
      await sessionsAfter(
        () => connect(capabilityOf('a'), { ...options(), key }),
        () => connect(capabilityOf('b'), options()),
        () => connect(capabilityOf('c'), { ...options(), key }),
        () => connect(capabilityOf('d'), options()),
      ),
    ).toBe(2)
  })

  test('the object sees the key of the session it rides on', async () => {
    const key = generateKeyPair()
    await using named = await connect(capabilityOf('a'), { ...options(), key })
    await using also = await connect(capabilityOf('b'), { ...options(), key })
    await using anonymous = await connect(capabilityOf('c'), options())
    expect([await named.whoami(), await also.whoami(), await anonymous.whoami()]).toEqual([
      'client of 32 bytes',
      'client of 32 bytes',
      'anonymous',
    ])
    expect(world.service.openSessions).toBe(2)
  })

  test('different keys, patterns, partitions and budgets have sessions of their own', async () => {
    const [key, other] = [generateKeyPair(), generateKeyPair()]
    expect(
      await sessionsAfter(
        () => connect(capabilityOf('a'), { ...options(), key }),
        () => connect(capabilityOf('b'), { ...options(), key: other }),
        () => connect(capabilityOf('c'), { ...options(), key, pattern: 'XK' }),
        () => connect(capabilityOf('d'), { ...options(), key, partition: 'tenant 1' }),
        () => connect(capabilityOf('e'), { ...options(), key, partition: 'tenant 1' }),
        () => connect(capabilityOf('f'), { ...options(), key, limits: { maxMessageBytes: 1_000 } }),
      ),
    ).toBe(5)
  })

  test('a session that is full is joined by another', async () => {
    await world.close()
    world = await startNotes({ limits: { maxExports: 2 } })
    const stubs = await Promise.all(
      ['a', 'b', 'c', 'd', 'e'].map((owner) => connect(capabilityOf(owner), options())),
    )
    expect(await Promise.all(stubs.map((stub) => stub.list()))).toEqual([[], [], [], [], []])
    expect(world.service.openSessions).toBe(3)
    for (const stub of stubs) await stub[Symbol.asyncDispose]()
  })
})

describe('a capability that is refused', () => {
  let open: AsyncDisposable
  beforeEach(async () => {
    open = await connect(capabilityOf('open'), options())
  })
  afterEach(async () => {
    await open[Symbol.asyncDispose]()
  })

  test.each([
    ['expired', { expiresAt: new Date(1_000_000) }, 'session/expired', 'expires'],
    ['not yet valid', { notBefore: new Date(4e12) }, 'session/not_yet_valid', 'notBefore'],
    ['with a claim that nobody judges', { claims: { a: 1 } }, 'session/denied', 'claims'],
  ])('%s says so, and the session goes on', async (_name, restrictions, code, caveat) => {
    const capability = capabilityOf('ada').attenuate(restrictions)
    const error = await connect(capability as ReturnType<typeof capabilityOf>, options()).catch(
      (e: unknown) => e,
    )
    expect(error).toMatchObject({ code })
    expect((error as Error).message).toContain(caveat)
    expect(world.service.openSessions).toBe(1)
  })

  test('revoked says so', async () => {
    const capability = capabilityOf('ada')
    await world.service.revoke(capability)
    expect(await codeOf(connect(capability, options()))).toBe('session/revoked')
  })

  test('bound to another key says so', async () => {
    const [mine, theirs] = [generateKeyPair(), generateKeyPair()]
    await using named = await connect(capabilityOf('bob'), { ...options(), key: mine })
    const bound = capabilityOf('ada').attenuate({ holder: theirs.publicKey })
    expect(await codeOf(connect(bound, { ...options(), key: mine }))).toBe('session/denied')
    const ours = capabilityOf('ada').attenuate({ holder: mine.publicKey })
    await using held = await connect(ours, { ...options(), key: mine })
    expect([await held.list(), await named.list()]).toEqual([[], []])
  })

  test('not genuine is denied; the eighth ends the session', async () => {
    const forger = new ServiceKey(world.service.key.keyPair, ServiceKey.generate().roots)
    const forged = () => mint(forger, { object: 'notes/ada' }).withInterface(capabilityOf('ada').describes!)
    for (let i = 0; i < 7; i++) expect(await codeOf(connect(forged(), options()))).toBe('session/denied')
    expect(world.service.openSessions).toBe(1)
    // The session ends; the forger dials by itself and meets silence.
    const last = await codeOf(connect(forged(), { ...options(), timeoutMs: 1_000 }))
    expect(['session/denied', 'session/no_answer']).toContain(last)
    await expect.poll(() => world.service.openSessions).toBe(0)
  })

  test('of a pair that is not registered is denied, a registered one is let in', async () => {
    await world.close()
    const registrations = new Registrations()
    world = await startNotes({ registrations })
    const secret = crypto.getRandomValues(new Uint8Array(32))
    const capability = Capability.fromPair(world.service.key.publicKey, secret)
    await using first = await connect(capabilityOf('open'), options())
    expect(await codeOf(connect(capability, Notes, options()))).toBe('session/denied')
    registrations.register(secret, { object: 'notes/pair' })
    await using pair = await connect(capability, Notes, options())
    expect([await pair.add({ text: 'in' }), await first.list()]).toEqual([1, []])
    expect(keyHashText(capability.publicKey)).toBe(world.service.keyHash)
    expect(world.service.openSessions).toBe(1)
  })
})

describe('a reference that ends', () => {
  test('by revocation: its open calls are broken off and its handlers aborted, others go on', async () => {
    const capability = capabilityOf('ada')
    await using bob = await connect(capabilityOf('bob'), options())
    const ada = await connect(capability, options())
    const waiting = ada.wait().catch((error: unknown) => error)
    const others = bob.wait()
    await expect.poll(() => world.objects.map(({ waiting: count }) => count)).toEqual([1, 1])
    await world.service.revoke(capability)
    const error = await waiting
    expect(error).toBeInstanceOf(CallError)
    expect(error).toMatchObject({ code: 'rpc/permission_denied', mayHaveRun: true })
    expect((error as Error).cause).toMatchObject({ code: 'session/revoked' })
    const [theirs, ours] = ['bob', 'ada'].map((name) => world.objects.find(({ owner }) => owner === name))
    expect([ours?.aborted, ours?.disposed]).toEqual([1, 1])
    expect([theirs?.aborted, theirs?.disposed]).toEqual([0, 0])
    expect(await codeOf(ada.list())).toBe('session/revoked')
    expect(await bob.list()).toEqual([])
    await bob[Symbol.asyncDispose]()
    expect(await codeOf(others)).toBe('rpc/disconnected')
  })

  test('by revocation of an ancestor: all below it, and nothing beside it', async () => {
    const parent = capabilityOf('ada')
    const [child, sibling] = [parent.attenuate({ methods: ['list'] }), capabilityOf('bob')]
    const grandchild = child.attenuate({ expiresIn: '1h' })
    const [a, b, c, d] = await Promise.all(
      [parent, child, grandchild, sibling].map((each) => connect(each as typeof parent, options())),
    )
    await world.service.revoke(child)
    await expect.poll(() => codeOf(b!.list())).toBe('session/revoked')
    await expect.poll(() => codeOf(c!.list())).toBe('session/revoked')
    expect([await a!.list(), await d!.list()]).toEqual([[], []])
    for (const stub of [a, d]) await stub![Symbol.asyncDispose]()
  })

  test('by expiry, at the next dispatch and without one, and others go on', async () => {
    // The leeway of 60 s counts from the expiry: these have less than a second left.
    const soon = () => ({ expiresAt: new Date((Math.floor(Date.now() / 1_000) - 58) * 1_000) })
    await using bob = await connect(capabilityOf('bob'), options())
    const called = await connect(capabilityOf('ada').attenuate(soon()), options())
    const quiet = await connect(capabilityOf('eve').attenuate(soon()), options())
    const waiting = quiet.wait().catch((error: unknown) => error)
    await expect.poll(() => codeOf(called.list())).toBe('session/expired')
    expect(await waiting).toMatchObject({ code: 'rpc/permission_denied' })
    expect(await codeOf(quiet.list())).toBe('session/expired')
    expect(await bob.list()).toEqual([])
  })
})

describe('a lost connection', () => {
  test('is dialled again once for all that shared it', async () => {
    const stubs = await Promise.all(['a', 'b', 'c'].map((owner) => connect(capabilityOf(owner), options())))
    const { key } = world.service
    await world.service.close(0)
    const again = Service.create(key, { announcers: [world.registry] })
    again.offer('notes/:owner', Notes, ({ params, client }) => new NotesOf(params.owner, client))
    await again.listen('tcp://127.0.0.1:0')
    try {
      await expect
        .poll(() => Promise.all(stubs.map((stub) => codeOf(stub.list()))))
        .toEqual(['resolved', 'resolved', 'resolved'])
      expect(again.openSessions).toBe(1)
      for (const stub of stubs) await stub[Symbol.asyncDispose]()
    } finally {
      await again.close(0)
    }
  })

  test('to a service that is away fails everybody, with the locations that were tried', async () => {
    const at = { at: [world.location] }
    const capabilities = ['a', 'b', 'c'].map((owner) => capabilityOf(owner, at))
    await world.service.close(0)
    const codes = await Promise.all(capabilities.map((each) => codeOf(connect(each, { resolvers: [] }))))
    expect(codes).toEqual(Array(3).fill('transport/unreachable'))
  })

  test('a refusal of the one who dials is not that of those who wait', async () => {
    const expired = capabilityOf('ada').attenuate({ expiresAt: new Date(1_000_000) })
    const [refused, fine] = await Promise.all([
      codeOf(connect(expired, options())),
      connect(capabilityOf('bob'), options()),
    ])
    expect(refused).toBe('session/expired')
    expect(await fine.list()).toEqual([])
    await fine[Symbol.asyncDispose]()
  })
})

describe('patterns and contacts', () => {
  test('XK logs in with the key', async () => {
    const key = generateKeyPair()
    await using ada = await connect(capabilityOf('ada'), { ...options(), key, pattern: 'XK' })
    expect(await ada.whoami()).toBe('client of 32 bytes')
    const bound = capabilityOf('ada').attenuate({ holder: key.publicKey, patterns: ['XK'] })
    await using held = await connect(bound, { ...options(), key }) // XK is what is left
    expect(await held.whoami()).toBe('client of 32 bytes')
  })

  test('XK tells an expired capability so, and a stranger nothing', async () => {
    const key = generateKeyPair()
    const expired = capabilityOf('ada').attenuate({ expiresAt: new Date(1_000_000) })
    expect(await codeOf(connect(expired, { ...options(), key, pattern: 'XK' }))).toBe('session/expired')
    const forger = new ServiceKey(world.service.key.keyPair, ServiceKey.generate().roots)
    const forged = mint(forger, { object: 'notes/ada' }).withInterface(capabilityOf('ada').describes!)
    const silent = connect(forged, { ...options(), key, pattern: 'XK', timeoutMs: 500 })
    expect(await codeOf(silent)).toBe('session/no_answer')
  })

  test('befriend turns an XK or IK meeting into a KK relationship', async () => {
    await world.close()
    const contacts = new MemoryContactBook()
    world = await startNotes({ contacts })
    for (const pattern of ['XK', 'IK'] as const) {
      const key = generateKeyPair()
      const capability = capabilityOf('ada')
      const early = connect(capability, { ...options(), key, pattern: 'KK', timeoutMs: 500 })
      expect(await codeOf(early)).toBe('session/no_answer')
      {
        await using ada = await connect(capability, { ...options(), key, pattern })
        await befriend(ada)
      }
      await using friend = await connect(capability, { ...options(), key, pattern: 'KK' })
      expect(await friend.whoami()).toBe('client of 32 bytes')
      // Only with this capability and this key.
      const other = connect(capabilityOf('bob'), {
        ...options(),
        key: generateKeyPair(),
        pattern: 'KK',
        timeoutMs: 500,
      })
      expect(await codeOf(other)).toBe('session/no_answer')
      await friend[Symbol.asyncDispose]()
      await contacts.remove(key.publicKey)
      const gone = connect(capability, { ...options(), key, pattern: 'KK', timeoutMs: 500 })
      expect(await codeOf(gone)).toBe('session/no_answer')
    }
  })

  test('befriend is refused to the anonymous, without a book, and by the policy of the service', async () => {
    const key = generateKeyPair()
    {
      await using ada = await connect(capabilityOf('ada'), { ...options(), key })
      expect(await codeOf(befriend(ada))).toBe('rpc/unimplemented')
      await using anonymous = await connect(capabilityOf('ada'), options())
      expect(await codeOf(befriend(anonymous))).toBe('rpc/failed_precondition')
    }
    await world.close()
    const asked: string[] = []
    world = await startNotes({
      contacts: new MemoryContactBook(),
      acceptContact: ({ object }) => {
        asked.push(object)
        return false
      },
    })
    await using ada = await connect(capabilityOf('ada'), { ...options(), key })
    expect(await codeOf(befriend(ada))).toBe('rpc/permission_denied')
    expect(asked).toEqual(['notes/ada'])
    expect(() => befriend({ [Symbol.dispose]() {} })).toThrow(TypeError)
  })
})
