import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { hexEncode } from '../../src/bytes.js'
import { keyHashText } from '../../src/capability/index.js'
import { asPublicKey, type PublicKey, primitives } from '../../src/crypto/index.js'
import { NoisecapError } from '../../src/errors.js'
import { defaultRegistryDirectory, FileRegistry } from '../../src/resolve/file.js'
import { type AnnouncedLocation, openRecord, RECORD_SALT_BYTES, sealRecord } from '../../src/resolve/index.js'

const key = (byte: number): PublicKey => asPublicKey(new Uint8Array(32).fill(byte))
const keyA = key(1)
const keyB = key(2)
const location = (uri: string): AnnouncedLocation => ({ uri, priority: 0, weight: 0 })
const at = (port: number) => location(`tcp://127.0.0.1:${port}`)
const HOUR_MS = 3_600_000

let directory = ''
beforeEach(async () => {
  directory = join(await mkdtemp(join(tmpdir(), 'noisecap-registry-')), 'state', 'registry')
})
afterEach(async () => {
  await rm(join(directory, '..', '..'), { recursive: true, force: true })
})

const registry = (now?: () => number) => new FileRegistry({ directory, ...(now !== undefined && { now }) })
const find = async (publicKey: PublicKey, now?: () => number) =>
  (await registry(now).resolve(keyHashText(publicKey), { publicKey })).map(({ uri }) => uri).sort()
const serviceDirectory = (publicKey: PublicKey) => join(directory, keyHashText(publicKey))
const filesOf = async (publicKey: PublicKey) => (await readdir(serviceDirectory(publicKey))).sort()

async function failure(run: Promise<unknown>): Promise<NoisecapError> {
  const error = await run.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof NoisecapError)) throw new Error('expected a NoisecapError', { cause: error })
  return error
}

/** Put `bytes` into the registry as a record file of keyA. */
async function plant(bytes: Uint8Array, name = 'planted.location'): Promise<string> {
  await mkdir(serviceDirectory(keyA), { recursive: true, mode: 0o700 })
  const path = join(serviceDirectory(keyA), name)
  await writeFile(path, bytes)
  return path
}

function recordAt(sequence: number, publicKey = keyA, uri = 'tcp://127.0.0.1:9'): Uint8Array {
  const salt = primitives().randomBytes(RECORD_SALT_BYTES)
  const expires = Math.floor(sequence / 1_000) + 900
  return sealRecord(publicKey, { sequence, expires, locations: [location(uri)] }, salt)
}

describe('defaultRegistryDirectory', () => {
  test.each([
    [{ NOISECAP_REGISTRY: '/srv/registry', XDG_STATE_HOME: '/state' }, '/srv/registry'],
    [{ NOISECAP_REGISTRY: '', XDG_STATE_HOME: '/state' }, '/state/noisecap/registry'],
    [{ XDG_STATE_HOME: 'relative' }, join(homedir(), '.local/state/noisecap/registry')],
    [{ XDG_STATE_HOME: '' }, join(homedir(), '.local/state/noisecap/registry')],
    [{}, join(homedir(), '.local/state/noisecap/registry')],
    [{ NOISECAP_REGISTRY: 'here' }, join(process.cwd(), 'here')],
  ])('%j', (env, expected) => {
    expect(defaultRegistryDirectory(env)).toBe(expected)
  })
})

describe('FileRegistry', () => {
  test('finds what was announced until it is withdrawn', async () => {
    const locations = [
      { uri: 'tcp://127.0.0.1:1', priority: 5, weight: 6 },
      { uri: 'unix:/run/x', priority: 0, weight: 0 },
    ]
    const announcement = await registry().announce(keyA, locations)
    expect(await registry().resolve(keyHashText(keyA), { publicKey: keyA })).toEqual(locations)
    await announcement.update([at(2)])
    expect(await find(keyA)).toEqual(['tcp://127.0.0.1:2'])
    expect(await filesOf(keyA)).toHaveLength(1)
    await announcement.withdraw()
    await announcement.withdraw()
    expect(await find(keyA)).toEqual([])
    expect(await filesOf(keyA)).toEqual([])
  })

  test('makes its directories for this user only, with one file a process under the key hash', async () => {
    await registry().announce(keyA, [at(1)])
    for (const path of [directory, serviceDirectory(keyA)])
      expect((await stat(path)).mode & 0o777).toBe(0o700)
    expect(await readdir(directory)).toEqual([keyHashText(keyA)])
    expect(await filesOf(keyA)).toEqual([expect.stringMatching(/^[a-z2-7]{16}\.location$/)])
  })

  test('holds the hash and ciphertext only', async () => {
    await registry().announce(keyA, [location('tcp://very-secret-host.example:7000')])
    const [name = ''] = await filesOf(keyA)
    const bytes = await readFile(join(serviceDirectory(keyA), name))
    expect(bytes.includes('secret-host')).toBe(false)
    expect(bytes.includes(Buffer.from(keyA))).toBe(false)
    expect(() => openRecord(keyB, bytes)).toThrow(expect.objectContaining({ code: 'resolve/malformed' }))
  })

  test('several services and several instances of one do not touch each other', async () => {
    const first = await registry().announce(keyA, [at(1)])
    await registry().announce(keyA, [at(2)])
    await registry().announce(keyB, [at(3)])
    expect(await find(keyA)).toEqual(['tcp://127.0.0.1:1', 'tcp://127.0.0.1:2'])
    await first.withdraw()
    expect(await find(keyA)).toEqual(['tcp://127.0.0.1:2'])
    expect(await find(keyB)).toEqual(['tcp://127.0.0.1:3'])
  })

  test('knows nothing where there is no registry, and makes none by asking', async () => {
    expect(await find(keyA)).toEqual([])
    await expect(lstat(directory)).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('gives no sequence: no process supersedes another', async () => {
    await registry().announce(keyA, [at(1)])
    const [found] = await registry().resolve(keyHashText(keyA), { publicKey: keyA })
    expect(found).not.toHaveProperty('sequence')
  })

  test.each(['../../etc', 'A'.repeat(52), keyHashText(keyB)])(
    'a key hash of %s that is not the key’s is a TypeError',
    async (keyHash) => {
      await expect(registry().resolve(keyHash, { publicKey: keyA })).rejects.toBeInstanceOf(TypeError)
    },
  )

  test('locations that cannot stand in a record are a RangeError, and nothing is left', async () => {
    await expect(registry().announce(keyA, [location('nowhere')])).rejects.toBeInstanceOf(RangeError)
    await expect(lstat(directory)).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('an aborted signal stops it', async () => {
    await registry().announce(keyA, [at(1)])
    const reason = new Error('enough')
    const asked = registry().resolve(keyHashText(keyA), {
      publicKey: keyA,
      signal: AbortSignal.abort(reason),
    })
    await expect(asked).rejects.toBe(reason)
  })
})

describe('FileRegistry and time', () => {
  test('refreshes its record at a third of its life', async () => {
    const announcement = await new FileRegistry({ directory, expirySeconds: 1 }).announce(keyA, [at(1)])
    const [name = ''] = await filesOf(keyA)
    const sequence = async () => openRecord(keyA, await readFile(join(serviceDirectory(keyA), name))).sequence
    const first = await sequence()
    await expect.poll(sequence, { timeout: 10_000 }).toBeGreaterThan(first)
    await announcement.withdraw()
  })

  test('a record that ran out is ignored and left alone by readers, and swept by the next announcement', async () => {
    const start = Date.now()
    await registry(() => start - HOUR_MS).announce(keyA, [at(1)])
    const before = await filesOf(keyA)
    expect(await find(keyA)).toEqual([])
    expect(await filesOf(keyA)).toEqual(before)
    await registry().announce(keyA, [at(2)])
    expect(await find(keyA)).toEqual(['tcp://127.0.0.1:2'])
    expect(await filesOf(keyA)).toHaveLength(1)
  })

  test('temporary files are swept once their process must be dead, not before', async () => {
    const old = await plant(new Uint8Array(1), '.a.location.00.tmp')
    await plant(new Uint8Array(1), '.b.location.00.tmp')
    await utimes(old, new Date(Date.now() - 2 * HOUR_MS), new Date(Date.now() - 2 * HOUR_MS))
    await registry().announce(keyA, [at(1)])
    expect((await filesOf(keyA)).filter((name) => name.endsWith('.tmp'))).toEqual(['.b.location.00.tmp'])
  })

  test('a sweep never takes a record that its owner refreshes at that moment', async () => {
    let now = Date.now()
    const owner = await registry(() => now).announce(keyA, [at(1)])
    const sweeper = await registry().announce(keyA, [at(2)])
    for (let round = 0; round < 100; round++) {
      now = Date.now() - HOUR_MS
      await owner.update([at(1)])
      now = Date.now()
      await Promise.all([sweeper.update([at(2)]), owner.update([at(1)])])
      expect(await find(keyA)).toEqual(['tcp://127.0.0.1:1', 'tcp://127.0.0.1:2'])
    }
    expect(await filesOf(keyA)).toHaveLength(2)
  })

  test('a record of the future stops the search only where there is no other', async () => {
    const path = await plant(recordAt(Date.now() + HOUR_MS))
    const error = await failure(find(keyA))
    expect(error.code).toBe('resolve/registry')
    expect(error.message).toContain(path)
    expect(error.hint).toContain('clock')
    await registry().announce(keyA, [at(1)])
    expect(await find(keyA)).toEqual(['tcp://127.0.0.1:1'])
    expect(await filesOf(keyA)).toContain('planted.location')
  })
})

describe('FileRegistry stops at what it cannot trust', () => {
  test.each([
    ['empty', new Uint8Array(0)],
    ['random', primitives().randomBytes(305)],
    ['text', Buffer.from('{"uri":"tcp://127.0.0.1:1"}')],
    ['of another service', recordAt(Date.now(), keyB)],
    ['cut', recordAt(Date.now()).subarray(0, 100)],
    ['longer than a record', new Uint8Array(10_000)],
    ['a record with bytes behind it', Buffer.concat([recordAt(Date.now()), Buffer.alloc(4_000)])],
  ])('a file that is %s: named, and neither overwritten nor deleted', async (_, bytes) => {
    const path = await plant(bytes)
    expect((await failure(registry().announce(keyA, [at(1)]))).code).toBe('resolve/registry')
    const error = await failure(find(keyA))
    expect(error.code).toBe('resolve/registry')
    expect(error.message).toBe(
      `Cannot use location registry: expected a location record of this service at ${path}`,
    )
    expect(error.hint).toContain('remove it')
    expect(error.cause).toBeUndefined()
    expect(hexEncode(await readFile(path))).toBe(hexEncode(bytes))
  })

  test('a symbolic link, even to a good record', async () => {
    const path = await plant(recordAt(Date.now()), 'target')
    const link = join(serviceDirectory(keyA), 'link.location')
    await symlink(path, link)
    expect((await failure(find(keyA))).message).toContain(`expected a regular file at ${link}`)
    expect((await failure(registry().announce(keyA, [at(1)]))).code).toBe('resolve/registry')
    expect((await lstat(link)).isSymbolicLink()).toBe(true)
  })

  test('a directory, and a pipe without waiting for a writer', async () => {
    await mkdir(join(serviceDirectory(keyA), 'd.location'), { recursive: true })
    expect((await failure(find(keyA))).code).toBe('resolve/registry')
    await mkdir(serviceDirectory(keyB))
    execFileSync('mkfifo', [join(serviceDirectory(keyB), 'p.location')])
    expect((await failure(find(keyB))).message).toContain('a regular file')
  })

  test('a service directory that is a link, in reading and in announcing', async () => {
    const elsewhere = join(directory, '..', 'elsewhere')
    await mkdir(elsewhere, { recursive: true })
    await mkdir(directory, { mode: 0o700 })
    await symlink(elsewhere, serviceDirectory(keyA))
    expect((await failure(find(keyA))).message).toContain(serviceDirectory(keyA))
    expect((await failure(registry().announce(keyA, [at(1)]))).code).toBe('resolve/registry')
    expect(await readdir(elsewhere)).toEqual([])
  })

  test('a registry that everybody may write, in reading and in announcing', async () => {
    await mkdir(directory, { recursive: true })
    await chmod(directory, 0o777)
    const error = await failure(find(keyA))
    expect(error.code).toBe('resolve/registry')
    expect(error.hint).toBe(`Run chmod o-w ${directory}`)
    expect((await failure(registry().announce(keyA, [at(1)]))).hint).toBe(error.hint)
  })

  test('a registry that is a file', async () => {
    await mkdir(join(directory, '..'), { recursive: true })
    await writeFile(directory, 'x')
    expect((await failure(find(keyA))).message).toContain(`expected a directory at ${directory}`)
    expect((await failure(registry().announce(keyA, [at(1)]))).code).toBe('resolve/registry')
    expect(await readFile(directory, 'utf8')).toBe('x')
  })

  test('more records than a service can have processes', async () => {
    const bytes = recordAt(Date.now())
    for (let i = 0; i < 257; i++) await plant(bytes, `${i}.location`)
    expect((await failure(find(keyA))).message).toContain('at most 256 records')
  })

  test('files with other names are nobody’s business', async () => {
    await plant(new Uint8Array(3), 'README')
    await plant(recordAt(Date.now()), 'good.location')
    expect(await find(keyA)).toEqual(['tcp://127.0.0.1:9'])
  })
})

describe('FileRegistry across processes', () => {
  const program = fileURLToPath(new URL('announcer-process.ts', import.meta.url))
  const children = new Set<ChildProcess>()

  function start(publicKey: PublicKey, uri: string, ...task: string[]): ChildProcess {
    const args = ['--import', 'tsx', program, directory, hexEncode(publicKey), uri, ...task]
    const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    children.add(child)
    child.once('exit', () => children.delete(child))
    return child
  }

  const announced = async (child: ChildProcess) => once(child.stdout!, 'data')
  const exited = async (child: ChildProcess) => (await once(child, 'exit'))[0]

  afterEach(() => {
    for (const child of children) child.kill('SIGKILL')
  })

  test('several processes of several services; one is killed, one leaves, the others stay', async () => {
    const [one, two, three] = [
      start(keyA, 'tcp://127.0.0.1:1', 'hold'),
      start(keyA, 'tcp://127.0.0.1:2', 'hold'),
      start(keyB, 'tcp://127.0.0.1:3', 'hold'),
    ]
    await Promise.all([one, two, three].map(announced))
    expect(await find(keyA)).toEqual(['tcp://127.0.0.1:1', 'tcp://127.0.0.1:2'])
    expect(await find(keyB)).toEqual(['tcp://127.0.0.1:3'])

    two.stdin?.end()
    expect(await exited(two)).toBe(0)
    expect(await find(keyA)).toEqual(['tcp://127.0.0.1:1'])

    one.kill('SIGKILL')
    await exited(one)
    expect(await find(keyA)).toEqual(['tcp://127.0.0.1:1'])
    const later = () => Date.now() + HOUR_MS
    expect(await find(keyA, later)).toEqual([])

    await registry(later).announce(keyA, [at(4)])
    expect(await filesOf(keyA)).toHaveLength(1)
    expect(await find(keyB)).toEqual(['tcp://127.0.0.1:3'])
  })

  test('an announcement does not keep its process alive', async () => {
    const child = start(keyA, 'tcp://127.0.0.1:1', 'end')
    expect(await exited(child)).toBe(0)
    expect(await find(keyA)).toEqual(['tcp://127.0.0.1:1'])
  })

  test('announcing, withdrawing and resolving at once never shows half a record', async () => {
    await registry().announce(keyA, [at(1)])
    const churners = [2, 3].map((port) => start(keyA, `tcp://127.0.0.1:${port}`, 'churn', '60'))
    const running = Promise.all(churners.map(exited))
    let done = false
    void running.then(() => {
      done = true
    })
    let looks = 0
    while (!done || looks === 0) {
      expect(await find(keyA)).toContain('tcp://127.0.0.1:1')
      looks++
    }
    expect(await running).toEqual([0, 0])
    expect(await find(keyA)).toEqual(['tcp://127.0.0.1:1'])
    expect(await filesOf(keyA)).toHaveLength(1)
  })
})
