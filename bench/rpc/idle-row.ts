// What an idle session costs a service: 10,000 sessions of clients in other processes, each after one call; the memory of
// the service's process after a garbage collection, against the same process before them.
// Wants `ulimit -n` of 12,000; loopback is exempt from the limits by address. Leaves out the clients' memory.
import { BUILT, buildPackage } from '../suite/built.js'
import { order, startProcess } from '../suite/orders.js'
import type { Row } from '../suite/report.js'
import type { IdleMemory, IdleOrder } from './idle-process.js'

const SESSIONS = 10_000
const CLIENTS = 2
/** Before the first figure, so that what is compiled and allocated once is not counted. */
const WARMUP_SESSIONS = 200
const BAR_KIB = 64
const KIB = 1_024

export async function idleRow(): Promise<Row> {
  buildPackage()
  const program = new URL('idle-process.ts', import.meta.url)
  const options = { execArgv: [...process.execArgv, '--expose-gc'], env: { ...process.env, ...BUILT } }
  const children = Array.from({ length: 1 + CLIENTS }, () => startProcess(program, [], options))
  const [service, ...clients] = children
  if (service === undefined) throw new Error('Cannot count idle sessions: no service')
  const ask = <Result>(child: typeof service, asked: IdleOrder): Promise<Result> => order(child, asked)
  try {
    const address = await ask<string>(service, { do: 'serve' })
    const openEach = (sessions: number): Promise<unknown> =>
      Promise.all(clients.map((client) => ask(client, { do: 'open', address, sessions })))
    await openEach(WARMUP_SESSIONS / CLIENTS)
    const before = await ask<IdleMemory>(service, { do: 'memory' })
    await openEach(SESSIONS / CLIENTS)
    const after = await ask<IdleMemory>(service, { do: 'memory' })
    if (after.openSessions !== SESSIONS + WARMUP_SESSIONS)
      throw new Error(`Cannot count idle sessions: ${after.openSessions} are open`)
    const kib = (bytes: number): number => bytes / SESSIONS / KIB
    const resident = kib(after.resident - before.resident)
    return {
      what: `${SESSIONS.toLocaleString('en')} idle sessions, resident memory each`,
      ours: `${resident.toFixed(1)} KiB`,
      peer: `heap and buffers: ${kib(after.held - before.held).toFixed(1)} KiB`,
      ratio: undefined,
      bar: `≤ ${BAR_KIB} KiB`,
      met: resident <= BAR_KIB,
    }
  } finally {
    for (const child of children) child.disconnect()
  }
}
