// A real NATS server with JetStream for tests and for trying things out. `node scripts/nats.mjs --install` installs Debian's
// nats-server where that can be done (root, apt-get) and fails with the reason where not; without an argument a server runs until
// Ctrl-C. startNats(): a free port of 127.0.0.1, a password of its own, everything in a temporary directory that goes when it is
// stopped. Leaves out streams: callers make them.
import { randomBytes } from 'node:crypto'
import { existsSync, rmSync } from 'node:fs'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort, installPackage, runServer } from './real-server.mjs'

const PROGRAM = 'nats-server'
const USER = 'noisecap'
const ATTEMPTS = 5
const START_DEADLINE_MS = 30_000
const READY = 'Server is ready'

/** The server's program; undefined where it is not installed. */
export function findNats() {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin']
  return folders.map((folder) => join(folder, PROGRAM)).find((file) => existsSync(file))
}

/** Install it from the Debian archive, and nothing else.
 * @throws with the reason when that cannot be done. */
export function installNats() {
  return installPackage(PROGRAM, findNats, 'program of that name')
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
function run({ program, file, directory }) {
  const up = { ready: READY, deadlineMs: START_DEADLINE_MS, quitSignal: 'SIGKILL' }
  return runServer(program, ['-c', file], { cwd: directory }, up)
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
