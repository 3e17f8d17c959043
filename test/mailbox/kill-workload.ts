// A running workload through relays that are killed with SIGKILL again and again, or whose database is: what the outbox has
// acknowledged must come, once and in order, to an inbox that keeps its seen-set. Every process and file is real.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RelayProcess } from '../../examples/mailbox/relay-process.js'
import type { StorePlace } from '../../examples/mailbox/relay-store.js'
import { Capability, generateKeyPair } from '../../src/index.js'
import { CollectAddress } from '../../src/mailbox/index.js'
import { Inbox, Outbox, RelayClient } from '../../src/mailbox/lmdb.js'
import { bundleRelay } from './relay-bundle.js'

/** What came of it. */
export interface KillReport {
  readonly kills: number
  readonly sent: number
  /** Numbers as they were received. */
  readonly got: readonly number[]
}

/** What is run. */
export interface KillOptions {
  /** How often something is killed, each after a random time. */
  readonly kills: number
  /** Where boxes lie; default in files of the relay. */
  readonly place?: StorePlace | undefined
  /** What is killed, a server of boxes; default relays. */
  readonly server?: { crash(): Promise<void>; resume(): Promise<void> } | undefined
  /** One relay to deposit at and another to collect at, with one key and one store; killed in turn. */
  readonly twins?: boolean | undefined
  /** Called after each kill. */
  readonly told?: ((kill: number) => void) | undefined
}

/** Messages on their way at most, so that the end is not long. */
const BACKLOG_MAX = 400
const DELIVERED_WITHIN_MS = 90_000
/** Until messages flow again after a kill; if they do not, the next kill comes. */
const FLOWS_WITHIN_MS = 5_000

/** Run it. */
export async function runKills({ kills, place, server, twins, told }: KillOptions): Promise<KillReport> {
  const directory = mkdtempSync(join(tmpdir(), 'noisecap-kills-'))
  const stop = new AbortController()
  try {
    using bundle = await bundleRelay()
    const newRelay = () => new RelayProcess(join(directory, 'relay'), undefined, place, bundle.program)
    await using one = await newRelay().start()
    await using two = twins ? await newRelay().start() : one
    const ada = generateKeyPair()
    await using client = new RelayClient(Capability.parse(one.opener))
    const { deposit, collect } = await client.openBox({ to: ada.publicKey, maxDeliveries: 1_000 })
    const there = collect.capability.withLocations(Capability.parse(two.opener).locations)
    await using outbox = new Outbox<number>(join(directory, 'out'), deposit)
    await using inbox = new Inbox<number>(new CollectAddress(there, collect.box), ada, undefined, {
      seen: join(directory, 'seen'),
      signal: stop.signal,
      leaseMs: 500,
    })
    const got: number[] = []
    const receiving = (async () => {
      for await (const message of inbox) {
        got.push(message.value)
        // Where the relay dies meanwhile it delivers again, and the seen-set drops that.
        message.ack().catch(() => {})
      }
    })()
    // A relay without its server has told them to come again later, and each failure makes them wait longer.
    const retry = () => {
      outbox.retry()
      inbox.retry()
    }
    let sent = 0
    let sending = true
    const writing = (async () => {
      while (sending) {
        await outbox.send(sent)
        sent += 1
        if (sent % 8 === 0 || outbox.waiting > 200) await pause(Math.random() * 20)
        while (sending && sent - got.length > BACKLOG_MAX) await pause(20)
      }
    })()
    for (let kill = 1; kill <= kills; kill++) {
      // Mostly while messages flow, sometimes while everybody is still connecting.
      const before = got.length
      const deadline = performance.now() + FLOWS_WITHIN_MS
      while (kill % 4 > 0 && got.length === before && performance.now() < deadline) {
        await pause(20)
        retry()
      }
      await pause(Math.random() * 100)
      const relay = kill % 2 === 0 ? two : one
      await (server === undefined ? relay.kill() : server.crash())
      await (server === undefined ? relay.start() : server.resume())
      told?.(kill)
    }
    sending = false
    await writing
    const deadline = Date.now() + DELIVERED_WITHIN_MS
    while ((outbox.waiting > 0 || got.length < sent) && Date.now() < deadline) {
      await pause(100)
      retry()
    }
    if (outbox.waiting > 0) throw new Error(`the outbox still has ${outbox.waiting} messages`)
    await pause(500) // whatever comes twice would come now
    stop.abort()
    await receiving
    return { kills, sent, got }
  } finally {
    stop.abort()
    rmSync(directory, { recursive: true, force: true })
  }
}

/** What is wrong with a report; undefined when nothing is. */
export function wrongWith({ sent, got }: KillReport): string | undefined {
  if (got.length !== sent)
    return `${sent} sent, ${got.length} received, ${new Set(got).size} of them different`
  const place = got.findIndex((number, i) => number !== i)
  return place < 0 ? undefined : `number ${got[place]} came in place ${place}`
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}
