// The main job over real TCP: mint, find by key hash, prove, call; and every way in which that is refused.
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { mint } from '../../src/capability/index.js'
import {
  CallError,
  Capability,
  connect,
  generateKeyPair,
  type NoisecapError,
  Registrations,
  Service,
  ServiceKey,
} from '../../src/index.js'
import { codeOf, Notes, type NotesOf, startNotes, type World } from './notes.js'

let world: World

beforeEach(async () => {
  world = await startNotes()
})

afterEach(async () => {
  await world.close()
})

const resolvers = () => ({ resolvers: [world.registry] })

describe('connect and call', () => {
  test('a capability without hints is found by its key hash and called', async () => {
    const capability = world.notes.mint({ owner: 'ada' })
    expect(capability.locations).toEqual([])
    await using ada = await connect(capability, resolvers())
    expect(await ada.add({ text: 'hello' })).toBe(1)
    expect(await ada.list()).toEqual(['hello'])
    expect(world.objects.map(({ owner }) => owner)).toEqual(['ada'])
  })

  test('the text of a capability carries all that another process needs', async () => {
    const text = world.notes.mint({ owner: 'ada' }, { at: [world.location] }).export()
    await using ada = await connect(text, Notes, { resolvers: [] })
    expect(await ada.add({ text: 'hi' })).toBe(1)
  })

  test.each([
    ['undefined, as an environment variable that is not set', undefined, 'got undefined'],
    ['null', null, 'got null'],
    ['an object that is none', { publicKey: new Uint8Array(32) }, 'got object'],
  ])('what is no capability is told so: %s', async (_, given, got) => {
    await expect(connect(given as unknown as string, Notes)).rejects.toThrow(
      `Cannot connect: expected a capability or its text, ${got}`,
    )
  })

  test('without a key the client is anonymous, with one the handler sees it', async () => {
    const capability = world.notes.mint({ owner: 'ada' })
    await using anonymous = await connect(capability, resolvers())
    expect(await anonymous.whoami()).toBe('anonymous')
    const key = generateKeyPair()
    await using named = await connect(capability, { ...resolvers(), key })
    expect(await named.whoami()).toBe('client of 32 bytes')
    expect(world.objects[1]?.client).toEqual(key.publicKey)
  })

  test('values of every kind make the round trip', async () => {
    await using ada = await connect(world.notes.mint({ owner: 'ada' }), resolvers())
    const value = {
      bytes: Uint8Array.of(1, 2, 3),
      date: new Date(1_700_000_000_123),
      big: 5n,
      map: new Map<unknown, unknown>([
        ['a', 1n],
        [2, new Set(['x'])],
      ]),
      none: undefined,
      nested: [{ deep: [null, true, -0, 1.5] }],
    }
    expect(await ada.echo(value)).toEqual(value)
  })

  test('a message of 900 KB is cut into fragments and put together again', async () => {
    await using ada = await connect(world.notes.mint({ owner: 'ada' }), resolvers())
    const large = new Uint8Array(900_000).map((_, i) => i * 7)
    const back = await ada.echo(large)
    expect(back instanceof Uint8Array && Buffer.compare(back, large)).toBe(0)
  })

  test('2,000 calls at once wait for the budget and all are answered', async () => {
    await using ada = await connect(world.notes.mint({ owner: 'ada' }), resolvers())
    const answers = await Promise.all(Array.from({ length: 2_000 }, (_, i) => ada.echo(i)))
    expect(answers).toEqual(Array.from({ length: 2_000 }, (_, i) => i))
  })

  test('calls on one reference begin in the order in which they were made', async () => {
    await using ada = await connect(world.notes.mint({ owner: 'ada' }), resolvers())
    await Promise.all([ada.add({ text: 'a' }), ada.add({ text: 'b' }), ada.add({ text: 'c' })])
    expect(await ada.list()).toEqual(['a', 'b', 'c'])
  })

  test('a stub has the methods of its interface and nothing else', async () => {
    await using ada = await connect(world.notes.mint({ owner: 'ada' }), resolvers())
    const loose = ada as unknown as Record<string, unknown>
    expect(loose['then']).toBeUndefined()
    expect(loose['toString']).toBeUndefined()
    expect(loose['constructor']).toBeUndefined()
    expect(Object.keys(Object.getPrototypeOf(ada)).sort()).toEqual([
      'add',
      'crash',
      'echo',
      'list',
      'wait',
      'whoami',
    ])
  })

  test('the object is disposed when its session ends', async () => {
    const ada = await connect(world.notes.mint({ owner: 'ada' }), resolvers())
    await ada.list()
    await ada[Symbol.asyncDispose]()
    await expect.poll(() => world.objects[0]?.disposed).toBe(1)
    expect(await codeOf(ada.list())).toBe('rpc/failed_precondition')
  })

  test('a pair that was registered by hand is a capability', async () => {
    const registrations = new Registrations()
    const secret = new Uint8Array(32).fill(9)
    registrations.register(secret, { object: 'notes/bob' })
    const other = await startNotes({ registrations })
    try {
      const capability = Capability.fromPair(other.service.key.publicKey, secret, {
        locations: [other.location],
      })
      await using bob = await connect(capability, Notes, { resolvers: [] })
      expect(await bob.add({ text: 'by hand' })).toBe(1)
      expect(other.objects[0]?.owner).toBe('bob')
    } finally {
      await other.close()
    }
  })
})

describe('what a capability does not allow', () => {
  test('a method outside an attenuated capability is denied by the service', async () => {
    const readOnly = world.notes.mint({ owner: 'ada' }).attenuate({ methods: ['list'], expiresIn: '1h' })
    await using ada = await connect(readOnly, Notes, resolvers())
    expect(await ada.list()).toEqual([])
    const error = await ada.add({ text: 'x' }).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(CallError)
    expect(error).toMatchObject({ code: 'rpc/permission_denied', mayHaveRun: false })
    expect((error as Error).message).toContain('caveat methods')
  })

  test('an expired capability is told so', async () => {
    const capability = world.notes
      .mint({ owner: 'ada' })
      .attenuate({ expiresAt: new Date(Date.now() - 120_000) })
    expect(await codeOf(connect(capability, resolvers()))).toBe('session/expired')
  })

  test('a revoked capability is told so, its sibling is not', async () => {
    const parent = world.notes.mint({ owner: 'ada' })
    const child = parent.attenuate({ methods: ['list'] })
    await world.service.revocations.revoke(child.ids().at(-1)!)
    expect(await codeOf(connect(child, resolvers()))).toBe('session/revoked')
    await using ada = await connect(parent, resolvers())
    expect(await ada.list()).toEqual([])
  })

  test('a final capability is revoked by the service alone, and with it the one that it was made of', async () => {
    const parent = world.notes.mint({ owner: 'ada' })
    const narrowed = parent.attenuate({ methods: ['list'] })
    const final = narrowed.finalize()
    await world.service.revoke(final)
    expect(await codeOf(connect(final, resolvers()))).toBe('session/revoked')
    expect(await codeOf(connect(narrowed, resolvers()))).toBe('session/revoked')
    await using ada = await connect(parent, resolvers())
    expect(await ada.list()).toEqual([])
  })

  test('a capability of another service is not revoked, and that is said', async () => {
    const stranger = mint(ServiceKey.generate(), { object: 'notes/ada' })
    for (const target of [stranger, stranger.finalize()]) {
      expect(await codeOf(world.service.revoke(target))).toBe('capability/denied')
    }
  })

  test('a revocation ends an open session at once', async () => {
    const capability = world.notes.mint({ owner: 'ada' })
    await using ada = await connect(capability, resolvers())
    await ada.list()
    await world.service.revocations.revoke(capability.ids()[0]!)
    const code = await codeOf(ada.list())
    expect(['session/revoked', 'rpc/permission_denied']).toContain(code)
    await expect.poll(() => codeOf(ada.list())).toBe('session/revoked')
  })

  test('a holder-bound capability works in the right hands only', async () => {
    const holder = generateKeyPair()
    const bound = world.notes.mint({ owner: 'ada' }, { holder: holder.publicKey })
    await using ada = await connect(bound, { ...resolvers(), key: holder })
    expect(await ada.list()).toEqual([])
    expect(await codeOf(connect(bound, resolvers()))).toBe('session/denied')
    const thief = await connect(bound, { ...resolvers(), key: generateKeyPair() })
    expect(await codeOf(thief.list())).toBe('rpc/permission_denied')
    await expect.poll(() => codeOf(thief.list())).toBe('session/denied')
  })

  test('an object that is not offered is refused after the handshake', async () => {
    const stray = Service.create(world.service.key, { announcers: [] }).offer('other/:owner', Notes, () => {
      throw new Error('never called')
    })
    const lost = await connect(stray.mint({ owner: 'ada' }), resolvers())
    await expect.poll(() => codeOf(lost.list())).toBe('session/denied')
  })

  test('a stranger with the public key meets silence', async () => {
    const stranger = Capability.fromPair(world.service.key.publicKey, new Uint8Array(32), {
      locations: [world.location],
    })
    expect(await codeOf(connect(stranger, Notes, { resolvers: [], timeoutMs: 300 }))).toBe(
      'session/no_answer',
    )
  })

  test('silence is named as such, once a location, also when the registry knows the same one', async () => {
    const stranger = Capability.fromPair(world.service.key.publicKey, new Uint8Array(32), {
      locations: [world.location],
    })
    const error = (await connect(stranger, Notes, { ...resolvers(), timeoutMs: 300 }).catch(
      (reason: unknown) => reason,
    )) as NoisecapError
    expect(error.code).toBe('session/no_answer')
    expect(error.message.split(world.location)).toHaveLength(2)
  })

  test('a capability of another root meets silence', async () => {
    const impostor = new ServiceKey(world.service.key.keyPair, ServiceKey.generate().roots)
    const forged = Service.create(impostor, { announcers: [] }).offer('notes/:owner', Notes, () => {
      throw new Error('never called')
    })
    expect(await codeOf(connect(forged.mint({ owner: 'ada' }), { ...resolvers(), timeoutMs: 300 }))).toBe(
      'session/no_answer',
    )
  })
})

describe('how calls fail', () => {
  test('input that its schema refuses is invalid_argument and never reaches the handler', async () => {
    await using ada = await connect(world.notes.mint({ owner: 'ada' }), resolvers())
    const error = await ada.add({ text: 'x'.repeat(50) }).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'rpc/invalid_argument', mayHaveRun: false })
    expect(await ada.list()).toEqual([])
  })

  test('a declared error carries its data, and its type narrows', async () => {
    await using ada = await connect(world.notes.mint({ owner: 'ada' }), resolvers())
    for (const text of ['a', 'b', 'c']) await ada.add({ text })
    const error: unknown = await ada.add({ text: 'd' }).catch((reason: unknown) => reason)
    if (!Notes.isFailure(error, 'add', 'full')) throw new Error('expected the declared error')
    expect(error.data.max).toBe(3)
    expect(error.mayHaveRun).toBe(true)
  })

  test('an unknown error crosses as internal with an id that the log has, and without its message', async () => {
    await using ada = await connect(world.notes.mint({ owner: 'ada' }), resolvers())
    const error = (await ada.crash().catch((reason: unknown) => reason)) as CallError
    expect(error).toMatchObject({ code: 'rpc/internal', mayHaveRun: true })
    expect(error.message).not.toContain('secret')
    expect(world.errors).toHaveLength(1)
    expect(world.errors[0]).toMatchObject({ errorId: error.errorId, method: 'crash' })
  })

  test('a value that cannot be sent is refused at the caller, who learns where it is', async () => {
    await using ada = await connect(world.notes.mint({ owner: 'ada' }), resolvers())
    const error = await ada.echo({ items: [{ call: () => 1 }] }).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'rpc/bad_value' })
    expect((error as Error).message).toContain('items[0].call')
    expect(await ada.echo(1)).toBe(1)
  })

  test('an AbortSignal rejects at once and reaches the handler', async () => {
    await using ada = await connect(world.notes.mint({ owner: 'ada' }), resolvers())
    await ada.list()
    const controller = new AbortController()
    const call = ada.wait(undefined, { signal: controller.signal })
    const object = world.objects[0] as NotesOf
    await expect.poll(() => object.waiting).toBe(1)
    controller.abort()
    expect(await codeOf(call)).toBe('rpc/canceled')
    await expect.poll(() => object.aborted).toBe(1)
  })

  test('a deadline rejects here and aborts there', async () => {
    await using ada = await connect(world.notes.mint({ owner: 'ada' }), resolvers())
    expect(await codeOf(ada.wait(undefined, { timeoutMs: 50 }))).toBe('rpc/deadline_exceeded')
    await expect.poll(() => world.objects[0]?.aborted).toBe(1)
  })

  test('a lost connection fails open calls as disconnected, and the next call dials again', async () => {
    const capability = world.notes.mint({ owner: 'ada' })
    await using ada = await connect(capability, resolvers())
    await ada.list()
    const open = ada.wait()
    await expect.poll(() => world.objects[0]?.waiting).toBe(1)
    const { service } = world
    await service.close(0)
    const error = await open.catch((reason: unknown) => reason)
    expect(['rpc/disconnected', 'rpc/canceled']).toContain((error as CallError).code)
    const again = Service.create(service.key, { announcers: [world.registry] })
    again.offer('notes/:owner', Notes, () => ({
      add: () => 1,
      list: () => ['after'],
      echo: (value) => value,
      wait: () => '',
      crash: () => {
        throw new Error('no')
      },
      whoami: () => 'new',
    }))
    await again.listen('tcp://127.0.0.1:0')
    try {
      await expect.poll(() => ada.list().catch(() => []), { timeout: 10_000 }).toEqual(['after'])
    } finally {
      await again.close(0)
    }
  })

  test('a dead service says which locations were tried', async () => {
    const capability = world.notes.mint({ owner: 'ada' }, { at: [world.location] })
    await world.service.close(0)
    const error = await connect(capability, { resolvers: [] }).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'transport/unreachable' })
    expect((error as Error).message).toContain(world.location)
    expect((error as Error).message).toContain('ECONNREFUSED')
  })
})
