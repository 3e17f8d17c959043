import {
  chmod,
  link,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  createKeyPair,
  createServiceKey,
  openKeyPair,
  openServiceKey,
  readKeyPair,
  readServiceKey,
  updateServiceKey,
} from '../../src/capability/files.js'
import { mint, ServiceKey, verify } from '../../src/capability/index.js'
import { encodeKeyFile } from '../../src/capability/key-file-format.js'
import { encodeDcbor } from '../../src/dcbor.js'

const passphrase = 'correct horse'
let directory: string
let path: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "noisecap's "))
  path = join(directory, 'notes.key')
})
afterEach(() => rm(directory, { recursive: true }))

const code = (name: string) => expect.objectContaining({ code: `capability/${name}` })

describe('createServiceKey and readServiceKey', () => {
  test('what was created is read again, roots included, from a file of mode 0600', async () => {
    const created = await createServiceKey(path)
    created.roots.rotate()
    await updateServiceKey(path, created)
    const read = await readServiceKey(path)
    expect(read.keyHash).toBe(created.keyHash)
    expect(read.roots.kids).toEqual([1, 2])
    expect(verify(mint(created, { object: 'a' }).locator, read.authority()).ok).toBe(true)
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect(await readdir(directory)).toEqual(['notes.key'])
  })

  test('a passphrase protects the file: right, wrong, missing', { timeout: 60_000 }, async () => {
    const created = await createServiceKey(path, { passphrase })
    const bytes = await readFile(path)
    expect(bytes.includes(Buffer.from(created.keyPair.secretKey))).toBe(false)
    expect(bytes.includes(Buffer.from(created.roots.get(1)!))).toBe(false)
    expect((await readServiceKey(path, { passphrase })).keyHash).toBe(created.keyHash)
    await expect(readServiceKey(path, { passphrase: 'Correct horse' })).rejects.toEqual(code('passphrase'))
    await expect(readServiceKey(path)).rejects.toEqual(code('passphrase'))
    const wrong = await readServiceKey(path, { passphrase: 'x' }).catch((error: Error) => error)
    expect((wrong as Error).cause).toBeUndefined()
  })

  test('a passphrase for a plain file is refused, since it would seem protected', async () => {
    await createServiceKey(path)
    await expect(readServiceKey(path, { passphrase })).rejects.toEqual(code('passphrase'))
    await expect(openServiceKey(path, { passphrase })).rejects.toEqual(code('passphrase'))
  })

  test('an empty passphrase is a mistake', async () => {
    await expect(createServiceKey(path, { passphrase: '' })).rejects.toThrow(TypeError)
    expect(await readdir(directory)).toEqual([])
  })

  test('the passphrase is the same in every Unicode form', { timeout: 60_000 }, async () => {
    const { keyHash } = await createServiceKey(path, { passphrase: 'e\u0301tude' })
    expect((await readServiceKey(path, { passphrase: '\u00e9tude' })).keyHash).toBe(keyHash)
  })

  test.each([
    ['a file', () => writeFile(path, 'precious')],
    ['an empty file', () => writeFile(path, '')],
    ['a dangling link', () => symlink(join(directory, 'nowhere'), path)],
  ])('creating over %s is refused and changes nothing', async (_name, prepare) => {
    await prepare()
    await expect(createServiceKey(path)).rejects.toEqual(code('key_file'))
    await expect(createKeyPair(path)).rejects.toEqual(code('key_file'))
    expect(await readdir(directory)).toEqual(['notes.key'])
    await expect(readFile(path, 'utf8').catch(() => 'dangling')).resolves.toMatch(/^(precious||dangling)$/)
  })

  test('a key of one’s own can be written', async () => {
    const key = ServiceKey.generate()
    expect(await createServiceKey(path, { key })).toBe(key)
    expect((await readServiceKey(path)).keyHash).toBe(key.keyHash)
  })
})

describe('permissions', () => {
  test.each([0o640, 0o604, 0o660, 0o666, 0o610, 0o601])(
    'mode %i is refused, with the command',
    async (mode) => {
      await createServiceKey(path)
      await chmod(path, mode)
      await expect(readServiceKey(path)).rejects.toMatchObject({
        code: 'capability/key_file',
        hint: `Run: chmod 600 '${path.replace("'", "'\\''")}'`,
      })
      await expect(openServiceKey(path)).rejects.toEqual(code('key_file'))
    },
  )

  test.each([0o600, 0o400, 0o700])('mode %i is accepted', async (mode) => {
    const { keyHash } = await createServiceKey(path)
    await chmod(path, mode)
    expect((await readServiceKey(path)).keyHash).toBe(keyHash)
  })

  test('a link to a key file is followed, as mounted secrets are links', async () => {
    const { keyHash } = await createServiceKey(path)
    const [soft, hard] = [join(directory, 'soft'), join(directory, 'hard')]
    await symlink(path, soft)
    await link(path, hard)
    for (const name of [soft, hard]) expect((await readServiceKey(name)).keyHash).toBe(keyHash)
  })
})

describe('openServiceKey and openKeyPair', () => {
  test('create what is missing, read what is there', async () => {
    const service = await openServiceKey(path)
    expect((await openServiceKey(path)).keyHash).toBe(service.keyHash)
    const client = await openKeyPair(join(directory, 'me.key'))
    expect((await openKeyPair(join(directory, 'me.key'))).equals(client)).toBe(true)
  })

  test('opened by many at once, all get the same key', async () => {
    const keys = await Promise.all(Array.from({ length: 6 }, () => openServiceKey(path)))
    expect(new Set(keys.map(({ keyHash }) => keyHash)).size).toBe(1)
  })

  test('a missing directory is an error of its own', async () => {
    await expect(openServiceKey(join(directory, 'no', 'x.key'))).rejects.toEqual(code('key_file'))
  })
})

describe('updateServiceKey', () => {
  test('refuses the file of another service', async () => {
    const { keyHash } = await createServiceKey(path)
    await expect(updateServiceKey(path, ServiceKey.generate())).rejects.toEqual(code('key_file'))
    expect((await readServiceKey(path)).keyHash).toBe(keyHash)
  })

  test('keeps the protection of a file', { timeout: 60_000 }, async () => {
    const key = await createServiceKey(path, { passphrase })
    key.roots.rotate()
    await expect(updateServiceKey(path, key)).rejects.toEqual(code('passphrase'))
    await updateServiceKey(path, key, { passphrase })
    expect((await readServiceKey(path, { passphrase })).roots.kids).toEqual([1, 2])
  })
})

describe('files that are no such key', () => {
  test('a client key is no service key, nor the reverse', async () => {
    await createKeyPair(path)
    await expect(readServiceKey(path)).rejects.toMatchObject({
      code: 'capability/key_file',
      message: 'Cannot read key file: expected a service key, got a client key',
    })
    await createServiceKey(join(directory, 's.key'))
    await expect(readKeyPair(join(directory, 's.key'))).rejects.toEqual(code('key_file'))
  })

  test('a directory, a missing file', async () => {
    await mkdir(path)
    await expect(readServiceKey(path)).rejects.toEqual(code('key_file'))
    await expect(readServiceKey(join(directory, 'none'))).rejects.toEqual(code('key_file'))
  })

  test('any flipped byte of a plain file is refused', async () => {
    await createServiceKey(path)
    const bytes = await readFile(path)
    for (let i = 0; i < bytes.length; i++) {
      const flipped = Uint8Array.from(bytes)
      flipped[i]! ^= 1
      await writeFile(path, flipped)
      await expect(readServiceKey(path), `byte ${i}`).rejects.toEqual(code('key_file'))
    }
  })

  test('any cut of a plain file is refused', async () => {
    await createKeyPair(path)
    const bytes = await readFile(path)
    for (let length = 0; length < bytes.length; length++) {
      await writeFile(path, bytes.subarray(0, length))
      await expect(readKeyPair(path), `${length} bytes`).rejects.toEqual(code('key_file'))
    }
  })

  test('8,193 bytes are refused unread', async () => {
    await writeFile(path, new Uint8Array(8193), { mode: 0o600 })
    await expect(readServiceKey(path)).rejects.toMatchObject({
      message: 'Cannot read key file: expected at most 8192 bytes, got 8193',
    })
  })

  test.each<[string, number, number]>([
    ['N = 2^19', 10, 19],
    ['N = 2^255', 10, 255],
    ['N = 2^13', 10, 13],
    ['r = 16', 11, 16],
    ['p = 5', 12, 5],
    ['p = 0', 12, 0],
  ])(
    'scrypt parameters out of bounds are refused before anything is derived: %s',
    async (_name, offset, value) => {
      let derived = 0
      const derive = async () => {
        derived += 1
        return new Uint8Array(32)
      }
      const bytes = await encodeKeyFile('client', new Uint8Array(40), derive)
      bytes[offset] = value
      await writeFile(path, bytes, { mode: 0o600 })
      await expect(readKeyPair(path, { passphrase })).rejects.toMatchObject({
        message: 'Cannot read key file: expected scrypt parameters within their bounds',
      })
      expect(derived).toBe(1)
    },
  )

  test.each<[string, Uint8Array]>([
    ['no CBOR', Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)],
    ['a number', encodeDcbor([1, [[1, new Uint8Array(32)]]])],
    ['a short secret key', encodeDcbor([new Uint8Array(31), [[1, new Uint8Array(32)]]])],
    ['no roots', encodeDcbor([new Uint8Array(32).fill(1), []])],
    ['a root numbered 0', encodeDcbor([new Uint8Array(32).fill(1), [[0, new Uint8Array(32)]]])],
    ['a third part', encodeDcbor([new Uint8Array(32).fill(1), [[1, new Uint8Array(32)]], 0])],
  ])('secrets that are %s', async (_name, secrets) => {
    await writeFile(path, await encodeKeyFile('service', secrets, undefined), { mode: 0o600 })
    await expect(readServiceKey(path)).rejects.toMatchObject({
      code: 'capability/key_file',
      message: 'Cannot read key file: expected the secrets of a key',
    })
  })
})
