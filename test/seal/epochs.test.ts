// Epochs end at their bounds, and no key ever meets a position twice: not after a bound, a failure, a clock jump or a copy of
// the process, and not between processes and threads, which are real ones here.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { hexEncode } from '../../src/bytes.js'
import { SEAL_CLOCK_JUMP_MS, SEAL_EPOCH_MAX_VALUES } from '../../src/limits.js'
import {
  bytes,
  Column,
  openStream,
  SealReader,
  SealWriter,
  type SealWriterOptions,
  type Surroundings,
  sealStream,
  streamSealer,
} from '../../src/seal/index.js'
import { COMPACT_OFFSET } from '../../src/seal/layout.js'
import { Recipients } from '../../src/seal/recipients.js'
import { WriterEpoch } from '../../src/seal/writer-epoch.js'
import { ACCEPT, codeOf, email, reader } from './parties.js'
import { collect } from './stream-parts.js'

const used = (sealed: Uint8Array) =>
  hexEncode(sealed.subarray(COMPACT_OFFSET.epochId, COMPACT_OFFSET.ciphertext))
const epochOf = (sealed: Uint8Array) => used(sealed).slice(0, 32)
const positionOf = (sealed: Uint8Array) => Number.parseInt(used(sealed).slice(32), 16)
const writerWith = (options: Partial<SealWriterOptions> = {}) =>
  new SealWriter({ to: reader.publicKey, onEpoch: () => {}, ...options })

/** Surroundings whose clocks and process id a test sets. */
function settable() {
  const state = { wallMs: 1e12, monotonicMs: 5_000, processId: 1 as number | undefined }
  const surroundings: Surroundings = {
    wallMs: () => state.wallMs,
    monotonicMs: () => state.monotonicMs,
    processId: () => state.processId,
  }
  const pass = (ms: number) => {
    state.wallMs += ms
    state.monotonicMs += ms
  }
  return { state, surroundings, pass }
}

describe('bounds', () => {
  test('positions count up within an epoch', () => {
    const writer = writerWith()
    const sealed = [1, 2, 3].map((row) => writer.seal('x', email.at(row)))
    expect(new Set(sealed.map(epochOf)).size).toBe(1)
    expect(sealed.map(positionOf)).toEqual([0, 1, 2])
  })

  test('values: the next one begins an epoch, and its header comes first', () => {
    const headers: string[] = []
    const writer = writerWith({ epoch: { maxValues: 2 }, onEpoch: ({ id }) => headers.push(hexEncode(id)) })
    const sealed = [1, 2, 3, 4, 5].map((row) => writer.seal('x', email.at(row)))
    expect(sealed.map(positionOf)).toEqual([0, 1, 0, 1, 0])
    expect(headers).toEqual([0, 2, 4].map((i) => epochOf(sealed[i]!)))
  })

  test('the count of the format is the most that can be asked for', () => {
    for (const maxValues of [0, -1, Number.NaN, SEAL_EPOCH_MAX_VALUES + 1]) {
      expect(codeOf(() => writerWith({ epoch: { maxValues } }))).toBe('RangeError')
    }
    expect(SEAL_EPOCH_MAX_VALUES).toBe(2 ** 20)
  })

  test('bytes: the value that reaches the bound is the last', () => {
    const blob = new Column({ table: 't', column: 'c', codec: bytes })
    const writer = writerWith({ epoch: { maxBytes: 1_000 } })
    const sealed = [600, 600, 1].map((length) => writer.seal(new Uint8Array(length), blob.at(1)))
    expect(sealed.map(positionOf)).toEqual([0, 1, 0])
  })

  test('minutes', () => {
    const { surroundings, pass } = settable()
    const writer = writerWith({ epoch: { maxMinutes: 2 }, surroundings })
    const first = writer.seal('x', email.at(1))
    pass(119_999)
    expect(epochOf(writer.seal('x', email.at(2)))).toBe(epochOf(first))
    pass(1)
    expect(epochOf(writer.seal('x', email.at(3)))).not.toBe(epochOf(first))
  })
})

describe('the key is wiped at the bound, and not only when the next value comes', () => {
  const wiped = vi.spyOn(WriterEpoch.prototype, Symbol.dispose)
  beforeEach(() => {
    wiped.mockClear()
  })
  const blob = new Column({ table: 't', column: 'c', codec: bytes })

  test.each([
    ['values', { maxValues: 2 }],
    ['bytes', { maxBytes: 1_000 }],
  ])('%s', (_name, epoch) => {
    const writer = writerWith({ epoch })
    writer.seal(new Uint8Array(500), blob.at(1))
    expect(wiped).toHaveBeenCalledTimes(0)
    writer.seal(new Uint8Array(500), blob.at(2))
    expect(wiped).toHaveBeenCalledTimes(1)
  })

  test('a stream that is the last of its epoch, whose own key goes on', async () => {
    const writer = writerWith({ epoch: { maxValues: 1 } })
    const sealed = sealStream([new Uint8Array(10)], writer)
    expect(wiped).toHaveBeenCalledTimes(1)
    const opening = new SealReader({ keys: reader, accept: [ACCEPT.N] })
    expect(await collect(await openStream(await collect(sealed), opening))).toEqual(new Uint8Array(10))
  })

  test('minutes, by a writer that nobody uses any more', async () => {
    const writer = writerWith({ epoch: { maxMinutes: 0.001 } })
    const before = writer.seal('x', email.at(1))
    for (let i = 0; i < 100 && wiped.mock.calls.length === 0; i++) await sleep(20)
    expect(wiped).toHaveBeenCalledTimes(1)
    const after = writer.seal('x', email.at(1))
    expect(epochOf(after)).not.toBe(epochOf(before))
    writer[Symbol.dispose]()
  })

  test('a wiped epoch takes no position', () => {
    const epoch = new WriterEpoch(new Recipients(reader.publicKey, { pattern: 'N' }), 10, 1_000)
    expect(epoch.take(1)).toBe(0)
    epoch[Symbol.dispose]()
    expect(epoch.open).toBe(false)
    expect(codeOf(() => epoch.take(1))).toBe('RangeError')
    expect(codeOf(() => epoch.encrypt(0, new Uint8Array(0), new Uint8Array(1), new Uint8Array(17)))).toBe(
      'TypeError',
    )
  })
})

describe('never the same key and position twice', () => {
  const CHANGES: readonly [string, (state: ReturnType<typeof settable>['state']) => void][] = [
    ['the wall clock jumps ahead, as after a restored snapshot', (s) => (s.wallMs += SEAL_CLOCK_JUMP_MS)],
    ['the wall clock jumps back', (s) => (s.wallMs -= SEAL_CLOCK_JUMP_MS)],
    ['the monotonic clock goes back, as in a restored process', (s) => (s.monotonicMs -= 1)],
    ['a clock fails', (s) => (s.wallMs = Number.NaN)],
    ['another process id, as after a fork', (s) => (s.processId = 2)],
    ['a process id that is gone', (s) => (s.processId = undefined)],
  ]
  test.each(CHANGES)('%s: a new epoch', (_name, change) => {
    const { state, surroundings } = settable()
    const writer = writerWith({ surroundings })
    const before = writer.seal('x', email.at(1))
    change(state)
    const after = writer.seal('x', email.at(1))
    expect(epochOf(after)).not.toBe(epochOf(before))
    expect(positionOf(after)).toBe(0)
  })

  test('a value that fails takes no position, or takes it for good', () => {
    const writer = writerWith()
    const seen = [writer.seal('x', email.at(1))]
    for (const row of [1.5, 'r'.repeat(5_000)])
      expect(codeOf(() => writer.seal('x', email.at(row)))).not.toBe('none')
    expect(codeOf(() => writer.seal('\ud800', email.at(1)))).toBe('TypeError')
    seen.push(writer.seal('y', email.at(1)))
    expect(new Set(seen.map(used)).size).toBe(2)
  })

  test('a header that could not be stored: the value is not sealed and its epoch never used', () => {
    const announced: string[] = []
    let fails = true
    const writer = writerWith({
      onEpoch: ({ id }) => {
        announced.push(hexEncode(id))
        if (fails) throw new Error('disk full')
      },
    })
    expect(() => writer.seal('x', email.at(1))).toThrow('disk full')
    fails = false
    expect(epochOf(writer.seal('x', email.at(1)))).toBe(announced[1])
    expect(announced[0]).not.toBe(announced[1])
  })

  test('a codec that seals with the same writer, and onEpoch that tries to', () => {
    const writer = writerWith()
    const seen: Uint8Array[] = []
    const nested = new Column<string>({
      table: 't',
      column: 'c',
      codec: {
        content: 'text',
        encode(value) {
          seen.push(writer.seal('inner', email.at(1)))
          return value
        },
        decode: String,
      },
    })
    seen.push(writer.seal('outer', nested.at(1)))
    expect(new Set(seen.map(used)).size).toBe(2)
    const looping: SealWriter = writerWith({ onEpoch: () => looping.seal('x', email.at(1)) })
    expect(codeOf(() => looping.seal('x', email.at(1)))).toBe('TypeError')
  })

  test('two writers with the same options share nothing', () => {
    const sealed = [writerWith(), writerWith()].map((writer) => writer.seal('x', email.at(1)))
    expect(epochOf(sealed[0]!)).not.toBe(epochOf(sealed[1]!))
  })

  test('a writer cannot be handed to another thread: its copy is empty', () => {
    const writer = writerWith()
    writer.seal('x', email.at(1))
    const copy = structuredClone(writer)
    expect(Object.keys(copy)).toEqual([])
    expect((copy as Partial<SealWriter>).seal).toBeUndefined()
  })

  test('processes that are killed and threads, with one reader key: all pairs differ', async () => {
    const child = () => inProcess('values', 200)
    const thread = () => inThread('values', 200)
    const writer = writerWith()
    const own = Array.from({ length: 200 }, (_, row) => used(writer.seal('x', email.at(row))))
    const pairs = [own, await child(), await child(), await thread(), await thread()]
    for (const each of pairs) expect(each).toHaveLength(200)
    expect(new Set(pairs.flat()).size).toBe(1_000)
  })
})

describe('streams', () => {
  test('forks and threads that begin while a stream runs, and are killed in the middle of theirs: no two chunks alike', async () => {
    // The same content everywhere: under one key, two chunks of one index would be the same bytes.
    const chunk = new Uint8Array(64).fill(7)
    const others: Promise<string[]>[] = []
    const source = async function* () {
      for (let i = 0; i < 100; i++) {
        yield chunk
        if (i === 20) others.push(inProcess('stream', 100), inProcess('stream', 100), inThread('stream', 100))
        if (i === 50) await Promise.all(others)
      }
    }
    const pieces: Uint8Array[] = []
    for await (const piece of sealStream(source(), writerWith(), { chunkBytes: 64 })) pieces.push(piece)
    const opening = new SealReader({ keys: reader, accept: [ACCEPT.N] })
    expect(await collect(await openStream(pieces, opening))).toEqual(new Uint8Array(6_400).fill(7))
    const all = [pieces.map(hexEncode), ...(await Promise.all(others))]
    for (const each of all) expect(each.length).toBeGreaterThan(99)
    expect(new Set(all.flat()).size).toBe(all.flat().length)
  })

  test('a stream cannot be handed to another thread: its copy is empty', () => {
    const sealer = streamSealer(writerWith())
    const copy: Partial<typeof sealer> = structuredClone(sealer)
    expect(copy.seal).toBeUndefined()
    expect(Object.keys(copy).sort()).toEqual(['chunkBytes', 'prelude'])
  })
})

const PROGRAM = fileURLToPath(new URL('sealing-process.ts', import.meta.url))
const EXEC_ARGV = ['--import', 'tsx']

/** What a process of its own reports, which is killed then. */
async function inProcess(what: 'values' | 'stream', count: number): Promise<string[]> {
  const started = fork(PROGRAM, [hexEncode(reader.publicKey), String(count), what], { execArgv: EXEC_ARGV })
  const [reported] = (await once(started, 'message')) as [string[]]
  started.kill('SIGKILL')
  await once(started, 'exit')
  return reported
}

/** What a thread of its own reports, which is ended then. */
async function inThread(what: 'values' | 'stream', count: number): Promise<string[]> {
  const started = new Worker(new URL(`data:text/javascript,${encodeURIComponent(threadOf(PROGRAM))}`), {
    workerData: [hexEncode(reader.publicKey), String(count), what],
    execArgv: EXEC_ARGV,
  })
  const [reported] = (await once(started, 'message')) as [string[]]
  await started.terminate()
  return reported
}

/** TypeScript in a thread: tsx registers itself there only when asked. */
function threadOf(program: string): string {
  const api = import.meta.resolve('tsx/esm/api')
  return `import { register } from ${JSON.stringify(api)}; register(); await import(${JSON.stringify(`file://${program}`)})`
}

test('an epoch that has ended stays readable', () => {
  const opening = new SealReader({ keys: reader, accept: [ACCEPT.N] })
  const writer = new SealWriter({ to: reader.publicKey, epoch: { maxValues: 1 } })
  const rows = [1, 2, 3].map((row) => writer.seal(`v${row}`, email.at(row)))
  expect(rows.map((row, i) => opening.open(row, email.at(i + 1)).value)).toEqual(['v1', 'v2', 'v3'])
})
