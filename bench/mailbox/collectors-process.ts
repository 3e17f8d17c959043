// A process of the row of waiting collectors: the relay, or clients that open boxes and wait at them, each over a session of its own.
import { Capability, connect, generateKeyPair, Service } from 'noisecap'
import { CollectInterface, memoryMailboxStore, Relay, RelayClient } from 'noisecap/mailbox'
import { type Memory, memoryInUse } from '../suite/memory.js'
import { obey } from '../suite/orders.js'

/** What a parent may ask. */
export type CollectorsOrder =
  | { readonly do: 'serve' }
  | { readonly do: 'memory' }
  | { readonly do: 'wait'; readonly opener: string; readonly collectors: number }

/** What the relay's process weighs, and how many wait at it. */
export interface CollectorsMemory extends Memory {
  readonly watched: number
}

/** Handshakes that a client keeps going at once. */
const AT_ONCE = 32
const WAIT_MS = 300_000

let watched = 0
const kept: unknown[] = []

async function serve(): Promise<string> {
  const service = Service.create(undefined, { announcers: [] })
  const store = memoryMailboxStore()
  const watch = store.watch.bind(store)
  store.watch = (box, heard) => {
    const stop = watch(box, heard)
    watched += 1
    return () => {
      watched -= 1
      stop()
    }
  }
  const relay = new Relay(service, store)
  kept.push(relay)
  const location = await service.listen('tcp://127.0.0.1:0')
  return relay.boxes.mint({}, { at: [location] }).export()
}

async function wait(opener: string, collectors: number): Promise<number> {
  const client = new RelayClient(Capability.parse(opener), { connect })
  kept.push(client)
  const { publicKey } = generateKeyPair()
  let left = collectors
  const worker = async (): Promise<void> => {
    while (left > 0) {
      const id = left--
      const { collect } = await client.openBox({ to: publicKey })
      const options = { resolvers: [], partition: `${kept.length} ${id}`, timeoutMs: 60_000 }
      const stub = await connect(collect.capability, CollectInterface, options)
      await stub.stat()
      const asked = { consumer: new Uint8Array(8), leaseMs: 30_000, maxMessages: 1, waitMs: WAIT_MS }
      // The relay ends before they do.
      stub.receive(asked, { timeoutMs: WAIT_MS }).catch(() => {})
      kept.push(stub)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  return kept.length
}

obey((asked: CollectorsOrder): Promise<unknown> => {
  switch (asked.do) {
    case 'serve':
      return serve()
    case 'memory':
      return memoryInUse().then((memory) => ({ ...memory, watched }))
    case 'wait':
      return wait(asked.opener, asked.collectors)
  }
})
