// A process of the row of idle sessions: the service, or clients that open sessions and leave them idle.
import { Capability, connect, iface, method, Service } from 'noisecap'
import { type Memory, memoryInUse } from '../suite/memory.js'
import { obey } from '../suite/orders.js'

/** What a parent may ask. */
export type IdleOrder =
  | { readonly do: 'serve' }
  | { readonly do: 'memory' }
  | { readonly do: 'open'; readonly address: string; readonly sessions: number }

/** What the service's process weighs, and how many sessions it has. */
export interface IdleMemory extends Memory {
  readonly openSessions: number
}

/** Handshakes that a client keeps going at once. */
const AT_ONCE = 32

const Echo = iface('Echo', { echo: method<number, number>() })
let service: Service | undefined
/** Never let go of: a stub that nobody holds would be closed. */
const stubs: unknown[] = []

async function serve(): Promise<string> {
  service = Service.create(undefined, { announcers: [] })
  const offer = service.offer('echo', Echo, () => ({ echo: (value) => value }))
  const location = await service.listen('tcp://127.0.0.1:0')
  return offer.mint({}, { at: [location] }).export()
}

async function memory(): Promise<IdleMemory> {
  return { ...(await memoryInUse()), openSessions: service?.openSessions ?? 0 }
}

/** Open sessions, each of which has answered one call. */
async function open(address: string, sessions: number): Promise<number> {
  const capability = Capability.parse(address)
  let left = sessions
  const worker = async (): Promise<void> => {
    while (left > 0) {
      const id = left--
      // A partition of its own: otherwise all would share one session.
      const partition = `${process.pid} ${stubs.length} ${id}`
      const stub = await connect(capability, Echo, { resolvers: [], partition, timeoutMs: 60_000 })
      if ((await stub.echo(id)) !== id) throw new Error('Cannot count idle sessions: the answer is wrong')
      stubs.push(stub)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  return stubs.length
}

obey((asked: IdleOrder): Promise<unknown> => {
  switch (asked.do) {
    case 'serve':
      return serve()
    case 'memory':
      return memory()
    case 'open':
      return open(asked.address, asked.sessions)
  }
})
