// A client: `npx tsx examples/notes/client.ts [--key FILE] [--timeout MS] [--direct]`, then one command a line:
// connect CAPABILITY, list, add TEXT, watch (until refused), time, close. A capability is typed in rather than given as an
// argument, since the arguments of a process are for all users of the machine to see. `--key` logs in with a key, made if
// missing; `--direct` dials only where the capability itself says. Each command is answered with one line of JSON.
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { type ConnectOptions, connect, NoisecapError, type Stub } from 'noisecap'
import { openKeyPair } from 'noisecap/capability/files'
import { Notes, type NotesCalls } from './notes.js'

/** What a client answers to a command. */
export type ClientAnswer =
  | { readonly value: unknown }
  | { readonly connectMicroseconds: number; readonly callMicroseconds: number }
  | { readonly refused: string; readonly message: string }

const CONNECTS_TIMED = 50
const CALLS_TIMED = 1_000
const WATCH_INTERVAL_MS = 10

const { values } = parseArgs({
  options: { key: { type: 'string' }, timeout: { type: 'string' }, direct: { type: 'boolean' } },
})
const options: ConnectOptions = {
  key: values.key === undefined ? undefined : await openKeyPair(values.key),
  timeoutMs: values.timeout === undefined ? undefined : Number(values.timeout),
  resolvers: values.direct ? [] : undefined,
}
let capability = ''
let notes: Stub<NotesCalls> | undefined

for await (const line of createInterface({ input: process.stdin })) {
  const [, command = '', rest = ''] = /^(\S*)\s*(.*)$/.exec(line) ?? []
  console.log(JSON.stringify(await answer(command, rest)))
}
await notes?.[Symbol.asyncDispose]()

async function answer(command: string, rest: string): Promise<ClientAnswer> {
  try {
    return await run(command, rest)
  } catch (error) {
    if (!(error instanceof NoisecapError)) throw error
    return { refused: error.code, message: error.message }
  }
}

async function run(command: string, rest: string): Promise<ClientAnswer> {
  if (command === 'connect') {
    await notes?.[Symbol.asyncDispose]()
    capability = rest
    notes = await connect(capability, Notes, options)
    return { value: 'connected' }
  }
  if (notes === undefined) throw new Error('Connect first: connect CAPABILITY')
  if (command === 'list') return { value: await notes.list() }
  if (command === 'add') return { value: await notes.add({ text: rest }) }
  if (command === 'watch') return watch(notes)
  if (command === 'time') return time(notes)
  if (command !== 'close')
    throw new Error('Expected connect CAPABILITY, list, add TEXT, watch, time or close')
  await notes[Symbol.asyncDispose]()
  return { value: 'closed' }
}

/** Ask again and again until the service refuses for good. */
async function watch(connected: NotesCalls): Promise<never> {
  for (;;) {
    try {
      await connected.list()
    } catch (error) {
      // The connection may be lost before the reason is known; the next call learns it.
      if (error instanceof NoisecapError && error.code === 'rpc/disconnected') continue
      // A call that was under way when its capability ended has the reason as its cause.
      throw error instanceof NoisecapError && error.cause instanceof NoisecapError ? error.cause : error
    } finally {
      await new Promise((resolve) => setTimeout(resolve, WATCH_INTERVAL_MS))
    }
  }
}

async function time(connected: NotesCalls): Promise<ClientAnswer> {
  const connecting = () => connect(capability, Notes, options)
  const calling = () => connected.list().then(() => ({}))
  return {
    connectMicroseconds: await medianMicroseconds(CONNECTS_TIMED, connecting),
    callMicroseconds: await medianMicroseconds(CALLS_TIMED, calling),
  }
}

/** The median of `count` runs, one after another; what a run returns is disposed, untimed. */
async function medianMicroseconds(
  count: number,
  runOnce: () => Promise<Partial<AsyncDisposable>>,
): Promise<number> {
  const times: number[] = []
  for (let i = 0; i < count; i++) {
    const began = performance.now()
    const result = await runOnce()
    times.push((performance.now() - began) * 1_000)
    await result[Symbol.asyncDispose]?.()
  }
  return Math.round(times.sort((a, b) => a - b)[count >> 1] ?? Number.NaN)
}
