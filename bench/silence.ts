// Whether time tells the silent cases of a service apart (spec/session.md §5): `npx tsx bench/silence.ts`. A statistic, no test.
// 1. CPU time of the service for each case, without sockets: what somebody on the same machine could at best measure.
// 2. Over TCP, how long until the connection closes and whether a byte came: what everybody sees who waits.
// 3. Over TCP, the same when the peer sends its end of stream right behind the hello: we must not let go of it sooner.
// A wrong mac1 is cheap by design: it says that the public key is not known. The others are compared with `failed AEAD`.
import { connect } from 'node:net'
import { Admission, acceptSession } from '../src/session/index.js'
import { ServerHandshake } from '../src/session/server-handshake.js'
import { listenTcp } from '../src/transport/tcp.js'
import { refuse } from './session/hello-row.js'
import { framed, HelloTarget, SILENT_CASES, type SilentCase } from './session/hellos.js'
import { circumstances } from './suite/report.js'
import { median } from './suite/rounds.js'

const CPU_SAMPLES = 4_000
const WAIT_SAMPLES = 400
/** Shorter than the 5 s of a service, so that there can be many samples; the timer is the same. */
const DEADLINE_MS = 100
const AT_ONCE = 20
const REFERENCE: SilentCase = 'failed AEAD'

type Samples = Record<SilentCase, number[]>

const target = new HelloTarget()
const admission = new Admission()
const frames = Object.fromEntries(SILENT_CASES.map((which) => [which, frameOf(which)])) as Record<
  SilentCase,
  Uint8Array
> // one for each case

function frameOf(which: SilentCase): Uint8Array {
  const hello = target.silent(which)
  if (which === 'repeated e') {
    // Answered once before, so that its ephemeral is known.
    const handshake = new ServerHandshake([target.identity], admission.seen)
    const question = handshake.receive(hello, { nowSeconds: Date.now() / 1_000 })
    const verdict = question && target.verifier(question)
    if (verdict === undefined) throw new Error('Cannot prepare a repeated e: the hello was refused')
    handshake.answer(verdict.answer)
  }
  return framed(hello)
}

/** Samples of every case, taken in a new random order each time. */
async function sample(
  count: number,
  warmups: number,
  take: (which: SilentCase) => number | Promise<number>,
): Promise<Samples> {
  const samples = Object.fromEntries(SILENT_CASES.map((which): [string, number[]] => [which, []])) as Samples
  for (let i = -warmups; i < count; i++) {
    for (const which of shuffled(SILENT_CASES)) {
      const value = await take(which)
      if (i >= 0) samples[which].push(value)
    }
  }
  return samples
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, order: Math.random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ item }) => item)
}

function cpuMicros(which: SilentCase): number {
  const frame = Uint8Array.from(frames[which]) // opened in place
  const began = process.hrtime.bigint()
  refuse(target, admission, frame)
  return Number(process.hrtime.bigint() - began) / 1_000
}

/** µs from the hello to the end of the connection. */
function closeMicros(port: number, which: SilentCase, hangUp: boolean): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
    let began = 0n
    socket.once('connect', () => {
      began = process.hrtime.bigint()
      if (hangUp) socket.end(frames[which])
      else socket.write(frames[which])
    })
    socket.on('data', () => reject(new Error(`A byte came for ${which}`)))
    socket.on('error', () => {})
    socket.on('end', () => socket.end())
    socket.once('close', () => resolve(Number(process.hrtime.bigint() - began) / 1_000))
  })
}

function spread(values: readonly number[]): number {
  const middle = median(values)
  return median(values.map((value) => Math.abs(value - middle)))
}

/** Welch's t of the values below the 95th percentile of both together, as dudect crops what the machine adds. */
function welch(a: readonly number[], b: readonly number[]): number {
  const cut = [...a, ...b].sort((x, y) => x - y)[Math.floor((a.length + b.length) * 0.95)] ?? 0
  const [one, other] = [a, b].map((values) => moments(values.filter((value) => value < cut)))
  if (one === undefined || other === undefined) return Number.NaN
  return (one.mean - other.mean) / Math.sqrt(one.variance / one.count + other.variance / other.count)
}

function moments(values: readonly number[]): { mean: number; variance: number; count: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1)
  return { mean, variance, count: values.length }
}

/** How often a value of `a` is larger than one of `b`: 0.5 when they are alike (Mann–Whitney U, as a share). */
function largerShare(a: readonly number[], b: readonly number[]): number {
  const ranked = [...a.map((value) => ({ value, of: 1 })), ...b.map((value) => ({ value, of: 0 }))].sort(
    (x, y) => x.value - y.value,
  )
  let below = 0
  let sum = 0
  for (const { of } of ranked) {
    if (of === 1) sum += below
    else below += 1
  }
  return sum / (a.length * b.length)
}

function report(title: string, samples: Samples): void {
  const reference = samples[REFERENCE]
  console.log(`\n${title}; ${reference.length} samples each, µs`)
  console.log('| case | median | MAD | median − that of failed AEAD | within the MAD | larger share | t |')
  console.log('| --- | --- | --- | --- | --- | --- | --- |')
  for (const which of SILENT_CASES) {
    const values = samples[which]
    const difference = median(values) - median(reference)
    const noise = Math.max(spread(values), spread(reference))
    const cells = [which, median(values).toFixed(1), spread(values).toFixed(1)]
    if (which === REFERENCE) cells.push('', '', '', '')
    else {
      cells.push(difference.toFixed(1), Math.abs(difference) <= noise ? 'yes' : 'NO')
      cells.push(largerShare(values, reference).toFixed(3), welch(values, reference).toFixed(1))
    }
    console.log(`| ${cells.join(' | ')} |`)
  }
}

console.log(circumstances())
report('1. CPU time of the service, without sockets', await sample(CPU_SAMPLES, 500, cpuMicros))
const listener = await listenTcp('tcp://127.0.0.1:0', (pipe) => {
  acceptSession(pipe, {
    services: [target.identity],
    verifier: target.verifier,
    admission,
    accepted: () => console.log('Accepted a hello that should meet silence'),
    handshakeDeadlineMs: DEADLINE_MS,
  })
})
const port = Number(new URL(listener.location).port)
// Many at once, since each waits for the deadline: so a batch of all cases at a time, in random order.
async function waiting(hangUp: boolean): Promise<Samples> {
  const samples = Object.fromEntries(SILENT_CASES.map((which): [string, number[]] => [which, []])) as Samples
  for (let i = 0; i < WAIT_SAMPLES; i += AT_ONCE) {
    const batch = shuffled(SILENT_CASES.flatMap((which) => Array<SilentCase>(AT_ONCE).fill(which)))
    const times = await Promise.all(batch.map((which) => closeMicros(port, which, hangUp)))
    for (const [index, which] of batch.entries()) samples[which].push(times[index] ?? Number.NaN)
  }
  return samples
}
report(`2. Over TCP, hello to close at the deadline of ${DEADLINE_MS} ms`, await waiting(false))
report('3. The same with the end of stream right behind the hello', await waiting(true))
await listener.close()
