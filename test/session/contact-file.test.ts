import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFile,
  chmod,
  chown,
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
import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { decodeLines } from '../../src/append-log/index.js'
import { hexDecode, hexEncode } from '../../src/bytes.js'
import { type ContactKey, contactTag } from '../../src/capability/index.js'
import { asPublicKey } from '../../src/crypto/index.js'
import type { NoisecapError } from '../../src/errors.js'
import { CONTACT_FILE_MAX_BYTES, CONTACTS_MAX } from '../../src/limits.js'
import { additionBody, CONTACT_LOG, contactLine, removalBody } from '../../src/session/contact-log.js'
import type { Contact } from '../../src/session/contacts.js'
import { ContactFile, type ContactFileOptions } from '../../src/session/files.js'

const TODAY = 20_000
const NOON = (TODAY + 0.5) * 86_400
const WHEN = 1_800_000_000
const { header } = CONTACT_LOG

let directory: string
let path: string
const opened: ContactFile[] = []
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'noisecap-'))
  path = join(directory, 'contacts')
})
afterEach(async () => {
  for (const book of opened.splice(0)) await book.close()
  await rm(directory, { recursive: true })
})

async function open(options?: ContactFileOptions): Promise<ContactFile> {
  const book = await ContactFile.open(path, options)
  opened.push(book)
  return book
}

const numbered = (n: number) => hexDecode(n.toString(16).padStart(64, '0'))
const contact = (n: number, key = 1_000 + n): Contact => ({
  client: asPublicKey(numbered(n)),
  contactKey: numbered(key) as ContactKey,
})
const added = (n: number, key?: number) => contactLine(additionBody(contact(n, key), WHEN))
const removed = (n: number, unique = 0) =>
  contactLine(removalBody(contact(n).client, numbered(unique), WHEN + 1))
const write = (content: string) => writeFile(path, content, { mode: 0o600 })

/** Whether `book` recognises the contacts, each by its tag of today. */
function finds(book: ContactFile, ...contacts: (number | Contact)[]): boolean[] {
  return contacts.map((each) => {
    const { client, contactKey } = typeof each === 'number' ? contact(each) : each
    const found = book.find(contactTag(contactKey, client, TODAY), NOON)
    if (found !== undefined) expect(found).toEqual(client)
    return found !== undefined
  })
}

const refused = expect.objectContaining({ code: 'session/contact_file' })
const full = expect.objectContaining({ code: 'session/limit' })

describe('ContactFile', () => {
  test('what was added is there when it is opened again, what was removed is not', async () => {
    const book = await open()
    await Promise.all([book.add(contact(1)), book.add(contact(2)), book.add(contact(1))])
    await book.add(contact(2, 77))
    await book.add(contact(3))
    await book.remove(contact(2).client)
    for (const each of [book, await open()]) {
      expect(finds(each, 1, 2, contact(2, 77), 3, 4)).toEqual([true, false, false, true, false])
    }
    expect((await readFile(path, 'utf8')).split('\n')).toHaveLength(1 + 5 + 1)
  })

  test('a removed client may become a contact again, by what it is added with alone', async () => {
    const book = await open()
    await book.add(contact(1))
    await book.remove(contact(1).client)
    await book.add(contact(1, 88))
    await book.remove(contact(9).client)
    for (const each of [book, await open()]) expect(finds(each, 1, contact(1, 88))).toEqual([false, true])
    expect((await readFile(path, 'utf8')).split('\n'), 'an unknown client leaves no record').toHaveLength(5)
  })

  test('a removal is in force in this process before the disk has it', async () => {
    const book = await open()
    await book.add(contact(1))
    const done = book.remove(contact(1).client)
    expect(finds(book, 1)).toEqual([false])
    await done
    expect(finds(book, 1)).toEqual([false])
  })

  test('adding and removing at once leaves what was asked for last', async () => {
    const book = await open()
    await Promise.all([book.add(contact(1)), book.remove(contact(1).client), book.add(contact(1))])
    await Promise.all([book.add(contact(2)), book.remove(contact(2).client)])
    const { client } = contact(3)
    await Promise.all([book.add(contact(3)), book.remove(client), book.add(contact(3)), book.remove(client)])
    for (const each of [book, await open()]) expect(finds(each, 1, 2, 3)).toEqual([true, false, false])
  })

  test('is created with mode 0600, unless told not to create it', async () => {
    await expect(open({ create: false })).rejects.toEqual(refused)
    await open()
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    await open({ create: false })
  })

  test('many books on one file lose nothing', async () => {
    const books = await Promise.all(Array.from({ length: 5 }, () => open()))
    await Promise.all(Array.from({ length: 50 }, (_, n) => books[n % 5]!.add(contact(n))))
    await Promise.all(Array.from({ length: 10 }, (_, n) => books[(n + 1) % 5]!.remove(contact(n).client)))
    const again = await open()
    const numbers = Array.from({ length: 50 }, (_, n) => n)
    expect(finds(again, ...numbers)).toEqual(numbers.map((n) => n >= 10))
  })

  test('once closed nobody is a contact, and adding and removing throw', async () => {
    const book = await open()
    const done = book.add(contact(1))
    await book.close()
    await done
    expect(finds(book, 1)).toEqual([false])
    await expect(book.add(contact(2))).rejects.toThrow(TypeError)
    await expect(book.remove(contact(1).client)).rejects.toThrow(TypeError)
    await expect(book.reload()).rejects.toThrow(TypeError)
    await book.close()
    expect(finds(await open(), 1)).toEqual([true])
  })

  test('keys of another length are refused before anything is written', async () => {
    const book = await open()
    const short = { ...contact(1), contactKey: new Uint8Array(31) as Uint8Array as ContactKey }
    await expect(book.add(short)).rejects.toThrow(TypeError)
    await expect(book.remove(new Uint8Array(33) as Contact['client'])).rejects.toThrow(TypeError)
    expect(await readFile(path, 'utf8')).toBe(header)
  })

  test('shows its path, and neither clients nor keys', async () => {
    const book = await open()
    await book.add({ client: asPublicKey(numbered(0xabc1)), contactKey: numbered(0xdef2) as ContactKey })
    const shown = [String(book), JSON.stringify({ book }), inspect(book, { depth: 9, showHidden: true })]
    for (const text of shown) {
      expect(text).toContain(`ContactFile ${path} [redacted]`)
      expect(text).not.toMatch(/abc1|def2|Uint8Array/)
    }
  })
})

describe('limits', () => {
  test('16,384 contacts are read; one more is refused, and written by another process it does not count', async () => {
    const numbers = Array.from({ length: CONTACTS_MAX }, (_, n) => n)
    await write(header + numbers.map((n) => added(n)).join(''))
    const book = await open()
    await expect(book.add(contact(CONTACTS_MAX))).rejects.toEqual(full)
    await appendFile(path, added(CONTACTS_MAX))
    await book.reload()
    expect(book.failure).toBeUndefined()
    const others = await Promise.all([book, await open()])
    for (const each of others)
      expect(finds(each, 0, CONTACTS_MAX - 1, CONTACTS_MAX)).toEqual([true, true, false])
    await book.remove(contact(0).client)
    await book.add(contact(CONTACTS_MAX))
    expect(finds(book, 0, CONTACTS_MAX)).toEqual([false, true])
  }, 120_000)

  test('a file that is half full of past changes takes removals only', async () => {
    const past = `${'0'.repeat(168)}~torn~\n` // the largest line that costs least to read
    const count = Math.ceil(CONTACT_FILE_MAX_BYTES / 2 / past.length)
    await write(header + added(2) + past.repeat(count))
    const book = await open()
    await expect(book.add(contact(3))).rejects.toEqual(full)
    await book.add(contact(2)) // known already
    await book.remove(contact(2).client)
    expect(finds(await open(), 2)).toEqual([false])
  }, 120_000)

  test('a file over its largest size is not opened', async () => {
    await write(header)
    await truncate(path, CONTACT_FILE_MAX_BYTES + 1)
    await expect(open()).rejects.toEqual(refused)
  })
})

describe('changes by others', () => {
  test('are seen through the system’s report', async () => {
    const [mine, other] = [await open({ pollMs: 600_000 }), await open()]
    await other.add(contact(7))
    await expect.poll(() => finds(mine, 7), { timeout: 20_000 }).toEqual([true])
    await other.remove(contact(7).client)
    await expect.poll(() => finds(mine, 7), { timeout: 20_000 }).toEqual([false])
  }, 120_000)

  test('are seen through polling where the system reports nothing', async () => {
    const other = await open()
    const elsewhere = await mkdtemp(join(tmpdir(), 'noisecap-'))
    await symlink(path, join(elsewhere, 'link')) // no watch on this directory sees the file change
    const mine = await ContactFile.open(join(elsewhere, 'link'), { pollMs: 20 })
    try {
      await other.add(contact(7))
      await expect.poll(() => finds(mine, 7), { timeout: 20_000 }).toEqual([true])
    } finally {
      await mine.close()
      await rm(elsewhere, { recursive: true })
    }
  }, 120_000)

  test('a file put in the place of the old one is read, if nothing is missing in it', async () => {
    const book = await open()
    await book.add(contact(1))
    await copyFile(path, join(directory, 'new'))
    await appendFile(join(directory, 'new'), added(2))
    await rename(join(directory, 'new'), path)
    await book.reload()
    expect(finds(book, 1, 2, 3)).toEqual([true, true, false])
    await book.add(contact(3))
    expect(finds(await open(), 1, 2, 3)).toEqual([true, true, true])
  })
})

describe('a file that cannot be trusted', () => {
  const spoil: [string, () => Promise<unknown>][] = [
    [
      'altered in place',
      // Without emptying it first, which a look in between would find.
      async () => writeFile(path, (await readFile(path, 'utf8')).replace('\n+ 0', '\n- 0'), { flag: 'r+' }),
    ],
    ['appended with rubbish', () => appendFile(path, `${'x'.repeat(300)}\n`)],
    ['cut back', () => truncate(path, header.length)],
    ['emptied', () => truncate(path, 0)],
    ['deleted', () => rm(path)],
    ['opened to others', () => chmod(path, 0o640)],
    [
      'replaced by one in which something is missing',
      async () => {
        await writeFile(join(directory, 'new'), header + added(2), { mode: 0o600 })
        await rename(join(directory, 'new'), path)
      },
    ],
    [
      'replaced by the file of revocations',
      async () => {
        await writeFile(join(directory, 'new'), 'noisecap revocations v1\n', { mode: 0o600 })
        await rename(join(directory, 'new'), path)
      },
    ],
  ]

  test.each(spoil)(
    '%s: nobody is a contact, the error is told, nothing is written',
    async (_name, act) => {
      const failures: NoisecapError[] = []
      const book = await open({ pollMs: 50, onFailure: (failure) => failures.push(failure) })
      await book.add(contact(1))
      await act()
      await expect.poll(() => book.failure, { timeout: 20_000 }).toEqual(refused)
      expect(failures).toEqual([book.failure])
      expect(finds(book, 1, 2)).toEqual([false, false])
      const before = await readFile(path, 'utf8').catch(() => 'none')
      await expect(book.add(contact(2))).rejects.toEqual(refused)
      await expect(book.remove(contact(1).client)).rejects.toEqual(refused)
      expect(await readFile(path, 'utf8').catch(() => 'none')).toBe(before)
    },
    60_000,
  )

  test('is trusted again once it was restored with all that was known; what was removed meanwhile stays so', async () => {
    const book = await open({ pollMs: 600_000 })
    await book.add(contact(1))
    await book.add(contact(2))
    await copyFile(path, join(directory, 'backup'))
    await truncate(path, 3)
    await book.reload()
    expect([book.failure, finds(book, 1)]).toEqual([refused, [false]])
    await expect(book.remove(contact(2).client)).rejects.toEqual(refused)
    await copyFile(join(directory, 'backup'), path)
    await book.reload()
    expect([book.failure, finds(book, 1, 2)]).toEqual([undefined, [true, false]])
    // It held in this process only; now it is written, before what is added.
    expect(finds(await open(), 1, 2)).toEqual([true, true])
    await book.add(contact(2, 99))
    for (const each of [book, await open()])
      expect(finds(each, 1, 2, contact(2, 99))).toEqual([true, false, true])
  })

  test.each(['640', '604', '660', '622', '601'])(
    'with mode 0%s is not opened; the hint mends it',
    async (mode) => {
      await write(header + added(1))
      await chmod(path, Number.parseInt(mode, 8))
      await expect(open()).rejects.toMatchObject({
        code: 'session/contact_file',
        hint: `Run: chmod 600 '${path}'`,
      })
      await chmod(path, 0o600)
      expect(finds(await open(), 1)).toEqual([true])
    },
  )

  test.each<[string, string]>([
    ['nothing', ''],
    ['another header', 'noisecap contacts v2\n'],
    ['a damaged record', header + added(1).replace('+', '-')],
    ['a damaged record before a good one', header + added(1).replace('+', '-') + added(2)],
    ['a record of another kind', header + added(1).replace('+', '*')],
    ['an endless line', header + 'x'.repeat(600_000)],
  ])('that holds %s is not opened, and stays as it is', async (_name, content) => {
    await write(content)
    await expect(open()).rejects.toEqual(refused)
    expect(await readFile(path, 'utf8')).toBe(content)
  })

  test('its error shows no record', async () => {
    await write(header + added(1).replace('+', '-'))
    const error = await open().catch((reason: unknown) => reason)
    expect(error).toEqual(refused)
    expect(inspect(error, { depth: 9 })).not.toContain(hexEncode(numbered(1_001)).slice(-16))
  })

  test('flipping any one bit of a record is noticed', () => {
    const good = Buffer.from(added(1) + removed(1))
    expect(decodeLines(CONTACT_LOG, good.toString('latin1'), 2, true).bodies).toHaveLength(2)
    const unnoticed: string[] = []
    for (let at = 0; at < good.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const flipped = Buffer.from(good)
        flipped[at]! ^= 1 << bit
        try {
          decodeLines(CONTACT_LOG, flipped.toString('latin1'), 2, true)
          unnoticed.push(`byte ${at}, bit ${bit}`)
        } catch (error) {
          expect((error as Error).name).toBe('DamagedLog')
        }
      }
    }
    expect(unnoticed).toEqual([])
  })
})

describe('crashes', () => {
  test('a record cut anywhere is reported, not counted, and does not harm what follows', async () => {
    const whole = added(2)
    for (let length = 1; length < whole.length; length++) {
      await write(header + added(1) + whole.slice(0, length))
      const book = await ContactFile.open(path)
      const complete = length === whole.length - 1
      expect([finds(book, 1, 2), book.torn], `${length} bytes`).toEqual([[true, complete], 1])
      await book.add(contact(3))
      await book.close()
      const again = await ContactFile.open(path)
      expect(finds(again, 1, 2, 3), `${length} bytes`).toEqual([true, complete, true])
      expect(again.torn).toBe(complete ? 0 : 1)
      await again.close()
    }
  }, 120_000)

  test('a removal that lacks only its line end counts, also for who read it before another record came', async () => {
    await write(header + added(1) + removed(1).slice(0, -1))
    const book = await open()
    expect(finds(book, 1)).toEqual([false])
    await book.add(contact(1, 55))
    for (const each of [book, await open()]) expect(finds(each, 1, contact(1, 55))).toEqual([false, true])
  })

  test('a process that did not see the torn record may append to it', async () => {
    const [one, other] = [await open(), await open()]
    await appendFile(path, added(5).slice(0, 40))
    await Promise.all([one.add(contact(6)), other.add(contact(7))])
    expect(finds(await open(), 5, 6, 7)).toEqual([false, true, true])
  })

  test('processes killed with SIGKILL while they append lose nothing that was acknowledged', async () => {
    const acknowledged: string[] = []
    for (const milliseconds of [20, 90]) {
      const children = [startChild(acknowledged), startChild(acknowledged)]
      await Promise.all(children.map(({ ready }) => ready))
      await sleep(milliseconds)
      for (const { child } of children) child.kill('SIGKILL')
      await Promise.all(children.map(({ ended }) => ended))
    }
    expect(acknowledged.length).toBeGreaterThan(0)
    const book = await open()
    const missing = acknowledged.filter((seed) => {
      const bytes = hexDecode(seed)
      return !finds(book, { client: asPublicKey(bytes), contactKey: bytes as ContactKey })[0]
    })
    expect(missing).toEqual([])
    await book.add(contact(1))
    expect(finds(await open(), 1)).toEqual([true])
  }, 120_000)

  function startChild(acknowledged: string[]) {
    const script = fileURLToPath(new URL('./add-contacts-forever.ts', import.meta.url))
    const child = spawn(process.execPath, ['--import', 'tsx', script, path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const lines = createInterface({ input: child.stdout })
    const ready = once(lines, 'line')
    lines.on('line', (line) => {
      if (/^[0-9a-f]{64}$/.test(line)) acknowledged.push(line)
    })
    return { child, ready, ended: Promise.all([once(child, 'exit'), once(lines, 'close')]) }
  }
})

test('a file that may only be read is in force, and removing more holds in this process only', async () => {
  await (await open()).add(contact(1))
  await chmod(path, 0o400)
  await chmod(directory, 0o755)
  const isRoot = process.getuid?.() === 0
  if (isRoot) {
    await chown(path, 65_534, 65_534)
    process.seteuid?.(65_534) // permissions do not bind root
  }
  try {
    const book = await open()
    expect(finds(book, 1)).toEqual([true])
    await expect(book.add(contact(2))).rejects.toEqual(refused)
    await expect(book.remove(contact(1).client)).rejects.toEqual(refused)
    expect(finds(book, 1, 2)).toEqual([false, false])
  } finally {
    if (isRoot) process.seteuid?.(0)
  }
  expect(finds(await open(), 1, 2)).toEqual([true, false])
})
