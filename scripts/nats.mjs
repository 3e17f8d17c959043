// A real NATS server with JetStream for tests and for trying things out. `node scripts/nats.mjs --install` installs Debian's
// nats-server where that can be done (root, apt-get) and fails with the reason where not; without an argument a server runs until
// Ctrl-C. startNats(): a free port of 127.0.0.1, a password of its own, everything in a temporary directory that goes when it is
// stopped. Leaves out streams: callers make them.
import { spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, rmSync } from 'node:fs'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const PROGRAM = 'nats-server'
const USER = 'noisecap'
const ATTEMPTS = 5
const START_DEADLINE_MS = 30_000
const STOP_DEADLINE_MS = 10_000
const READY = 'Server is ready'

/** The server's program; undefined where it is not installed. */
export function findNats() {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin']
  return folders.map((folder) => join(folder, PROGRAM)).find((file) => existsSync(file))
}

/** Install it from the Debian archive, and nothing else.
 * @throws with the reason when that cannot be done. */
export function installNats() {
  const found = findNats()
  if (found !== undefined) return found
  if (process.getuid?.() !== 0) throw new Error(`${PROGRAM} is missing, and only root can install it`)
  for (const args of [['update'], ['install', '--yes', '--no-install-recommends', PROGRAM]]) {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
    const { status, error } = spawnSync('apt-get', args, { env, stdio: ['ignore', 'inherit', 'inherit'] })
    if (status !== 0)
      throw new Error(
        `${PROGRAM} is missing, and apt-get ${args[0]} failed: ${error?.message ?? `exit ${status}`}`,
      )
  }
  const installed = findNats()
  if (installed === undefined) throw new Error(`apt-get installed ${PROGRAM}, yet it is not there`)
  return installed
}

/** Start a server with JetStream.
 * @param config - further lines of its configuration file.
 * @param store - where JetStream keeps its files; default in the temporary directory.
 * @param jetstream - further lines of the block of that name, such as `max_file_store: 8MB`.
 * @returns what a client needs as `connection`, and what stops it: `stop()` for good, `crash()` with SIGKILL, after which
 * `resume()` starts it again on what it had written, at the same place. */
export async function startNats({ config = '', store, jetstream = '' } = {}) {
  const program = findNats()
  if (program === undefined) throw new Error(`${PROGRAM} is missing: run node scripts/nats.mjs --install`)
  const directory = await mkdtemp(join(tmpdir(), 'noisecap-nats-'))
  const remove = () => rmSync(directory, { recursive: true, force: true })
  try {
    const password = randomBytes(18).toString('hex')
    for (let attempt = 1; ; attempt++) {
      const port = await freePort()
      const file = join(directory, 'nats.conf')
      const storeDirectory = store ?? join(directory, 'jetstream')
      const lines = [
        `listen: "127.0.0.1:${port}"`,
        `authorization { user: ${USER}, password: "${password}" }`,
        `jetstream { store_dir: ${JSON.stringify(storeDirectory)}\n${jetstream} }`,
        config,
      ]
      await writeFile(file, lines.join('\n'), { mode: 0o600 })
      const server = { program, file, port, directory }
      const first = await run(server)
      if (first !== undefined) return handle({ ...server, password }, first, remove)
      // Somebody else may have taken the port meanwhile.
      if (attempt === ATTEMPTS)
        throw new Error(`${PROGRAM} did not start ${ATTEMPTS} times; its log is above`)
    }
  } catch (error) {
    remove()
    throw error
  }
}

function handle(server, first, remove) {
  let running = first
  return {
    connection: { servers: `127.0.0.1:${server.port}`, user: USER, pass: server.password },
    directory: server.directory,
    log: () => running.log(),
    crash: () => running.end('SIGKILL'),
    resume: async () => {
      const next = await run(server)
      if (next === undefined) throw new Error(`${PROGRAM} did not start again; its log is above`)
      running = next
    },
    stop: () => running.end('SIGTERM').finally(remove),
  }
}

/** Run it until it takes connections; undefined when it ends before that. */
async function run({ program, file, directory }) {
  const child = spawn(program, ['-c', file], { cwd: directory, stdio: ['ignore', 'ignore', 'pipe'] })
  let log = ''
  child.stderr.on('data', (chunk) => (log += chunk))
  const ended = new Promise((resolve) => {
    child.once('close', resolve)
    child.once('error', resolve)
  })
  const quit = () => child.kill('SIGKILL')
  process.once('exit', quit)
  const end = async (signal) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE_MS)
    if (child.exitCode === null && child.signalCode === null) child.kill(signal)
    await ended
    clearTimeout(timer)
    process.off('exit', quit)
  }
  const deadline = Date.now() + START_DEADLINE_MS
  while (child.exitCode === null && child.signalCode === null && Date.now() < deadline) {
    if (log.includes(READY)) return { log: () => log, end }
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  await end('SIGKILL')
  console.error(log)
  return undefined
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

async function main() {
  if (process.argv[2] === '--install') {
    console.log(`nats: ${installNats()}`)
    return
  }
  const nats = await startNats()
  console.log(`${JSON.stringify(nats.connection)}; stop with Ctrl-C`)
  process.once('SIGINT', () => nats.stop())
  process.once('SIGTERM', () => nats.stop())
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main().catch((error) => {
    console.error(`NATS: ${error.message}`)
    process.exitCode = 1
  })
}
