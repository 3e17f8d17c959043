import { chmod, mkdtemp, open, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { writeFileAtomic } from '../src/atomic-file.js'

let directory: string
let path: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'noisecap-'))
  path = join(directory, 'file')
})
afterEach(async () => {
  await chmod(directory, 0o700)
  await rm(directory, { recursive: true })
})

const bytes = Uint8Array.of(1, 2, 3)
const content = async () => [...(await readFile(path))]

describe('writeFileAtomic', () => {
  test.each([0o600, 0o644, 0o666])('writes with mode %i whatever the umask is', async (mode) => {
    const umask = process.umask(0o077)
    try {
      await writeFileAtomic(path, bytes, { mode })
    } finally {
      process.umask(umask)
    }
    expect((await stat(path)).mode & 0o777).toBe(mode)
    expect(await content()).toEqual([1, 2, 3])
    expect(await readdir(directory)).toEqual(['file'])
  })

  test('replaces a file, and gives it the new mode', async () => {
    await writeFile(path, 'old', { mode: 0o644 })
    await writeFileAtomic(path, bytes, { mode: 0o600 })
    expect(await content()).toEqual([1, 2, 3])
    expect((await stat(path)).mode & 0o777).toBe(0o600)
  })

  test('a reader who opened the old file keeps reading it whole', async () => {
    await writeFile(path, 'old content')
    const reader = await open(path)
    await writeFileAtomic(path, bytes, { mode: 0o600 })
    expect(await reader.readFile('utf8')).toBe('old content')
    await reader.close()
    expect(await content()).toEqual([1, 2, 3])
  })

  test('exclusive refuses an existing file, leaves it as it was and no temporary file behind', async () => {
    await writeFile(path, 'old')
    await expect(writeFileAtomic(path, bytes, { mode: 0o600, exclusive: true })).rejects.toMatchObject({
      code: 'EEXIST',
    })
    expect(await readFile(path, 'utf8')).toBe('old')
    expect(await readdir(directory)).toEqual(['file'])
  })

  test('exclusive refuses a dangling symbolic link too', async () => {
    await symlink(join(directory, 'nowhere'), path)
    await expect(writeFileAtomic(path, bytes, { mode: 0o600, exclusive: true })).rejects.toMatchObject({
      code: 'EEXIST',
    })
    expect(await readdir(directory)).toEqual(['file'])
  })

  test('of many exclusive writers one wins', async () => {
    const writers = Array.from({ length: 8 }, (_, i) =>
      writeFileAtomic(path, Uint8Array.of(i), { mode: 0o600, exclusive: true }),
    )
    const results = await Promise.allSettled(writers)
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    const winner = results.findIndex(({ status }) => status === 'fulfilled')
    expect(await content()).toEqual([winner])
    expect(await readdir(directory)).toEqual(['file'])
  })

  test('a failure leaves the target as it was and no temporary file', async () => {
    await rm(path, { force: true })
    const target = join(directory, 'folder')
    await writeFileAtomic(path, bytes, { mode: 0o600 })
    await expect(writeFileAtomic(join(target, 'x'), bytes, { mode: 0o600 })).rejects.toMatchObject({
      code: 'ENOENT',
    })
    await expect(writeFileAtomic(directory, bytes, { mode: 0o600 })).rejects.toThrow(
      /EISDIR|ENOTEMPTY|EEXIST/,
    )
    expect(await content()).toEqual([1, 2, 3])
    expect(await readdir(directory)).toEqual(['file'])
  })
})
