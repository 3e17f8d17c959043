import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFile,
  chmod,
  copyFile,
  mkdtemp,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { RevocationFile } from '../../src/capability/files.js'
import type { RevocationChange } from '../../src/capability/index.js'
import { DamagedLog, decodeRecords, encodeRecord, LOG_HEADER } from '../../src/capability/revocation-log.js'

let directory: string
let path: string
const opened: RevocationFile[] = []
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'noisecap-'))
  path = join(directory, 'revoked')
})
afterEach(async () => {
  for (const set of opened.splice(0)) await set.close()
  await rm(directory, { recursive: true })
})

const id = (n: number) => n.toString(16).padStart(32, '0')
const bytes = (n: number) => Buffer.from(id(n), 'hex')
const record = (n: number) => encodeRecord(id(n), 1_800_000_000)
const corrupt = expect.objectContaining({ code: 'capability/revocation_file' })

async function open(options?: Parameters<typeof RevocationFile.open>[1]): Promise<RevocationFile> {
  const set = await RevocationFile.open(path, options)
  opened.push(set)
  return set
}

/** Wait for the set to say something for which `enough` holds. */
function heard(
  set: RevocationFile,
  enough: (change: RevocationChange) => boolean,
): Promise<RevocationChange> {
  return new Promise((resolve) => {
    const stop = set.onChange((change) => {
      if (!enough(change)) return
      stop()
      resolve(change)
    })
  })
}

describe('RevocationFile', () => {
  test('what was revoked is there when it is opened again', async () => {
    const set = await open()
    await Promise.all([set.revoke(id(1)), set.revoke(bytes(2)), set.revoke(id(1))])
    expect((await readFile(path, 'utf8')).split('\n')).toHaveLength(4)
    const again = await open()
    expect([1, 2, 3].map((n) => again.has(id(n)))).toEqual([true, true, false])
    expect(again.revokesAny([bytes(3), bytes(2)])).toBe(true)
    expect(again.revokesAny([bytes(3)])).toBe(false)
    expect(again.torn).toBe(0)
  })

  test('is created with mode 0600, unless told not to create it', async () => {
    await expect(open({ create: false })).rejects.toEqual(corrupt)
    await open()
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    await open({ create: false })
  })

  test('is in force in this process before the disk has it', async () => {
    const set = await open()
    const done = set.revoke(id(1))
    expect(set.has(id(1))).toBe(true)
    await done
  })

  test('many sets on one file lose nothing', async () => {
    const sets = await Promise.all(Array.from({ length: 5 }, () => open()))
    await Promise.all(Array.from({ length: 100 }, (_, n) => sets[n % 5]!.revoke(id(n))))
    const again = await open()
    expect(Array.from({ length: 100 }, (_, n) => again.has(id(n)))).not.toContain(false)
    expect(await readFile(path, 'utf8')).toHaveLength(LOG_HEADER.length + 100 * record(0).length)
  })

  test('is larger than one piece, read whole', async () => {
    const count = 8_000 // twice what is read at once, and some
    await writeFile(path, LOG_HEADER + Array.from({ length: count }, (_, n) => record(n)).join(''))
    const set = await open()
    expect(Array.from({ length: count }, (_, n) => set.has(id(n)))).not.toContain(false)
    expect(set.has(id(count))).toBe(false)
  })

  test('once closed, everything is revoked and revoking throws', async () => {
    const set = await open()
    await set.close()
    expect(set.has(id(1))).toBe(true)
    expect(set.revokesAny([bytes(1)])).toBe(true)
    await expect(set.revoke(id(1))).rejects.toThrow(TypeError)
    await set.close()
  })

  test('closing finishes what was begun', async () => {
    const set = await open()
    const done = [set.revoke(id(1)), set.revoke(id(2))]
    await set.close()
    await Promise.all(done)
    expect((await open()).has(id(2))).toBe(true)
  })
})

describe('changes by others', () => {
  const first = { ids: [Uint8Array.from(bytes(7))], failure: undefined }

  test('are heard of through the system’s report', async () => {
    const [mine, other] = [await open({ pollMs: 600_000 }), await open()]
    const change = heard(mine, ({ ids }) => ids.length > 0)
    await other.revoke(id(7))
    expect(await change).toEqual(first)
    expect(mine.has(id(7))).toBe(true)
  })

  test('are heard of through polling where the system reports nothing', async () => {
    const other = await open()
    const elsewhere = await mkdtemp(join(tmpdir(), 'noisecap-'))
    await symlink(path, join(elsewhere, 'link')) // no watch on this directory sees the file change
    const mine = await RevocationFile.open(join(elsewhere, 'link'), { pollMs: 20 })
    const change = heard(mine, ({ ids }) => ids.length > 0)
    await other.revoke(id(7))
    expect(await change).toEqual(first)
    await mine.close()
    await rm(elsewhere, { recursive: true })
  })

  test('a file put in the place of the old one is read, if nothing is missing in it', async () => {
    const set = await open()
    await set.revoke(id(1))
    await copyFile(path, join(directory, 'new'))
    await appendFile(join(directory, 'new'), record(2))
    await rename(join(directory, 'new'), path)
    await set.reload()
    expect([set.has(id(1)), set.has(id(2)), set.has(id(3))]).toEqual([true, true, false])
    await set.revoke(id(3))
    expect((await open()).has(id(3))).toBe(true)
  })
})

describe('a file that cannot be trusted', () => {
  const spoil: [string, () => Promise<unknown>][] = [
    ['altered in place', async () => writeFile(path, (await readFile(path, 'utf8')).replace('1 20', '2 20'))],
    ['appended with rubbish', () => appendFile(path, `${'x'.repeat(80)}\n`)],
    ['cut back', () => truncate(path, LOG_HEADER.length)],
    ['emptied', () => truncate(path, 0)],
    ['deleted', () => rm(path)],
    [
      'replaced by one in which something is missing',
      async () => {
        await writeFile(join(directory, 'new'), LOG_HEADER + record(2))
        await rename(join(directory, 'new'), path)
      },
    ],
    [
      'replaced by something else',
      async () => {
        await writeFile(join(directory, 'new'), 'hello')
        await rename(join(directory, 'new'), path)
      },
    ],
  ]

  test.each(spoil)('%s: everything is revoked, the error is told, nothing is written', async (_name, act) => {
    const set = await open({ pollMs: 50 })
    await set.revoke(id(1))
    const change = heard(set, ({ failure }) => failure !== undefined)
    await act()
    expect((await change).failure).toEqual(corrupt)
    expect(set.has(id(99))).toBe(true)
    expect(set.revokesAny([])).toBe(true)
    const before = await readFile(path, 'utf8').catch(() => 'none')
    await expect(set.revoke(id(2))).rejects.toEqual(corrupt)
    expect(await readFile(path, 'utf8').catch(() => 'none')).toBe(before)
  })

  test('lets nobody in again until it was restored with all that was known', async () => {
    const set = await open({ pollMs: 600_000 })
    await set.revoke(id(1))
    await copyFile(path, join(directory, 'backup'))
    await truncate(path, 3)
    await set.reload()
    expect(set.failure).toEqual(corrupt)
    // Listened for first: the system's report of the copy may be acted on before `reload` is.
    const change = heard(set, ({ failure }) => failure === undefined)
    await copyFile(join(directory, 'backup'), path)
    await set.reload()
    await change
    expect([set.failure, set.has(id(1)), set.has(id(2))]).toEqual([undefined, true, false])
  })

  test.each<[string, string]>([
    ['nothing', ''],
    ['another header', 'noisecap revocations v2\n'],
    ['a damaged record', LOG_HEADER + record(1).replace('1 20', '2 20')],
    ['a damaged record before a good one', LOG_HEADER + record(1).replace('1 20', '2 20') + record(2)],
    ['an endless line', LOG_HEADER + 'x'.repeat(600_000)],
  ])('that holds %s is not opened, and stays as it is', async (_name, content) => {
    await writeFile(path, content)
    await expect(open()).rejects.toEqual(corrupt)
    expect(await readFile(path, 'utf8')).toBe(content)
  })

  test('flipping any one bit of a record is noticed', () => {
    const good = Buffer.from(record(1) + record(2))
    expect(decodeRecords(good.toString('latin1'), 2, true).ids).toEqual([id(1), id(2)])
    for (let at = 0; at < good.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const flipped = Buffer.from(good)
        flipped[at]! ^= 1 << bit
        const read = () => decodeRecords(flipped.toString('latin1'), 2, true)
        expect(read, `byte ${at}, bit ${bit}`).toThrow(DamagedLog)
      }
    }
  })
})

describe('crashes', () => {
  test('a record cut anywhere is reported, not counted, and does not harm what follows', async () => {
    const whole = record(2)
    for (let length = 1; length < whole.length; length++) {
      await writeFile(path, LOG_HEADER + record(1) + whole.slice(0, length))
      const set = await RevocationFile.open(path)
      const complete = length === whole.length - 1
      expect([set.has(id(1)), set.has(id(2)), set.torn], `${length} bytes`).toEqual([true, complete, 1])
      await set.revoke(id(3))
      await set.close()
      const again = await RevocationFile.open(path)
      expect([again.has(id(1)), again.has(id(2)), again.has(id(3))]).toEqual([true, complete, true])
      expect(again.torn).toBe(complete ? 0 : 1)
      await again.close()
    }
  })

  test('two crashes in a row, the second while marking the first, harm nothing', async () => {
    const torn = record(2).slice(0, 69)
    for (const tail of ['~', '~tor', '~torn~', '~torn~\n', `~torn~\n${record(3).slice(0, 30)}`]) {
      await writeFile(path, LOG_HEADER + record(1) + torn + tail)
      const set = await RevocationFile.open(path)
      await set.revoke(id(4))
      await set.close()
      const again = await RevocationFile.open(path)
      expect(
        [1, 2, 3, 4].map((n) => again.has(id(n))),
        tail,
      ).toEqual([true, false, false, true])
      await again.close()
    }
  })

  test('a process that did not see the torn record may append to it', async () => {
    const [one, other] = [await open(), await open()]
    await appendFile(path, record(5).slice(0, 20))
    await Promise.all([one.revoke(id(6)), other.revoke(id(7))])
    const again = await open()
    expect([5, 6, 7].map((n) => again.has(id(n)))).toEqual([false, true, true])
  })

  test('processes killed with SIGKILL while they append lose nothing that was acknowledged', {
    timeout: 120_000,
  }, async () => {
    const acknowledged: string[] = []
    for (const milliseconds of [15, 60, 110]) {
      const children = [startChild(acknowledged), startChild(acknowledged)]
      await Promise.all(children.map(({ ready }) => ready))
      await sleep(milliseconds)
      for (const { child } of children) child.kill('SIGKILL')
      await Promise.all(children.map(({ ended }) => ended))
    }
    expect(acknowledged.length).toBeGreaterThan(3)
    const set = await open()
    expect(acknowledged.filter((each) => !set.has(each))).toEqual([])
    await set.revoke(id(1))
    expect((await open()).has(id(1))).toBe(true)
  })

  function startChild(acknowledged: string[]) {
    const script = fileURLToPath(new URL('./revoke-forever.ts', import.meta.url))
    const child = spawn(process.execPath, ['--import', 'tsx', script, path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const lines = createInterface({ input: child.stdout })
    const ready = once(lines, 'line')
    lines.on('line', (line) => {
      if (/^[0-9a-f]{32}$/.test(line)) acknowledged.push(line)
    })
    return { child, ready, ended: Promise.all([once(child, 'exit'), once(lines, 'close')]) }
  }
})

test('a file that may only be read is in force, and revoking more holds in this process only', async () => {
  await (await open()).revoke(id(1))
  await chmod(path, 0o444)
  await chmod(directory, 0o755)
  const isRoot = process.getuid?.() === 0
  if (isRoot) process.seteuid?.(65_534) // permissions do not bind root
  try {
    const set = await open()
    expect([set.has(id(1)), set.has(id(2))]).toEqual([true, false])
    await expect(set.revoke(id(2))).rejects.toEqual(corrupt)
    expect(set.has(id(2))).toBe(true)
  } finally {
    if (isRoot) process.seteuid?.(0)
  }
  expect((await open()).has(id(2))).toBe(false)
})
