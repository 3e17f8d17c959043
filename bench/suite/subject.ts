// What is called in the benchmark: one service that echoes, one client that calls it, in two processes. Every subject
// gets the same payload, the same number of outstanding calls and the same loop. Leaves out the processes (process.ts).

/** What travels both ways. */
export interface Payload {
  readonly id: number
  readonly text: string
}

/** One RPC system, or something as bare as none. */
export interface Subject {
  /** Serve until the process ends.
   * @returns what `connect` needs. */
  serve(): Promise<string>
  connect(address: string): Promise<Client>
}

/** One connection. */
export interface Client {
  echo(payload: Payload): Promise<unknown>
  /** For subjects whose set-up is timed. */
  close?(): Promise<void>
  /** For a subject that has no promises: its own loop. Others are driven by {@link runLoop}. */
  readonly loop?: Loop
}

/** Make `calls` calls, `outstanding` at a time; fills `latencies` (µs) when there are any. */
export type Loop = (calls: number, outstanding: number, latencies: Float64Array | undefined) => Promise<void>

/** The text of every payload (BENCH_TEXT). */
export const TEXT = process.env['BENCH_TEXT'] ?? 'hello'

/** The loop of everything that answers with promises: as many workers as calls may be outstanding. */
export function runLoop(client: Client): Loop {
  return async (calls, outstanding, latencies) => {
    let next = 0
    const worker = async (): Promise<void> => {
      while (next < calls) {
        const id = next++
        if (latencies === undefined) await client.echo({ id, text: TEXT })
        else {
          const began = performance.now()
          await client.echo({ id, text: TEXT })
          latencies[id] = (performance.now() - began) * 1_000
        }
      }
    }
    await Promise.all(Array.from({ length: Math.min(outstanding, calls) }, worker))
  }
}

/** Throws unless `answer` is `payload`. */
export function checkEcho(payload: Payload, answer: unknown): void {
  const { id, text } = (answer ?? {}) as Partial<Payload> // whatever came back, it is compared
  if (id !== payload.id || text !== payload.text) throw new Error('Cannot time calls: the answer is wrong')
}
