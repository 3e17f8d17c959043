// Files that are damaged stop a service with a message: nobody gets in, and nothing is overwritten.
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  befriend,
  connect,
  generateKeyPair,
  type InternalError,
  iface,
  MemoryContactBook,
  method,
  type NoisecapError,
  Service,
} from '../../src/index.js'
import { FileRegistry } from '../../src/resolve/file.js'
import { codeOf } from './notes.js'

const Echo = iface('Echo', { echo: method<string, string>() })

let directory: string
let registry: FileRegistry

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'noisecap-files-'))
  registry = new FileRegistry({ directory: join(directory, 'registry') })
})

afterEach(async () => {
  await rm(directory, { recursive: true, force: true })
})

const path = () => join(directory, 'echo.key')

test('Service.open keeps its key and its revocations over a restart', async () => {
  const first = await Service.open(path(), { announcers: [registry] })
  const offer = first.offer('echo', Echo, () => ({ echo: (text) => text }))
  const kept = offer.mint({})
  const revoked = offer.mint({})
  await first.revoke(revoked)
  await first.close(0)
  await using second = await Service.open(path(), { announcers: [registry] })
  second.offer('echo', Echo, () => ({ echo: (text) => text }))
  await second.listen('tcp://127.0.0.1:0')
  expect(second.keyHash).toBe(first.keyHash)
  await using stub = await connect(kept, { resolvers: [registry] })
  expect(await stub.echo('again')).toBe('again')
  expect(await codeOf(connect(revoked, { resolvers: [registry] }))).toBe('session/revoked')
})

test('a service announces itself when it listens and withdraws when it closes', async () => {
  const service = await Service.open(path(), { announcers: [registry] })
  const location = await service.listen('tcp://127.0.0.1:0')
  const { publicKey } = service.key
  const found = await registry.resolve(service.keyHash, { publicKey })
  expect(found.map(({ uri }) => uri)).toEqual([location])
  await service.close(0)
  expect(await registry.resolve(service.keyHash, { publicKey })).toEqual([])
})

test('a damaged revocation file stops Service.open and stays as it is', async () => {
  await (await Service.open(path(), { announcers: [] })).close(0)
  const file = `${path()}.revoked`
  await writeFile(file, 'this is no revocation file\n')
  expect(await codeOf(Service.open(path(), { announcers: [] }))).toBe('capability/revocation_file')
  expect(await readFile(file, 'utf8')).toBe('this is no revocation file\n')
})

test('a revocation file that is damaged while the service runs ends its sessions and lets nobody in', async () => {
  const reports: InternalError[] = []
  const service = await Service.open(path(), {
    announcers: [registry],
    onInternalError: (report) => reports.push(report),
  })
  try {
    const capability = service.offer('echo', Echo, () => ({ echo: (text) => text })).mint({})
    await service.listen('tcp://127.0.0.1:0')
    await using stub = await connect(capability, { resolvers: [registry] })
    expect(await stub.echo('before')).toBe('before')
    await writeFile(`${path()}.revoked`, 'damaged\n')
    await expect.poll(() => codeOf(stub.echo('after')), { timeout: 10_000 }).toBe('session/revoked')
    expect(await codeOf(connect(capability, { resolvers: [registry] }))).toBe('session/revoked')
    expect(reports.map(({ error }) => (error as NoisecapError).code)).toEqual(['capability/revocation_file'])
  } finally {
    await service.close(0)
  }
})

test('a damaged record of the service stops listen, is named, and stays as it is', async () => {
  const first = await Service.open(path(), { announcers: [registry] })
  await first.listen('tcp://127.0.0.1:0')
  const records = join(registry.directory, first.keyHash)
  const [name] = await readdir(records)
  const file = join(records, name ?? '')
  await writeFile(file, 'damaged')
  await using second = await Service.open(path(), { announcers: [registry] })
  const error = await second.listen('tcp://127.0.0.1:0').catch((reason: unknown) => reason)
  expect(error).toMatchObject({ code: 'resolve/registry' })
  expect((error as Error).message).toContain(file)
  expect(await readFile(file, 'utf8')).toBe('damaged')
  await first.close(0)
})

test('Service.open keeps its contacts over a restart: KK works with what was befriended, and with nothing else', async () => {
  const start = async () => {
    const service = await Service.open(path(), { announcers: [registry] })
    const offer = service.offer('echo', Echo, () => ({ echo: (text) => text }))
    await service.listen('tcp://127.0.0.1:0')
    return { service, capability: offer.mint({}) }
  }
  const [key, stranger] = [generateKeyPair(), generateKeyPair()]
  const first = await start()
  {
    await using stub = await connect(first.capability, { resolvers: [registry], key, pattern: 'XK' })
    await befriend(stub)
  }
  await first.service.close(0)
  const second = await start()
  const greet = (who: typeof key) =>
    connect(first.capability, { resolvers: [registry], key: who, pattern: 'KK', timeoutMs: 3_000 })
  try {
    await using stub = await greet(key)
    expect(await stub.echo('old friend')).toBe('old friend')
    expect(await codeOf(greet(stranger))).toBe('session/no_answer')
    await second.service.contacts?.remove(key.publicKey)
    await stub[Symbol.asyncDispose]()
    expect(await codeOf(greet(key))).toBe('session/no_answer')
    await using anonymous = await connect(first.capability, { resolvers: [registry] })
    expect(await anonymous.echo('still served')).toBe('still served')
  } finally {
    await second.service.close(0)
  }
}, 60_000)

test('a damaged contact file stops Service.open and stays as it is; a book that is given is used instead', async () => {
  await (await Service.open(path(), { announcers: [] })).close(0)
  const file = `${path()}.contacts`
  await writeFile(file, 'this is no contact file\n')
  expect(await codeOf(Service.open(path(), { announcers: [] }))).toBe('session/contact_file')
  expect(await readFile(file, 'utf8')).toBe('this is no contact file\n')
  const contacts = new MemoryContactBook()
  await using service = await Service.open(path(), { announcers: [], contacts })
  expect(service.contacts).toBe(contacts)
})

test('a contact file that is damaged while the service runs is told, KK meets silence, the other patterns go on', async () => {
  const reports: InternalError[] = []
  const service = await Service.open(path(), {
    announcers: [registry],
    onInternalError: (report) => reports.push(report),
  })
  try {
    const capability = service.offer('echo', Echo, () => ({ echo: (text) => text })).mint({})
    await service.listen('tcp://127.0.0.1:0')
    const key = generateKeyPair()
    const options = { resolvers: [registry], key, timeoutMs: 3_000 }
    await using friend = await connect(capability, options)
    await befriend(friend)
    await writeFile(`${path()}.contacts`, 'damaged\n')
    await expect
      .poll(() => reports.map(({ method: where }) => where), { timeout: 20_000 })
      .toEqual(['contacts'])
    expect(reports[0]?.error).toMatchObject({ code: 'session/contact_file' })
    expect(await codeOf(connect(capability, { ...options, pattern: 'KK' }))).toBe('session/no_answer')
    expect(await codeOf(befriend(friend))).toBe('rpc/internal')
    await using other = await connect(capability, { ...options, pattern: 'XK' })
    expect([await friend.echo('a'), await other.echo('b')]).toEqual(['a', 'b'])
    expect(await readFile(`${path()}.contacts`, 'utf8')).toBe('damaged\n')
  } finally {
    await service.close(0)
  }
}, 60_000)
