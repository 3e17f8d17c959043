// A relay killed with SIGKILL under load, and two relays on the same files: real processes. More kills: `npm run faults:mailbox`.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { RelayProcess } from '../../examples/mailbox/relay-process.js'
import { Capability, generateKeyPair } from '../../src/index.js'
import { CollectAddress } from '../../src/mailbox/index.js'
import { Inbox, Outbox, RelayClient } from '../../src/mailbox/lmdb.js'

import { runKills, wrongWith } from './kill-workload.js'

test('a relay killed under load loses nothing that was acknowledged and delivers nothing twice', async () => {
  const report = await runKills({ kills: 4 })
  expect(report.sent).toBeGreaterThan(10)
  expect(wrongWith(report)).toBeUndefined()
}, 180_000)

test('two relay processes on the same files: what is deposited at one is collected at the other, at once', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'noisecap-twins-'))
  try {
    await using one = await new RelayProcess(directory).start()
    await using two = await new RelayProcess(directory).start()
    const ada = generateKeyPair()
    await using client = new RelayClient(Capability.parse(one.opener))
    const { deposit, collect } = await client.openBox({ to: ada.publicKey })
    const elsewhere = collect.capability.withLocations(Capability.parse(two.opener).locations)
    await using inbox = new Inbox(new CollectAddress(elsewhere, collect.box), ada)
    const messages = inbox[Symbol.asyncIterator]()
    const first = messages.next() // waits at the second relay
    await using outbox = new Outbox(join(directory, 'out'), deposit)
    await new Promise((resolve) => setTimeout(resolve, 500))
    await outbox.send('across')
    const { value } = await first
    expect(value?.value).toBe('across')
    await value?.ack()
    await messages.return()
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}, 60_000)
