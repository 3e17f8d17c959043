// `noisecap seal`, `open`, `rewrap` and `inspect` of sealed files: round trips, what is refused, and that nothing is left behind.
import { once } from 'node:events'
import { readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Desk, expectNoSecret, expectOneError, type RunOptions } from './cli.js'

let desk: Desk
let readerKey: string
let writerKey: string
/** More than two batches of chunks, and a part of one. */
const plain = Buffer.from(Uint8Array.from({ length: 2_200_000 }, (_, i) => (i * 7 + (i >> 9)) & 0xff))

const run = (argv: readonly string[], options: RunOptions = {}) =>
  desk.run(argv, { stop: new AbortController().signal, ...options })
async function keygen(name: string): Promise<string> {
  return (await run(['keygen', '--client', desk.path(name)])).stdout.trim()
}
const ok = async (argv: readonly string[], options: RunOptions = {}) => {
  const outcome = await run(argv, options)
  expect(outcome, outcome.stderr).toMatchObject({ exitCode: 0 })
  return outcome
}

beforeEach(async () => {
  desk = await Desk.create()
  readerKey = await keygen('reader.key')
  writerKey = await keygen('writer.key')
  await writeFile(desk.path('f'), plain)
})

afterEach(async () => {
  // Whatever happened, no temporary file is left.
  expect((await readdir(desk.directory)).filter((name) => name.endsWith('.tmp'))).toEqual([])
  await desk.remove()
})

const sealF = (...options: string[]) => ok(['seal', desk.path('f'), '-r', readerKey, ...options])
const openF = (...options: string[]) =>
  run(['open', desk.path('f.sealed'), '--key', desk.path('reader.key'), '-o', desk.path('out'), ...options])

describe('round trips', () => {
  test.each([0, 1, 65_535, 65_536, 65_537, 1_048_576, 1_048_577, 2_200_000])('%i bytes', async (length) => {
    await writeFile(desk.path('f'), plain.subarray(0, length))
    await sealF()
    expect((await stat(desk.path('f.sealed'))).size).toBe(
      150 + 20 * Math.max(1, Math.ceil(length / 65_536)) + length,
    )
    expect((await openF()).exitCode).toBe(0)
    expect(Buffer.compare(await readFile(desk.path('out')), plain.subarray(0, length))).toBe(0)
    expect((await stat(desk.path('out'))).mode & 0o777).toBe(0o600)
  })

  test('standard input and output', async () => {
    await ok(['seal', '-r', readerKey], { stdin: plain })
    await ok(['open', '--key', desk.path('reader.key')], { stdin: desk.bytes })
    expect(Buffer.compare(desk.bytes, plain)).toBe(0)
  })

  test('several readers, from options and a file; one rewraps for another', async () => {
    const [other, third] = [await keygen('other.key'), await keygen('third.key')]
    await writeFile(desk.path('readers'), `# who reads\n\n${other}\n`)
    await sealF('-R', desk.path('readers'))
    await ok(['open', desk.path('f.sealed'), '--key', desk.path('other.key')].concat('-o', desk.path('out')))
    const rewrap = ['rewrap', desk.path('f.sealed'), '--key', desk.path('reader.key'), '-r', third]
    await ok([...rewrap, '--drop-own', '--in-place'])
    await ok([
      'open',
      desk.path('f.sealed'),
      '--key',
      desk.path('third.key'),
      '--force',
      '-o',
      desk.path('out'),
    ])
    expect(Buffer.compare(await readFile(desk.path('out')), plain)).toBe(0)
    const { exitCode, stderr } = await openF('--force')
    expect(exitCode).toBe(1)
    expect(stderr).toContain('sealed to a key of this reader')
  })

  test.each(['-V', '-h', '--', '-r', '--force-', '--version-'])(
    'public keys that begin with %s',
    async (beginning) => {
      const key = `${beginning}${'A'.repeat(43 - beginning.length)}`
      await ok(['seal', desk.path('f'), '-r', key, '-r', readerKey])
      expect((await openF()).exitCode).toBe(0)
      const refused = await openF('--force', '--writer', key)
      expect(refused.stderr).toContain('expected a pattern')
      expect(refused).toMatchObject({ exitCode: 1, stdout: '' })
    },
  )

  test('X names the writer; with --writer only writers that are named are accepted', async () => {
    await sealF('--key', desk.path('writer.key'))
    const { stderr } = await openF()
    expect(stderr).toContain(`by the writer ${writerKey} (pattern X)`)
    expect((await openF('--force', '--writer', writerKey)).exitCode).toBe(0)
    expect((await openF('--force', '--writer', readerKey)).stderr).toContain('expected a writer')
    await sealF('--force')
    expect((await openF('--force', '--writer', writerKey)).stderr).toContain('expected a pattern')
    await sealF('--force', '--key', desk.path('writer.key'), '--pattern', 'K')
    expect((await openF('--force')).exitCode).toBe(1)
    expect((await openF('--force', '--writer', writerKey)).exitCode).toBe(0)
  })

  test('under a capability, which can be revoked and is never shown', async () => {
    const key = desk.path('s.key')
    await ok(['keygen', key])
    const mint = ['mint', '--key', key, '--use', 'seal', '--object', 'backups/ada']
    const text = (await ok(mint)).stdout.trim()
    const sealed = await ok(['seal', desk.path('f')], { env: { NOISECAP: text } })
    expectNoSecret(sealed, text)
    const open = ['open', desk.path('f.sealed'), '--key', key, '--force', '-o', desk.path('out')]
    expect((await ok([...open, '--object', 'backups/ada'])).stderr).toContain('a capability for backups/ada')
    expect((await run([...open, '--object', 'other'])).exitCode).toBe(1)
    await ok(['revoke', '--key', key, '--create'], { stdin: text })
    const revoked = await run([...open, '--json'])
    expect(JSON.parse(revoked.stderr)).toMatchObject({ error: { code: 'seal/revoked' } })
    const other = (await ok(['mint', '--key', key, '--object', 'x'])).stdout.trim()
    expect((await run(['seal', desk.path('f')], { env: { NOISECAP: other } })).exitCode).toBe(1)
  })

  test('context, ranges and a log', async () => {
    await sealF('--context', 'monday')
    expect((await openF()).exitCode).toBe(1)
    expect((await openF('--context', 'monday')).exitCode).toBe(0)
    const part = [
      'open',
      desk.path('f.sealed'),
      '--key',
      desk.path('reader.key'),
      '--context',
      'monday',
      '-o',
      '-',
    ]
    await ok([...part, '--range', '65530-65540'])
    expect(desk.bytes).toEqual(plain.subarray(65_530, 65_541))
    await ok([...part, '--range', '2199990-'])
    expect(desk.bytes).toEqual(plain.subarray(2_199_990))
    for (const wrong of ['5', '5-4', '-5', 'a-b', '1e3-2000'])
      expectOneError(await run([...part, '--range', wrong]))

    const append = ['seal', '--append', '-o', desk.path('log'), '-r', readerKey]
    for (const line of ['one\n', 'two\n', 'three\n']) await ok(append, { stdin: line })
    const log = ['open', desk.path('log'), '--key', desk.path('reader.key'), '-o', '-']
    await ok([...log, '--log'])
    expect(desk.bytes.toString()).toBe('one\ntwo\nthree\n')
    const single = await run(log)
    expect(single.exitCode).toBe(2)
    expect(single.stderr).toContain('--log')
    await ok(['open', '--log', '--key', desk.path('reader.key')], { stdin: await readFile(desk.path('log')) })
    expect(desk.bytes.toString()).toBe('one\ntwo\nthree\n')
  })
})

describe('refused, and nothing is lost or left', () => {
  test('an output that exists, without --force', async () => {
    await sealF()
    const before = await readFile(desk.path('f.sealed'))
    const again = await run(['seal', desk.path('f'), '-r', readerKey])
    expectOneError(again)
    expect(again).toMatchObject({ exitCode: 2 })
    expect(await readFile(desk.path('f.sealed'))).toEqual(before)
    const over = await run(['open', desk.path('f.sealed'), '--key', desk.path('reader.key')])
    expect(over.stderr).toContain('it exists')
  })

  test.each(['missing', 'truncated', 'altered', 'wrong key', 'wrong context', 'plain'])(
    '%s',
    async (what) => {
      await sealF()
      const path = desk.path('f.sealed')
      const sealed = await readFile(path)
      await writeFile(desk.path('out'), 'the original')
      if (what === 'truncated') await truncate(path, 2_100_000)
      if (what === 'altered') {
        sealed[2_100_000]! ^= 1
        await writeFile(path, sealed)
      }
      if (what === 'plain') await writeFile(path, 'plain text')
      const key = desk.path(what === 'wrong key' ? 'writer.key' : 'reader.key')
      const input = what === 'missing' ? desk.path('none.sealed') : path
      const context = what === 'wrong context' ? ['--context', 'x'] : []
      const outcome = await run(['open', input, '--key', key, '--force', '-o', desk.path('out'), ...context])
      expectOneError(outcome)
      expect(outcome.exitCode).toBe(['missing', 'plain'].includes(what) ? 2 : 1)
      expect(await readFile(desk.path('out'), 'utf8')).toBe('the original')
    },
  )

  test('the user stops: no output', async () => {
    const stopped = await run(['seal', desk.path('f'), '-r', readerKey], { stop: AbortSignal.abort() })
    expect(stopped.exitCode).toBe(1)
    expect(await readdir(desk.directory)).not.toContain('f.sealed')
  })

  test('the user stops while nothing comes in, or as the input ends: no output', async () => {
    const out = desk.path('piped')
    for (const atEnd of [false, true]) {
      const child = desk.spawn(['seal', '-r', readerKey, '-o', out])
      let stderr = ''
      child.stderr?.on('data', (chunk) => {
        stderr += String(chunk)
      })
      child.stdin?.on('error', () => undefined) // it may be gone before all is written
      child.stdin?.write(plain)
      await vi.waitUntil(async () => {
        const names = await readdir(desk.directory)
        return names.some((name) => name.endsWith('.tmp'))
      }, 20_000)
      child.kill('SIGINT')
      if (atEnd) child.stdin?.end()
      const [exitCode] = await once(child, 'close')
      expect({ exitCode, stderr }).toMatchObject({
        exitCode: 1,
        stderr: expect.stringContaining('Stopped before the end'),
      })
      expect((await readdir(desk.directory)).filter((name) => name.includes('piped'))).toEqual([])
    }
  })

  test('a directory that is not there is named as the user named it', async () => {
    const outcome = await run(['seal', desk.path('f'), '-r', readerKey, '-o', desk.path('none/out')])
    expect(outcome).toMatchObject({ exitCode: 2 })
    expect(outcome.stderr).toContain(`Cannot write ${desk.path('none/out')}: no such file or directory`)
  })

  test('a full disk: the file, why, and no other error', async () => {
    const { exitCode, stderr } = await run([
      'seal',
      desk.path('f'),
      '-r',
      readerKey,
      '--force',
      '-o',
      '/dev/full',
    ])
    expect(exitCode).toBe(1)
    expect(stderr).toBe('error: Cannot write /dev/full: no space is left there\n')
  })

  test('with --force, a sealing that stops: what was there stays, and so does the input', async () => {
    await sealF()
    const before = await readFile(desk.path('f.sealed'))
    const again = ['seal', desk.path('f'), '-r', readerKey, '--force']
    expect((await run(again, { stop: AbortSignal.abort() })).exitCode).toBe(1)
    expect(Buffer.compare(await readFile(desk.path('f.sealed')), before)).toBe(0)
    expect(Buffer.compare(await readFile(desk.path('f')), plain)).toBe(0)
    expect((await readdir(desk.directory)).filter((name) => name.endsWith('.tmp'))).toEqual([])
  })

  test('an append that fails leaves the log as it was, or none', async () => {
    const append = ['seal', desk.path('f'), '--append', '-o', desk.path('log'), '-r', readerKey]
    const stopped = await run(append, { stop: AbortSignal.abort() })
    expect(stopped).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('Stopped before the end') })
    expect(await readdir(desk.directory)).not.toContain('log')
    await ok(append)
    const before = await readFile(desk.path('log'))
    expect((await run(append, { stop: AbortSignal.abort() })).exitCode).toBe(1)
    expect(Buffer.compare(await readFile(desk.path('log')), before)).toBe(0)
    await truncate(desk.path('log'), before.length - 1)
    expect((await run(append)).exitCode).not.toBe(0)
  })

  test('misuse: no reader, two kinds of them, a key that is none, a terminal, X without a key', async () => {
    const f = desk.path('f')
    for (const argv of [
      ['seal', f],
      ['seal', f, '-r', 'nonsense'],
      ['seal', f, '-r', readerKey, '-r', 'noisecap://x#y'],
      ['seal', f, '-r', readerKey, '--pattern', 'X'],
      ['seal', f, '-r', readerKey, '--append'],
      ['open', f, '--key', desk.path('reader.key')],
      ['open', '--range', '0-9', '--key', desk.path('reader.key')],
      ['rewrap', f, '--key', desk.path('reader.key'), '-r', writerKey],
      ['rewrap', f, '--key', desk.path('reader.key'), '--in-place'],
      ['seal', desk.directory, '-r', readerKey],
    ])
      expect((await run(argv)).exitCode, argv.join(' ')).toBe(2)
    expect((await run(['seal', '-r', readerKey], { stdin: 'x', toTerminal: true })).exitCode).toBe(2)
  })

  test('rewrapping what proves its writer', async () => {
    await sealF('--key', desk.path('writer.key'))
    const before = await readFile(desk.path('f.sealed'))
    const argv = [
      'rewrap',
      desk.path('f.sealed'),
      '--key',
      desk.path('reader.key'),
      '-r',
      writerKey,
      '--in-place',
    ]
    expect((await run(argv)).stderr).toContain('pattern N')
    expect(Buffer.compare(await readFile(desk.path('f.sealed')), before)).toBe(0)
  })
})

describe('inspect', () => {
  const inspectJson = async (path: string, ...options: string[]) =>
    JSON.parse((await ok(['inspect', desk.path(path), '--json', ...options])).stdout)

  test('hints, pattern, chunks; with a key, which hint fits; never content', async () => {
    await writeFile(desk.path('f'), 'canary-content'.repeat(10_000))
    await sealF('-r', writerKey)
    const { stdout } = await ok(['inspect', desk.path('f.sealed')])
    expect(stdout).toMatch(/pattern {2}N/)
    expect(stdout).toMatch(/chunks {3}3 of 64.0 KiB/)
    expect(stdout).not.toContain('canary')
    const described = await inspectJson('f.sealed', '--key', desk.path('writer.key'))
    expect(described).toMatchObject({
      form: 'stream',
      segments: [{ chunks: 3, contentBytes: 140_000, complete: true }],
    })
    const fits = described.segments[0].readers.map((reader: { fits: boolean }) => reader.fits)
    expect(fits).toEqual([false, true])
  })

  test('a log, and one that was cut short', async () => {
    const append = ['seal', '--append', '-o', desk.path('log'), '-r', readerKey]
    for (const stdin of [plain.subarray(0, 70_000), 'two', 'three']) await ok(append, { stdin })
    const whole = await inspectJson('log')
    const sizes = (segments: readonly { contentBytes: number; complete: boolean }[]) =>
      segments.map(({ contentBytes, complete }) => [contentBytes, complete])
    expect(sizes(whole.segments)).toEqual([
      [70_000, true],
      [3, true],
      [5, true],
    ])
    await truncate(desk.path('log'), (await stat(desk.path('log'))).size - 1)
    expect(sizes((await inspectJson('log')).segments).at(-1)).toEqual([5, false])
    expect((await ok(['inspect', desk.path('log')])).stdout).toContain('cut short')
  })
})
