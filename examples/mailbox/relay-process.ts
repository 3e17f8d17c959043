// Starts, kills and starts again the relay of relay.ts; it keeps its place and its files. Leaves out what is sent through it.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { StorePlace } from './relay-store.js'

const PROGRAM = join(import.meta.dirname, 'relay.ts')

/** One relay, which lives as often as it is started. */
export class RelayProcess implements AsyncDisposable {
  readonly directory: string
  #location: string
  readonly #store: StorePlace | undefined
  readonly #program: string
  #child: ChildProcess | undefined
  /** Text of a capability for opening boxes. */
  opener = ''

  /** @param location - where it listens; of port 0 it keeps what it got.
   * @param store - where its boxes lie; default in the directory.
   * @param program - relay.ts, or what was made of it. */
  constructor(directory: string, location = 'tcp://127.0.0.1:0', store?: StorePlace, program = PROGRAM) {
    this.directory = directory
    this.#location = location
    this.#store = store
    this.#program = program
  }

  /** Start it.
   * @returns when it listens. */
  async start(): Promise<this> {
    const compile = this.#program.endsWith('.ts') ? ['--import', 'tsx'] : []
    const args = [...compile, this.#program, this.directory, this.#location]
    const env = { ...process.env }
    if (this.#store !== undefined) env['NOISECAP_RELAY_STORE'] = JSON.stringify(this.#store)
    const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] })
    this.#child = child
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    const location = await lines.next()
    const opener = await lines.next()
    if (opener.done) throw new Error('the relay ended before it listened')
    this.#location = location.value
    this.opener ||= opener.value
    return this
  }

  /** SIGKILL: no farewell, no flush. */
  async kill(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill()
  }
}
