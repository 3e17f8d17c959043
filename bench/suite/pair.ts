// One subject in two processes, as the benchmark sees it: a service and a client that obey orders.
import type { ChildProcess } from 'node:child_process'
import { order, startProcess } from './orders.js'
import type { Run, SubjectName } from './process.js'

const PROGRAM = new URL('process.ts', import.meta.url)

/** A pair of processes, connected and checked. */
export class Pair implements Disposable {
  readonly #service: ChildProcess
  readonly #client: ChildProcess
  readonly #address: string

  private constructor(service: ChildProcess, client: ChildProcess, address: string) {
    this.#service = service
    this.#client = client
    this.#address = address
  }

  /** Start both and let them exchange a first call, whose answer the client has checked.
   * @param environment - variables beside those of this process. */
  static async start(name: SubjectName, environment: Readonly<Record<string, string>> = {}): Promise<Pair> {
    const env = { ...process.env, ...environment }
    const [service, client] = ['serve', 'call'].map((role) => startProcess(PROGRAM, [name, role], { env }))
    if (service === undefined || client === undefined) throw new Error('Cannot start two processes')
    const address = await order<string>(service, { do: 'serve' })
    const pair = new Pair(service, client, address)
    await order(client, { do: 'connect', address })
    return pair
  }

  run(calls: number, outstanding: number): Promise<Run> {
    return order<Run>(this.#client, { do: 'run', calls, outstanding })
  }

  /** From nothing to the first answer, the median of `times` fresh connections, µs. */
  open(times: number): Promise<number> {
    return order<number>(this.#client, { do: 'open', address: this.#address, times })
  }

  /** CPU time that both processes have used so far, µs. */
  async cpuMicros(): Promise<{ readonly client: number; readonly service: number }> {
    return {
      client: await order<number>(this.#client, { do: 'cpu' }),
      service: await order<number>(this.#service, { do: 'cpu' }),
    }
  }

  [Symbol.dispose](): void {
    this.#client.disconnect()
    this.#service.disconnect()
  }
}
