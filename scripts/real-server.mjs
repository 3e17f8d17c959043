// What the scripts of real servers share: installing Debian's package, a free port, a process that is up once its log says so.
// Leaves out which server that is (knot.mjs, postgres.mjs, nats.mjs, chromium.mjs).
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'

const STOP_DEADLINE_MS = 10_000
const LOOK_MS = 20

/** Install a package from the Debian archive, and nothing else.
 * @param find - gives what the package brings, undefined where it is not there.
 * @param wanted - what `find` looks for, in words.
 * @param output - where apt-get's own words go.
 * @throws with the reason when that cannot be done. */
export function installPackage(name, find, wanted, output = 'inherit') {
  const found = find()
  if (found !== undefined) return found
  if (process.getuid?.() !== 0) throw new Error(`${name} is missing, and only root can install it`)
  for (const args of [['update'], ['install', '--yes', '--no-install-recommends', name]]) {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
    const { status, error } = spawnSync('apt-get', args, { env, stdio: ['ignore', output, 'inherit'] })
    if (status !== 0)
      throw new Error(
        `${name} is missing, and apt-get ${args[0]} failed: ${error?.message ?? `exit ${status}`}`,
      )
  }
  const installed = find()
  if (installed === undefined) throw new Error(`apt-get installed ${name}, yet there is no ${wanted}`)
  return installed
}

/** A port of 127.0.0.1 that is free for TCP. */
export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

/** Run a server until its log holds `ready`.
 * @param options - of spawn.
 * @param quitSignal - ends it at once, should this process end first.
 * @returns its log and `end(signal)`; undefined when it ends before, or is not up by the deadline: its log is printed then. */
export async function runServer(program, args, options, { ready, deadlineMs, quitSignal }) {
  const child = spawn(program, args, { ...options, stdio: ['ignore', 'ignore', 'pipe'] })
  let log = ''
  child.stderr.on('data', (chunk) => (log += chunk))
  const ended = new Promise((resolve) => {
    child.once('close', resolve)
    child.once('error', resolve)
  })
  const isRunning = () => child.exitCode === null && child.signalCode === null
  const quit = () => child.kill(quitSignal)
  process.once('exit', quit)
  const end = async (signal) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE_MS)
    if (isRunning()) child.kill(signal)
    await ended
    clearTimeout(timer)
    process.off('exit', quit)
  }
  const deadline = Date.now() + deadlineMs
  while (isRunning() && Date.now() < deadline) {
    if (log.includes(ready)) return { log: () => log, end }
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
  }
  await end(quitSignal)
  console.error(log)
  return undefined
}
