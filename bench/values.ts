// Values (spec/rpc.md §5): writing and reading a call-like object against bare cbor-x, which judges nothing, and what the
// worst inputs of 64 KiB and of a whole message cost. Run: npx tsx bench/values.ts
import { isDeepStrictEqual } from 'node:util'
import { Encoder } from 'cbor-x'
import { ByteSink } from '../src/rpc/byte-sink.js'
import { checkValue } from '../src/rpc/guard.js'
import { decodeValue, encodeValue, encodeValueInto } from '../src/rpc/values.js'

const call = { user: 'ada', limit: 50, cursor: 'c8f1d2', filter: { tag: 'noise', after: 17e11 }, deep: true }
const ROUNDS = 9
const CALLS = 100_000

/** The fast configuration that is nearest to ours. */
const bare = new Encoder({ useRecords: false, mapsAsObjects: true, variableMapSize: true })

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN
}

/** Median ns of one run of each, taken in turn so that all meet the same machine. */
function compare<Name extends string>(runs: Record<Name, () => unknown>): Record<Name, number> {
  const names = Object.keys(runs) as Name[] // the keys of `runs`
  const times = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>
  for (let round = 0; round < ROUNDS; round++) {
    for (const name of names) {
      const run = runs[name]
      const start = process.hrtime.bigint()
      for (let i = 0; i < CALLS; i++) run()
      times[name].push(Number(process.hrtime.bigint() - start) / CALLS)
    }
  }
  return Object.fromEntries(names.map((name) => [name, median(times[name])])) as Record<Name, number>
}

function benchCalls(): void {
  const bytes = encodeValue(call)
  const bareBytes = Uint8Array.from(bare.encode(call))
  if (!isDeepStrictEqual(decodeValue(bytes), call)) throw new Error('noisecap does not read what it wrote')
  if (!isDeepStrictEqual(bare.decode(bytes), call)) throw new Error('cbor-x reads something else')
  const sink = new ByteSink()
  const ns = compare({
    'guard alone': () => checkValue(bytes),
    'guard and read': () => decodeValue(bytes),
    'cbor-x decode': () => bare.decode(bareBytes),
    'write into a sink': () => {
      sink.length = 0
      encodeValueInto(sink, call)
    },
    'write to a new array': () => encodeValue(call),
    'cbor-x encode': () => bare.encode(call),
  })
  console.log(
    `A call-like object, ${bytes.length} bytes (cbor-x ${bareBytes.length}); median of ${ROUNDS}, ns:`,
  )
  for (const [name, time] of Object.entries(ns))
    console.log(`  ${name.padEnd(22)}${time.toFixed(0).padStart(6)}`)
  console.log(
    `  read, speed relative to bare cbor-x:  ${(ns['cbor-x decode'] / ns['guard and read']).toFixed(2)}`,
  )
  console.log(
    `  write, speed relative to bare cbor-x: ${(ns['cbor-x encode'] / ns['write into a sink']).toFixed(2)}`,
  )
}

const U16 = (n: number) => [n >> 8, n & 0xff]
const U32 = (n: number) => [0, n >> 16, (n >> 8) & 0xff, n & 0xff]

/** A map of `count` distinct keys of `length` bytes that differ at their end only, each with the value 0. */
function mapOf(count: number, length: number): number[] {
  const head = length < 24 ? [0x60 | length] : length < 256 ? [0x78, length] : [0x79, ...U16(length)]
  const out = [0xba, ...U32(count)]
  for (let i = 0; i < count; i++) {
    out.push(...head)
    for (let at = length - 1; at >= 0; at--) out.push(at < 4 ? 0x30 + (Math.floor(i / 26 ** at) % 26) : 0x61)
    out.push(0)
  }
  return out
}

/** As many of `item` in an array as fit into `size` bytes. */
function arrayOf(item: readonly number[], size: number): number[] {
  const count = Math.floor((size - 5) / item.length)
  return [0x9a, ...U32(count), ...Array.from({ length: count }, () => item).flat()]
}

/** Inputs of up to `size` bytes, each the worst for one part of the guard. */
function worstInputs(size: number): Record<string, number[]> {
  return {
    'array of small integers': arrayOf([0], size),
    'arrays of depth 31': arrayOf([...Array<number>(30).fill(0x81), 0x80], size),
    'one map, keys of 4 bytes': mapOf(Math.floor((size - 5) / 6), 4),
    'one map, keys of 256 bytes': mapOf(Math.floor((size - 5) / 260), 256),
    'maps of 16 keys of 4 bytes': arrayOf(mapOf(16, 4), size),
    'maps of 16 keys of 256 bytes': arrayOf(mapOf(16, 256), size),
    'maps of 17 keys of 4 bytes': arrayOf(mapOf(17, 4), size),
    'text of one byte each': arrayOf([0x61, 0x61], size),
    'text of 3-byte characters': [
      0x7a,
      ...U32(size - 7),
      ...Array.from({ length: (size - 7) / 3 }, () => [0xe6, 0xb0, 0xb4]).flat(),
    ],
    'bigints of 128 bytes': arrayOf([0xc2, 0x58, 128, ...Array<number>(128).fill(0xff)], size),
    'one bigint of all bytes': [0xc2, 0x5a, ...U32(size - 6), ...Array<number>(size - 6).fill(0xff)],
  }
}

function benchWorst(size: number): void {
  console.log(`Worst inputs of ${size} bytes; median of ${ROUNDS}, ms: guard alone, guard and read:`)
  for (const [name, input] of Object.entries(worstInputs(size))) {
    const bytes = Uint8Array.from(input)
    const problem = checkValue(bytes)
    const guard: number[] = []
    const both: number[] = []
    for (let round = 0; round < ROUNDS; round++) {
      const start = process.hrtime.bigint()
      checkValue(bytes)
      const between = process.hrtime.bigint()
      if (problem === undefined) decodeValue(bytes)
      guard.push(Number(between - start) / 1e6)
      both.push(Number(process.hrtime.bigint() - between) / 1e6)
    }
    const read = problem === undefined ? median(both).toFixed(2) : `refused: ${problem}`
    console.log(`  ${name.padEnd(30)}${median(guard).toFixed(2).padStart(7)}  ${read}`)
  }
}

console.log(`Node ${process.version}, ${process.arch}`)
benchCalls()
benchWorst(65_536)
benchWorst(1_048_576)
