// The client of a relay in a process of its own: `traffic-process.ts <capability that opens boxes>`. Messages are sealed beforehand,
// deposited, collected, acknowledged, not opened. Says so when it has its box. Leaves out the relay (relay-process.ts).
import { Capability, connect } from 'noisecap'
import { CollectInterface, DepositInterface, RelayClient } from 'noisecap/mailbox'
import { Settler } from '../../src/mailbox/settler.js'
import { obey } from '../suite/orders.js'
import { IN_FLIGHT, inFlight } from './in-flight.js'
import { key, sealer } from './sealing.js'

/** What a parent may ask. */
export type TrafficOrder =
  | { readonly do: 'round'; readonly messages: number }
  | { readonly do: 'deposits'; readonly messages: number }

const [boxes] = process.argv.slice(2)
if (boxes === undefined) throw new Error('Cannot start traffic: expected a capability that opens boxes')
const client = new RelayClient(Capability.parse(boxes), { connect })
const box = await client.openBox({ to: key.publicKey })
const depositor = await connect(box.deposit.capability, DepositInterface, { resolvers: [] })
const collector = await connect(box.collect.capability, CollectInterface, { resolvers: [] })
const seal = sealer(box.deposit.box)

async function deposit(envelope: Uint8Array): Promise<void> {
  const expiresMs = Date.now() + 3_600_000
  const { accepted } = await depositor.deposit({ messages: [{ envelope, expiresMs }] })
  if (accepted !== 1) throw new Error('Cannot time deposits: one was refused')
}

/** @returns messages a second, from the first deposit to the last acknowledgement. */
async function round(messages: number): Promise<number> {
  const envelopes = Array.from({ length: messages }, seal)
  const began = performance.now()
  await inFlight(messages, (i) => deposit(envelopes[i]!)) // there are as many
  const settler = new Settler(collector)
  const acks: Promise<void>[] = []
  const lease = { consumer: new Uint8Array(8), leaseMs: 60_000, window: IN_FLIGHT }
  for await (const { receipt } of collector.follow(lease)) {
    acks.push(settler.settle({ kind: 'ack', receipt }))
    if (acks.length === messages) break
  }
  await Promise.all(acks)
  const rate = (messages / (performance.now() - began)) * 1_000
  const left = (await collector.stat()).messages
  if (left !== 0) throw new Error(`Cannot time messages: ${left} are left`)
  return rate
}

/** Deposit one after the other.
 * @returns ms of each. */
async function deposits(messages: number): Promise<readonly number[]> {
  const taken: number[] = []
  for (let i = 0; i < messages; i++) {
    const envelope = seal()
    const began = performance.now()
    await deposit(envelope)
    taken.push(performance.now() - began)
  }
  return taken
}

obey(
  (asked: TrafficOrder): Promise<unknown> =>
    asked.do === 'round' ? round(asked.messages) : deposits(asked.messages),
)
process.send?.('ready')
