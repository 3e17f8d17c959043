// Starts the service and the clients as processes of their own, with the flags (of tsx) that this one was started with.
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface, type Interface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { Capability } from 'noisecap'
import type { ClientAnswer } from './client.js'

/** A process that is read line by line. */
class Child implements AsyncDisposable {
  readonly #process: ChildProcessByStdio<Writable, Readable, null>
  readonly #lines: AsyncIterator<string>
  readonly #reader: Interface

  constructor(file: string, args: readonly string[]) {
    const path = fileURLToPath(new URL(file, import.meta.url))
    this.#process = spawn(process.execPath, [...process.execArgv, path, ...args], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    // A process that died is noticed by the end of its output.
    this.#process.stdin.on('error', () => {})
    this.#reader = createInterface({ input: this.#process.stdout })
    this.#lines = this.#reader[Symbol.asyncIterator]()
  }

  write(line: string): void {
    this.#process.stdin.write(`${line}\n`)
  }

  /** The next line of its output. */
  async read(): Promise<string> {
    const { value, done } = await this.#lines.next()
    if (done === true) throw new Error('A process of the demo ended before its time; see its error above')
    return value
  }

  /** Ask it to end, and wait until it has. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#reader.close()
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    this.#process.kill('SIGTERM')
    await once(this.#process, 'exit')
  }
}

/** The running service. */
export class ServiceProcess extends Child {
  constructor(directory: string) {
    super('./service.ts', [directory])
  }

  /** Where it listens, once it does. */
  listening(): Promise<string> {
    return this.read()
  }
}

/** A running client: one person. */
export class Person extends Child {
  constructor(args: readonly string[] = []) {
    super('./client.ts', args)
  }

  connect(capability: Capability): Promise<ClientAnswer> {
    return this.do(`connect ${capability.export()}`)
  }

  /** Give a command, one at a time. */
  async do(command: string): Promise<ClientAnswer> {
    this.write(command)
    return JSON.parse(await this.read()) as ClientAnswer
  }
}
