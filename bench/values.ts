// Values (spec/rpc.md §5): writing and reading a call-like object against bare cbor-x, which judges nothing, and what the
// worst inputs of 64 KiB and of a whole message cost (worst-values.ts). Run: npx tsx bench/values.ts
import { isDeepStrictEqual } from 'node:util'
import { Encoder } from 'cbor-x'
import { ByteSink } from '../src/rpc/byte-sink.js'
import { checkValue } from '../src/rpc/guard.js'
import { decodeValue, encodeValue, encodeValueInto } from '../src/rpc/values.js'
import { benchWorst, searchWorst } from './worst-values.js'

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

console.log(`Node ${process.version}, ${process.arch}`)
benchCalls()
benchWorst(65_536)
benchWorst(1_048_576)
searchWorst(65_536)
