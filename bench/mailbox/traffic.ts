// Messages through a relay: relay and client in processes of their own, both of the built package, as people run it.
// Leaves out what the client does (traffic-process.ts) and who else does the same (lmdb-rows.ts, postgres-rows.ts).
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { BUILT, buildPackage } from '../suite/built.js'
import { order, startProcess } from '../suite/orders.js'
import type { TrafficOrder } from './traffic-process.js'

/** Messages of one round (BENCH_MESSAGES). */
export const MESSAGES = Number(process.env['BENCH_MESSAGES'] ?? 1_000)
/** So many that V8 has compiled what it will: relays run for long. */
export const WARMUPS = 10

/** A box at a relay. */
export class Traffic implements Disposable {
  readonly #relay: ChildProcess
  readonly #client: ChildProcess

  private constructor(relay: ChildProcess, client: ChildProcess) {
    this.#relay = relay
    this.#client = client
  }

  /** @param store - what `relay-process.ts` takes. */
  static async start(...store: readonly [kind: 'lmdb' | 'postgres', place: string]): Promise<Traffic> {
    buildPackage()
    const options = { env: { ...process.env, ...BUILT } }
    const relay = startProcess(new URL('relay-process.ts', import.meta.url), store, options)
    const [boxes] = (await once(relay, 'message')) as [string] // what relay-process.ts sends
    const client = startProcess(new URL('traffic-process.ts', import.meta.url), [boxes], options)
    await once(client, 'message') // it has its box
    return new Traffic(relay, client)
  }

  /** Deposit, collect and acknowledge.
   * @returns messages a second, from the first deposit to the last acknowledgement. */
  round(): Promise<number> {
    return this.#ask({ do: 'round', messages: MESSAGES })
  }

  /** Deposit one after the other.
   * @returns ms of each. */
  deposits(messages: number): Promise<readonly number[]> {
    return this.#ask({ do: 'deposits', messages })
  }

  [Symbol.dispose](): void {
    this.#client.disconnect()
    this.#relay.disconnect()
  }

  #ask<Result>(asked: TrafficOrder): Promise<Result> {
    return order(this.#client, asked)
  }
}
