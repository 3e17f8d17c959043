// From the start of a process to its first answer: Node starts, the package is imported, connects and calls, in programs of
// the same form; the services run already. noisecap is the built package, as a user's program imports it.
// Leaves out the programs (bench/rpc/start/, bench/peers/start-grpc.mjs).
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { buildPackage } from '../suite/built.js'
import { order, startProcess } from '../suite/orders.js'
import { atMost, type Row, reported } from '../suite/report.js'
import { alternate, median, ROUNDS } from '../suite/rounds.js'
import { checkEcho } from '../suite/subject.js'

const WARMUPS = 2
const PAYLOAD = { id: 7, text: 'hello' }
const BAR = 0.7

/** As on a machine that was not set up: where NODE_EXTRA_CA_CERTS is set, each start reads certificates that none of these programs
 * uses, which takes Node 20 as long as half of its own start. */
const { NODE_EXTRA_CA_CERTS: _, NODE_OPTIONS: __, ...BARE_ENVIRONMENT } = process.env

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** Everything that was started here, ended with it. */
class Services implements Disposable {
  readonly #children: ChildProcess[] = []

  /** Serve a subject of the suite.
   * @returns its address. */
  serve(subject: string): Promise<string> {
    const child = startProcess(new URL('../suite/process.ts', import.meta.url), [subject, 'serve'])
    this.#children.push(child)
    return order<string>(child, { do: 'serve' })
  }

  /** Run a program that prints its address. */
  async run(program: string): Promise<string> {
    const child = spawn(process.execPath, [program, 'serve'], { stdio: ['ignore', 'pipe', 'inherit'] })
    this.#children.push(child)
    return firstOutput(child)
  }

  [Symbol.dispose](): void {
    for (const child of this.#children) child.kill()
  }
}

async function firstOutput(child: ChildProcess): Promise<string> {
  const early = once(child, 'exit').then(([code]) => {
    throw new Error(`Cannot time the start: the process ended (${code}) without an answer`)
  })
  early.catch(() => {}) // it ends after its answer, too
  const [output] = (await Promise.race([once(child.stdout!, 'data'), early])) as [Buffer] // stdout is a pipe
  return output.toString().trim()
}

/** A function that starts `program` once and takes its first answer, ms. */
function starting(program: string, address: string): () => Promise<number> {
  return async () => {
    const began = performance.now()
    const child = spawn(process.execPath, [program, address, JSON.stringify(PAYLOAD)], {
      env: BARE_ENVIRONMENT,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const answer = await firstOutput(child)
    const elapsedMs = performance.now() - began
    child.kill('SIGKILL')
    checkEcho(PAYLOAD, JSON.parse(answer))
    return elapsedMs
  }
}

export async function startRows(): Promise<readonly Row[]> {
  buildPackage()
  using services = new Services()
  const grpc = here('../peers/start-grpc.mjs')
  const [ours = 0, byHand = 0, fromProto = 0, node = 0] = (
    await alternate(
      [
        starting(here('start/noisecap.mjs'), await services.serve('plain')),
        starting(grpc, await services.run(grpc)),
        starting(here('../peers/start-grpc-proto.mjs'), await services.serve('grpc')),
        starting(here('start/node.mjs'), ''),
      ],
      WARMUPS,
      3 * ROUNDS,
    )
  ).map(median)
  const ms = (value: number): string => `${value.toFixed(0)} ms`
  const what = 'process start to first answer'
  return [
    { what, ours: ms(ours), peer: `grpc-js without TLS: ${ms(byHand)}`, ...atMost(ours / byHand, BAR) },
    {
      what,
      ours: ms(ours),
      peer: `grpc-js, with a .proto file: ${ms(fromProto)}`,
      ...reported(ours / fromProto),
    },
    {
      what: 'the same without the start of Node',
      ours: ms(ours - node),
      peer: `grpc-js without TLS: ${ms(byHand - node)}; Node alone: ${ms(node)}`,
      ...reported((ours - node) / (byHand - node)),
    },
  ]
}
