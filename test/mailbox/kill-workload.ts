// A running workload through a relay that is killed with SIGKILL again and again: what its outbox acknowledged must come, once
// and in order, to an inbox that keeps its seen-set. Every process and file is real.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RelayProcess } from '../../examples/mailbox/relay-process.js'
import { Capability, generateKeyPair } from '../../src/index.js'
import { Inbox, Outbox, RelayClient } from '../../src/mailbox/lmdb.js'

/** What came of it. */
export interface KillReport {
  readonly kills: number
  readonly sent: number
  /** Numbers as they were received. */
  readonly got: readonly number[]
}

/** Run it.
 * @param kills - how often the relay is killed, each after a random time.
 * @param told - called after each kill. */
export async function runKills(kills: number, told: (kill: number) => void = () => {}): Promise<KillReport> {
  const directory = mkdtempSync(join(tmpdir(), 'noisecap-kills-'))
  const stop = new AbortController()
  try {
    await using relay = await new RelayProcess(join(directory, 'relay')).start()
    const ada = generateKeyPair()
    await using client = new RelayClient(Capability.parse(relay.opener))
    const { deposit, collect } = await client.openBox({ to: ada.publicKey, maxDeliveries: 1_000 })
    await using outbox = new Outbox<number>(join(directory, 'out'), deposit)
    await using inbox = new Inbox<number>(collect, ada, undefined, {
      seen: join(directory, 'seen'),
      signal: stop.signal,
      leaseMs: 2_000,
    })
    const got: number[] = []
    const receiving = (async () => {
      for await (const message of inbox) {
        got.push(message.value)
        // Where the relay dies meanwhile it delivers again, and the seen-set drops that.
        message.ack().catch(() => {})
      }
    })()
    let sent = 0
    let sending = true
    const writing = (async () => {
      while (sending) {
        await outbox.send(sent)
        sent += 1
        if (sent % 8 === 0 || outbox.waiting > 200) await pause(Math.random() * 20)
      }
    })()
    for (let kill = 1; kill <= kills; kill++) {
      await pause(Math.random() * 300)
      await relay.kill()
      await relay.start()
      outbox.retry()
      told(kill)
    }
    sending = false
    await writing
    await outbox.flush()
    const deadline = Date.now() + 60_000
    while (got.length < sent && Date.now() < deadline) await pause(50)
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
