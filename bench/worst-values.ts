// What the worst values cost, against the bar of 10 ms for 64 KiB: inputs that were thought of, and ones that a random
// search over kinds of items finds. CPU time of the process, so that other work on the machine does not count; garbage is
// collected before each run where `node --expose-gc` allows it. Part of bench/values.ts.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { VALUE_OBJECT_MEMBERS_MAX } from '../src/limits.js'
import { checkValue } from '../src/rpc/guard.js'
import { readValue } from '../src/rpc/value-reader.js'

const OBJECT_MAX = VALUE_OBJECT_MEMBERS_MAX
const BAR_MS = 10
const ROUNDS = 5
setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void // V8 gives it to new contexts once the flag is set

const U16 = (n: number) => [n >> 8, n & 0xff]
const U32 = (n: number) => [(n >>> 24) & 0xff, (n >> 16) & 0xff, (n >> 8) & 0xff, n & 0xff]
const many = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index))

const head = (major: number, n: number) =>
  n < 24
    ? [(major << 5) | n]
    : n < 256
      ? [(major << 5) | 24, n]
      : n < 65_536
        ? [(major << 5) | 25, ...U16(n)]
        : [(major << 5) | 26, ...U32(n)]
const text = (value: string) => [...head(3, Buffer.byteLength(value)), ...Buffer.from(value)]
const object = (keys: readonly number[][]) => [...head(5, keys.length), ...keys.flatMap((key) => [...key, 0])]
const set = (members: readonly number[][]) => [
  0xd9,
  0x01,
  0x02,
  ...head(4, members.length),
  ...members.flat(),
]
const map = (keys: readonly number[][]) => [0xd9, 0x01, 0x03, ...object(keys)]
const bigint = (magnitude: readonly number[]) => [0xc2, ...head(2, magnitude.length), ...magnitude]

let named = 0
/** A key that no value had before. */
const freshKey = () => text((1_679_616 + named++).toString(36).slice(1))
/** The same of three bytes, so that more fit. */
const shortKey = () => text((46_656 + named++).toString(36).slice(-3))
/** Objects within one another, each the last member of the one outside. */
function nested(depth: number, members: number): number[] {
  let inner = [0]
  for (let i = 0; i < depth; i++)
    inner = [
      ...head(5, members),
      ...many(members - 1, () => [...shortKey(), 0]).flat(),
      ...shortKey(),
      ...inner,
    ]
  return inner
}
/** A key of 256 bytes that differs from the others at its end only. */
const longKey = (index: number) => text(`${'a'.repeat(250)}${String(index).padStart(6, '0')}`)

/** As many items of `make` as fit into `size` bytes and the limit of items, each counted as `cost` items. */
function fill(size: number, cost: number, make: (index: number) => number[]): number[][] {
  const items: number[][] = []
  for (let length = 10, left = 65_535 - cost; left > 0; left -= cost) {
    const item = make(items.length)
    length += item.length
    if (length > size) break
    items.push(item)
  }
  return items
}

const arrayOf = (size: number, cost: number, make: (index: number) => number[]) => {
  const items = fill(size, cost, make)
  return [...head(4, items.length), ...items.flat()]
}

/** What V8 takes for the hash of a small integer in a Set or Map: no secret in it. Source: ComputeUnseededHash of V8. */
function hashInV8(integer: number): number {
  let hash = (~integer + (integer << 15)) | 0
  hash ^= hash >>> 12
  hash = (hash + (hash << 2)) | 0
  hash ^= hash >>> 4
  hash = Math.imul(hash, 2_057)
  return (hash ^ (hash >>> 16)) & 0x3fff_ffff
}

function collidingIntegers(count: number): number[][] {
  const found: number[][] = []
  for (let n = 65_536; found.length < count; n++)
    if ((hashInV8(n) & 0xfff) === 5) found.push([0x1a, ...U32(n)])
  return found
}

/** Bigints that are equal in their low 64 bits, which is all that V8 hashes. */
const collidingBigint = (index: number, bytes: number) =>
  bigint([128 | (index >> 8), index & 0xff, ...new Array<number>(bytes - 2).fill(7)])

/** Inputs of up to `size` bytes, each meant to be the worst for one part of the guard or the reader. */
function worstInputs(size: number): Record<string, () => number[]> {
  return {
    'small integers': () => arrayOf(size, 1, () => [0]),
    'empty arrays': () => arrayOf(size, 1, () => [0x80]),
    'empty objects': () => arrayOf(size, 1, () => [0xa0]),
    'empty byte strings': () => arrayOf(size, 1, () => [0x40]),
    'byte strings of one byte': () => arrayOf(size, 1, () => [0x41, 1]),
    'arrays of depth 31': () => arrayOf(size, 31, () => [...new Array<number>(30).fill(0x81), 0x80]),
    'objects of depth 31, new keys': () =>
      arrayOf(size, 61, () => [...many(30, () => [0xa1, ...freshKey()]).flat(), 0xa0]),
    'objects of 1 new key': () => arrayOf(size, 3, () => object([freshKey()])),
    'objects of 4 new keys': () => arrayOf(size, 9, () => object(many(4, freshKey))),
    'objects of 23 new keys': () => arrayOf(size, 47, () => object(many(23, freshKey))),
    'objects of new keys of 3 UTF-8 bytes': () =>
      arrayOf(size, 3, (i) => object([[0x63, 0xe2, 0x80 | ((i >> 6) & 63), 0x80 | (i & 63)]])),
    'objects of 430 new keys': () => arrayOf(size, 861, () => object(many(430, freshKey))),
    'objects of 2,048 new keys': () => arrayOf(size, 4_097, () => object(many(OBJECT_MAX, freshKey))),
    'objects of 2,048 new keys of 3 bytes': () =>
      arrayOf(size, 4_097, () => object(many(OBJECT_MAX, shortKey))),
    'objects of 65 new keys of 3 bytes': () => arrayOf(size, 131, () => object(many(65, shortKey))),
    'objects of 2,048 new keys, nested': () => nested(Math.min(6, size >> 13), OBJECT_MAX),
    'objects of 430 new keys, nested': () => nested(30, 430),
    'one object of 2,049 new keys': () => object(many(OBJECT_MAX + 1, freshKey)),
    'one object of keys of 256 bytes': () => object(fill(size - size / 256, 2, longKey).slice(0, OBJECT_MAX)),
    'objects of 16 keys of 256 bytes': () => arrayOf(size, 33, () => object(many(16, longKey))),
    'objects of 17 keys of 1 byte': () => arrayOf(size, 35, () => object(many(17, (i) => [0x61, 0x61 + i]))),
    'objects of indices': () => arrayOf(size, 3, (i) => object([text(String(100_000 + i * 65_536))])),
    'one Map of texts': () => map(fill(size / 1.2, 2, freshKey)),
    'one Map of texts that are indices': () =>
      map(fill(size / 1.2, 2, (i) => text(String((i + 20_000) * 65_536)))),
    'one Set of new texts': () => set(fill(size, 1, freshKey)),
    'empty Maps': () => arrayOf(size, 1, () => map([])),
    'Sets of null': () => arrayOf(size, 2, () => set([[0xf6]])),
    'one Set of 1,024 numbers that collide': () => set(collidingIntegers(1_024)),
    'one Map of 1,024 numbers that collide': () => map(collidingIntegers(1_024)),
    'one Set of 1,024 bigints that collide': () => set(many(1_024, (i) => collidingBigint(i, 11))),
    'one Set of bigints of 128 bytes that collide': () =>
      set(many(Math.min(1_024, size >> 8), (i) => collidingBigint(i, 128))),
    '1,025 numbers that collide': () => [...head(4, 2), ...set(collidingIntegers(1_025)), 0],
    'texts of one byte': () => arrayOf(size, 1, () => [0x61, 0x61]),
    'texts of one character of two bytes': () => arrayOf(size, 1, () => [0x62, 0xc3, 0xbc]),
    'texts of 25 bytes': () => arrayOf(size, 1, () => text('x'.repeat(25))),
    'one text of 3-byte characters': () => text('\u{6c34}'.repeat((size - 7) / 3)),
    'bigints of one byte': () => arrayOf(size, 1, () => bigint([5])),
    'bigints of 128 bytes': () => arrayOf(size, 1, () => bigint(new Array<number>(128).fill(0xff))),
    'bigints of eight bytes': () => arrayOf(size, 1, () => [0x1b, ...new Array<number>(8).fill(0xff)]),
    halves: () => arrayOf(size, 1, () => [0xf9, 0x3c, 1]),
    dates: () => arrayOf(size, 1, () => [0xd9, 0xca, 0xb0, 0]),
    'one bigint of all bytes': () => [0xc2, ...head(2, size - 6), ...new Array<number>(size - 6).fill(0xff)],
  }
}

/** CPU ms of `run`. */
function cost(run: () => void): number {
  const start = process.cpuUsage()
  run()
  const { user, system } = process.cpuUsage(start)
  return (user + system) / 1_000
}

interface Measured {
  readonly problem: string | undefined
  readonly guardMs: number
  readonly readMs: number
}

/** Least and so least disturbed of several runs; `make` anew for each, so that no key is known from the run before. */
function measure(make: () => number[], rounds = ROUNDS): Measured {
  let [problem, guardMs, readMs]: [string | undefined, number, number] = [undefined, Infinity, Infinity]
  for (let round = 0; round < rounds; round++) {
    const bytes = Uint8Array.from(make())
    collect()
    guardMs = Math.min(
      guardMs,
      cost(() => {
        problem = checkValue(bytes)
      }),
    )
    if (problem === undefined)
      readMs = Math.min(
        readMs,
        cost(() => readValue(bytes, 0)),
      )
  }
  return { problem, guardMs, readMs: problem === undefined ? readMs : 0 }
}

/** Print the cost of every input of {@link worstInputs}, and the worst. */
export function benchWorst(size: number): void {
  console.log(`Worst inputs of up to ${size} bytes; least of ${ROUNDS}, CPU ms: guard, reader:`)
  let worst = { name: '', ms: 0 }
  for (const [name, make] of Object.entries(worstInputs(size))) {
    const { problem, guardMs, readMs } = measure(make)
    const read = problem === undefined ? readMs.toFixed(2).padStart(7) : `refused: ${problem}`
    console.log(`  ${name.padEnd(46)}${guardMs.toFixed(2).padStart(7)}  ${read}`)
    if (guardMs + readMs > worst.ms) worst = { name, ms: guardMs + readMs }
  }
  const bar = size === 65_536 ? ` (bar ${BAR_MS} ms: ${worst.ms <= BAR_MS ? 'met' : 'MISSED'})` : ''
  console.log(`  the worst of them: ${worst.name}, ${worst.ms.toFixed(2)} ms${bar}`)
}

/** Kinds of items that a search mixes, from the random numbers it is given. */
const KINDS: readonly ((random: () => number) => number[])[] = [
  () => [0],
  () => [0x40],
  () => [0x80],
  () => [0xf9, 0x3c, 1],
  () => [0xc2, 0x41, 5],
  () => [0x62, 0xc3, 0xbc],
  () => map([[0xf6]]),
  (random) => object(many(1 + Math.floor(random() * 20), freshKey)),
  (random) =>
    object(many(1 + Math.floor(random() * 20), (i) => [0x62, 0x61 + i, 0x61 + Math.floor(random() * 26)])),
  (random) => set(many(Math.floor(random() * 30), freshKey)),
  (random) => bigint(new Array<number>(Math.floor(random() * 128)).fill(0xff)),
]

/** A small generator, so that a found input can be made again. */
function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
    return (state >>> 0) / 2 ** 32
  }
}

/** An input of `size` bytes whose mixture of kinds follows from `seed`. */
function mixture(seed: number, size: number): number[] {
  const random = randomOf(seed)
  const kinds = many(1 + Math.floor(random() * 3), () => KINDS[Math.floor(random() * KINDS.length)]!)
  const depth = Math.floor(random() * 3)
  const wrap = [[], [0x81], [0xd9, 0x01, 0x02, 0x81]][depth]!
  return arrayOf(size, 8, () => [...wrap, ...kinds[Math.floor(random() * kinds.length)]!(random)])
}

/** Try random mixtures and print the worst. */
export function searchWorst(size: number, tries = 60): void {
  const found = many(tries, (seed) => ({ seed, ...measure(() => mixture(seed, size), 2) }))
  const passed = found.filter(({ problem }) => problem === undefined)
  passed.sort((a, b) => b.guardMs + b.readMs - a.guardMs - a.readMs)
  console.log(
    `Random search, ${tries} mixtures of ${size} bytes, ${passed.length} of them values; the worst, measured again:`,
  )
  for (const { seed } of passed.slice(0, 3)) {
    const { guardMs, readMs } = measure(() => mixture(seed, size))
    const kinds = mixture(seed, size)
      .slice(3, 15)
      .map((byte) => byte.toString(16))
      .join(' ')
    console.log(`  seed ${seed} (${kinds} …): ${(guardMs + readMs).toFixed(2)} ms`)
  }
}
