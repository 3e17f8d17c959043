// Unary calls over loopback TCP between two processes: sequential and with 1,024 outstanding (`npx tsx bench/calls.ts`).
// Prints medians of 9 rounds. Checks an answer before it times anything.
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { connect, iface, method, Service } from 'noisecap'
import { z } from 'zod'

const Echo = iface('Echo', {
  plain: method<{ id: number; text: string }, { id: number; text: string }>(),
  checked: method(
    z.object({ id: z.number(), text: z.string() }),
    z.object({ id: z.number(), text: z.string() }),
  ),
})

const ROUNDS = 9
const CALLS = 20_000
const OUTSTANDING = 1_024

async function serve(): Promise<void> {
  const service = Service.create(undefined, { announcers: [] })
  const echo = service.offer('echo', Echo, () => ({ plain: (value) => value, checked: (value) => value }))
  const location = await service.listen('tcp://127.0.0.1:0')
  process.send?.(echo.mint({}, { at: [location] }).export())
  process.on('disconnect', () => process.exit(0))
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

/** `CALLS` calls, `outstanding` at a time; calls a second. */
async function rate(
  call: (i: number) => Promise<unknown>,
  calls: number,
  outstanding: number,
): Promise<number> {
  let next = 0
  const began = performance.now()
  const worker = async (): Promise<void> => {
    while (next < calls) await call(next++)
  }
  await Promise.all(Array.from({ length: outstanding }, worker))
  return (calls / (performance.now() - began)) * 1_000
}

async function main(): Promise<void> {
  const child = fork(fileURLToPath(import.meta.url), ['serve'], { execArgv: process.execArgv })
  const text = await new Promise<string>((resolve) =>
    child.once('message', (message) => resolve(String(message))),
  )
  const connectMs: number[] = []
  for (let i = 0; i < ROUNDS; i++) {
    const began = performance.now()
    await using once = await connect(text, Echo, { resolvers: [] })
    await once.plain({ id: i, text: 'first' })
    connectMs.push(performance.now() - began)
  }
  await using echo = await connect(text, Echo, { resolvers: [] })
  const sample = await echo.checked({ id: 7, text: 'hello' })
  if (sample.id !== 7 || sample.text !== 'hello') throw new Error('wrong answer')
  const results = new Map<string, number[]>()
  const kinds: [string, (i: number) => Promise<unknown>, number, number][] = [
    ['plain, 1,024 outstanding, calls/s', (id) => echo.plain({ id, text: 'hello' }), CALLS * 3, OUTSTANDING],
    [
      'checked, 1,024 outstanding, calls/s',
      (id) => echo.checked({ id, text: 'hello' }),
      CALLS * 3,
      OUTSTANDING,
    ],
    ['plain, sequential, calls/s', (id) => echo.plain({ id, text: 'hello' }), CALLS / 10, 1],
  ]
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, call, calls, outstanding] of kinds) {
      results.set(name, [...(results.get(name) ?? []), await rate(call, calls, outstanding)])
    }
  }
  console.log(`connect and first answer: ${median(connectMs).toFixed(2)} ms`)
  for (const [name, rates] of results)
    console.log(`${name}: ${Math.round(median(rates)).toLocaleString('en')}`)
  child.disconnect()
}

await (process.argv[2] === 'serve' ? serve() : main())
