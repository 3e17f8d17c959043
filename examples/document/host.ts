// Starts a process that offers one object, with the flags (of tsx) that this one was started with. Such a process prints
// where it listens and a capability, as two lines.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { Capability } from 'noisecap'

/** The running process. Its capability has no location, so that the demo chooses the way. */
export class Host implements AsyncDisposable {
  readonly location: string
  readonly #capability: string
  readonly #stop: () => Promise<void>

  private constructor(location: string, capability: string, stop: () => Promise<void>) {
    this.location = location
    this.#capability = capability
    this.#stop = stop
  }

  static async start(file: string): Promise<Host> {
    const path = fileURLToPath(new URL(file, import.meta.url))
    const stdio: ['ignore', 'pipe', 'inherit'] = ['ignore', 'pipe', 'inherit']
    const child = spawn(process.execPath, [...process.execArgv, path], { stdio })
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    const [location, capability] = [await lines.next(), await lines.next()]
    if (location.done === true || capability.done === true)
      throw new Error('A process of the demo ended before its time; see its error above')
    return new Host(location.value, capability.value, async () => {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGTERM')
      await once(child, 'exit')
    })
  }

  at(location: string): Capability {
    return Capability.parse(this.#capability).withLocations([location])
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stop()
  }
}
