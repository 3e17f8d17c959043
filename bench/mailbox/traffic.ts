// Messages through a relay in another process: sealed beforehand, deposited, collected, acknowledged, not opened.
// Leaves out who else does the same (lmdb-rows.ts, postgres-rows.ts).
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Capability, connect, generateKeyPair } from '../../src/index.js'
import { EnvelopeWriter } from '../../src/mailbox/envelope.js'
import { CollectInterface, DepositInterface, RelayClient } from '../../src/mailbox/index.js'
import { Settler } from '../../src/mailbox/settler.js'

/** Messages of one round (BENCH_MESSAGES). */
export const MESSAGES = Number(process.env['BENCH_MESSAGES'] ?? 1_000)
export const IN_FLIGHT = 64
export const WARMUPS = 2
/** With header and padding this is one size class. */
const BODY_BYTES = 824

/** Run `one` for each of `messages`, {@link IN_FLIGHT} at a time. */
export async function inFlight(messages: number, one: (i: number) => Promise<unknown>): Promise<void> {
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < messages) await one(next++)
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker))
}

const key = generateKeyPair()
const HEADER = {
  ...{ series: new Uint8Array(16), sequence: 0, previous: undefined, contentType: 'b', headers: {} },
  ...{ reply: undefined, receipt: undefined, inReplyTo: undefined, sentAt: 1, expires: 100 },
}

/** Seals messages for one box. */
export function sealer(box: Uint8Array): { readonly seal: () => Uint8Array; readonly key: typeof key } {
  const writer = new EnvelopeWriter({ to: key.publicKey, box })
  const body = new Uint8Array(BODY_BYTES)
  return { seal: () => writer.seal({ header: HEADER, body }), key }
}

/** A box at a relay in a process of its own. */
export class Traffic implements Disposable {
  readonly #relay: ChildProcess
  readonly #seal: () => Uint8Array
  readonly #depositor
  readonly #collector

  private constructor(relay: ChildProcess, box: Awaited<ReturnType<typeof open>>) {
    this.#relay = relay
    this.#seal = sealer(box.address).seal
    this.#depositor = box.depositor
    this.#collector = box.collector
  }

  /** @param store - what `relay-process.ts` takes. */
  static async start(...store: readonly [kind: 'lmdb' | 'postgres', place: string]): Promise<Traffic> {
    const relay = fork(fileURLToPath(new URL('relay-process.ts', import.meta.url)), store)
    const [text] = (await once(relay, 'message')) as [string] // what relay-process.ts sends
    return new Traffic(relay, await open(text))
  }

  /** One round.
   * @returns messages a second, from the first deposit to the last acknowledgement. */
  async round(): Promise<number> {
    const envelopes = Array.from({ length: MESSAGES }, this.#seal)
    const began = performance.now()
    await inFlight(MESSAGES, (i) => this.#deposit(envelopes[i]!)) // there are as many
    const settler = new Settler(this.#collector)
    const acks: Promise<void>[] = []
    const lease = { consumer: new Uint8Array(8), leaseMs: 60_000, window: IN_FLIGHT }
    for await (const { receipt } of this.#collector.follow(lease)) {
      acks.push(settler.settle({ kind: 'ack', receipt }))
      if (acks.length === MESSAGES) break
    }
    await Promise.all(acks)
    const rate = (MESSAGES / (performance.now() - began)) * 1_000
    const { messages } = await this.#collector.stat()
    if (messages !== 0) throw new Error(`Cannot time messages: ${messages} are left`)
    return rate
  }

  /** Deposit one after the other.
   * @returns ms of each. */
  async deposits(count: number): Promise<readonly number[]> {
    const taken: number[] = []
    for (let i = 0; i < count; i++) {
      const envelope = this.#seal()
      const began = performance.now()
      await this.#deposit(envelope)
      taken.push(performance.now() - began)
    }
    return taken
  }

  async #deposit(envelope: Uint8Array): Promise<void> {
    const expiresMs = Date.now() + 3_600_000
    const { accepted } = await this.#depositor.deposit({ messages: [{ envelope, expiresMs }] })
    if (accepted !== 1) throw new Error('Cannot time deposits: one was refused')
  }

  [Symbol.dispose](): void {
    this.#relay.disconnect()
  }
}

async function open(boxes: string) {
  const client = new RelayClient(Capability.parse(boxes), { connect })
  const box = await client.openBox({ to: key.publicKey })
  return {
    address: box.deposit.box,
    depositor: await connect(box.deposit.capability, DepositInterface, { resolvers: [] }),
    collector: await connect(box.collect.capability, CollectInterface, { resolvers: [] }),
  }
}
