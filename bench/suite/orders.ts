// Processes of a benchmark and the orders that they obey: one message each way an order, one order at a time.
// Leaves out what is ordered (process.ts and what the parts of a benchmark add).
import { type ChildProcess, type ForkOptions, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** Start a process that obeys.
 * @param program - a module that calls {@link obey}. */
export function startProcess(
  program: URL,
  args: readonly string[] = [],
  options: ForkOptions = {},
): ChildProcess {
  return fork(fileURLToPath(program), args, options)
}

/** Have a process do something.
 * @returns what it answers; rejects with its error, or when it ended. */
export function order<Result>(child: ChildProcess, message: object): Promise<Result> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null): void =>
      reject(new Error(`A process of the benchmark ended (${code})`))
    child.once('exit', onExit)
    child.once('message', (reply: { readonly result: Result; readonly error?: string }) => {
      child.off('exit', onExit)
      if (reply.error === undefined) resolve(reply.result)
      else reject(new Error(reply.error))
    })
    child.send(message)
  })
}

/** Do what the parent orders until it goes away. */
export function obey<Order>(handle: (order: Order) => Promise<unknown>): void {
  process.on('message', (order: Order) => {
    handle(order).then(
      (result) => process.send?.({ result }),
      (error: unknown) => process.send?.({ error: error instanceof Error ? error.stack : String(error) }),
    )
  })
  process.on('disconnect', () => process.exit(0))
}
