// A page with a mailbox: it does what the tests tell it by the functions of `globalThis.page`. What it was told to keep it goes on
// with after a reload, untold.
import { Capability } from 'noisecap'
import { BrowserStore } from 'noisecap/browser'
import {
  CollectAddress,
  DepositAddress,
  Inbox,
  IndexedDbOrderedStore,
  Outbox,
  RelayClient,
} from 'noisecap/mailbox/browser'
import { tell } from './tell.js'

interface Got {
  readonly value: unknown
  bytes: number | undefined
  sum: number
}

tell(async () => {
  const keys = await BrowserStore.open('keys')
  const store = await IndexedDbOrderedStore.open('mailbox')
  const key = await keys.keyPair('box')
  let outbox: Outbox | undefined
  const failed: unknown[] = []
  const got: Got[] = []
  const waitingForAck: (() => void)[] = []
  let holding = false
  const write = (address: string) => {
    outbox = new Outbox(store, DepositAddress.parse(address), {
      onFailed: ({ reason }) => failed.push(reason),
    })
  }
  const collect = (address: string) => {
    const inbox = new Inbox(CollectAddress.parse(address), key, undefined, { seen: store })
    const running = inbox.run(
      async ({ value, body }) => {
        const one: Got = { value, bytes: body === undefined ? undefined : 0, sum: 0 }
        got.push(one)
        for await (const piece of body ?? []) {
          one.bytes = (one.bytes ?? 0) + piece.length
          for (const byte of piece) one.sum = (one.sum * 31 + byte) >>> 0
        }
        if (holding) await new Promise<void>((resolve) => waitingForAck.push(resolve))
      },
      { concurrency: 8 },
    )
    running.catch((error: unknown) => failed.push(String(error)))
  }
  const kept = { deposit: await keys.text('deposit'), collect: await keys.text('collect') }
  if (kept.deposit !== undefined) write(kept.deposit)
  if (kept.collect !== undefined) collect(kept.collect)
  const page = {
    openBox: async (opener: string) => {
      await using client = new RelayClient(Capability.parse(opener))
      const { deposit, collect } = await client.openBox({ to: key.publicKey })
      return { deposit: deposit.export(), collect: collect.export() }
    },
    got,
    failed,
    write: (address: string) => keys.keepText('deposit', address).then(() => write(address)),
    collect: (address: string) => keys.keepText('collect', address).then(() => collect(address)),
    send: async (values: readonly unknown[]) => {
      for (const value of values) await outbox?.send(value)
      return outbox?.waiting
    },
    sendAtOnce: (values: readonly unknown[]) => Promise.all(values.map((value) => outbox?.send(value))),
    sendBytes: (length: number) => outbox?.send(pieces(length)).then(() => outbox?.waiting),
    waiting: () => outbox?.waiting,
    flush: () => outbox?.flush(),
    retry: () => outbox?.retry(),
    hold: () => {
      holding = true
    },
    acknowledge: () => {
      holding = false
      for (const resolve of waitingForAck.splice(0)) resolve()
    },
    /** Entries in memory and their bytes. */
    entries: () =>
      store.read((view) => {
        const all = [...view.range(new Uint8Array(0), new Uint8Array(64).fill(255))]
        return { count: all.length, bytes: all.reduce((sum, { value }) => sum + value.length, 0) }
      }),
  }
  Object.assign(globalThis, { page })
  return { publicKey: Array.from(key.publicKey) }
})

async function* pieces(length: number): AsyncGenerator<Uint8Array> {
  for (let sent = 0; sent < length; sent += 50_000)
    yield Uint8Array.from({ length: Math.min(50_000, length - sent) }, (_, index) => (sent + index) % 251)
}
