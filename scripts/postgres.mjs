// A real Postgres for tests, benchmarks and for trying things out. `node scripts/postgres.mjs --install` installs Debian's where
// that can be done (root, apt-get) and fails with the reason where not; without an argument a server runs until Ctrl-C.
// startPostgres(): a free port of 127.0.0.1, a password of its own, everything in a temporary directory that goes when it is
// stopped. Root cannot run Postgres, so for root the user `postgres` does. Leaves out databases and tables: callers make them.
import { execFileSync, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chownSync, existsSync, readdirSync, rmSync } from 'node:fs'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort, installPackage, runServer } from './real-server.mjs'

const USER = 'noisecap'
const ATTEMPTS = 5
const START_DEADLINE_MS = 60_000
const READY = 'database system is ready to accept connections'

/** The folder of Postgres' programs; undefined where it is not installed. */
export function findPostgres() {
  const debian = '/usr/lib/postgresql'
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : []
  const folders = [
    ...versions.map((version) => join(debian, version, 'bin')),
    ...(process.env.PATH ?? '').split(delimiter),
  ]
  return folders.find((folder) => ['initdb', 'postgres'].every((name) => existsSync(join(folder, name))))
}

/** Install it from the Debian archive, and nothing else.
 * @throws with the reason when that cannot be done. */
export function installPostgres() {
  return installPackage('postgresql', findPostgres, 'initdb')
}

/** Start a server with an empty database `postgres`, whose superuser is `noisecap`.
 * @param settings - of postgresql.conf, such as `{ fsync: 'off' }`.
 * @returns its `url` and what stops it: `stop()` for good, `crash()` as if the power had failed, after which `resume()`
 * starts it again on what it had written, at the same place. */
export async function startPostgres({ settings = {} } = {}) {
  const programs = findPostgres()
  if (programs === undefined)
    throw new Error('postgresql is missing: run node scripts/postgres.mjs --install')
  const owner = process.getuid?.() === 0 ? unprivileged() : {}
  const directory = await mkdtemp(join(tmpdir(), 'noisecap-postgres-'))
  const remove = () => rmSync(directory, { recursive: true, force: true })
  try {
    const password = randomBytes(18).toString('base64url')
    const server = {
      programs,
      directory,
      settings,
      asOwner: { ...owner, cwd: directory, env: environment() },
    }
    await makeCluster(server, password)
    for (let attempt = 1; ; attempt++) {
      const port = await freePort()
      const first = await run({ ...server, port })
      if (first !== undefined) return handle({ ...server, port }, password, first, remove)
      // Somebody else may have taken the port meanwhile.
      if (attempt === ATTEMPTS) throw new Error(`postgres did not start ${ATTEMPTS} times; its log is above`)
    }
  } catch (error) {
    remove()
    throw error
  }
}

function handle(server, password, first, remove) {
  let running = first
  const { port, directory } = server
  return {
    url: `postgres://${USER}:${password}@127.0.0.1:${port}/postgres`,
    host: '127.0.0.1',
    port,
    user: USER,
    password,
    database: 'postgres',
    directory,
    log: () => running.log(),
    /** Ends at once and writes nothing more, so that the next start recovers from its log. */
    crash: () => running.end('SIGQUIT'),
    resume: async () => {
      const next = await run(server)
      if (next === undefined) throw new Error('postgres did not start again; its log is above')
      running = next
    },
    stop: () => running.end('SIGINT').finally(remove),
  }
}

/** A user who may run it, as root may not. */
function unprivileged() {
  for (const name of ['postgres', 'nobody']) {
    try {
      const id = (flag) => Number(execFileSync('id', [flag, name], { stdio: ['ignore', 'pipe', 'ignore'] }))
      return { uid: id('-u'), gid: id('-g') }
    } catch {}
  }
  throw new Error('postgres does not run as root, and there is neither a user postgres nor nobody')
}

/** Nobody's PG* variables, and messages in English. */
function environment() {
  return { PATH: process.env.PATH, LC_ALL: 'C' }
}

async function makeCluster({ programs, directory, asOwner }, password) {
  const passwordFile = join(directory, 'password')
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 })
  if (asOwner.uid !== undefined)
    for (const path of [directory, passwordFile]) chownSync(path, asOwner.uid, asOwner.gid)
  const args = [
    '-D',
    join(directory, 'data'),
    '-U',
    USER,
    '--pwfile',
    passwordFile,
    '--auth',
    'scram-sha-256',
  ]
  const { status, error, stdout, stderr } = spawnSync(
    join(programs, 'initdb'),
    [...args, '--encoding', 'UTF8', '--locale', 'C', '--no-sync'],
    { ...asOwner, encoding: 'utf8' },
  )
  if (status !== 0) throw new Error(`initdb failed: ${error?.message ?? `${stdout}${stderr}`}`)
}

/** Run it until it takes connections; undefined when it ends before that. */
function run({ programs, directory, port, settings, asOwner }) {
  const given = { listen_addresses: '127.0.0.1', unix_socket_directories: '', ...settings }
  const args = Object.entries(given).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const up = { ready: READY, deadlineMs: START_DEADLINE_MS, quitSignal: 'SIGQUIT' }
  const always = ['-D', join(directory, 'data'), '-p', String(port)]
  return runServer(join(programs, 'postgres'), [...always, ...args], asOwner, up)
}

async function main() {
  if (process.argv[2] === '--install') {
    console.log(`postgres: ${installPostgres()}`)
    return
  }
  const postgres = await startPostgres()
  console.log(`${postgres.url}; stop with Ctrl-C`)
  process.once('SIGINT', () => postgres.stop())
  process.once('SIGTERM', () => postgres.stop())
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main().catch((error) => {
    console.error(`POSTGRES: ${error.message}`)
    process.exitCode = 1
  })
}
