// A real DNS server for tests and for trying things out: Debian's `knot`, an authoritative server that takes signed updates.
// `node scripts/knot.mjs --install` installs it where that can be done (root, apt-get) and fails with the reason where not;
// without an argument a server runs until Ctrl-C. Tests call startKnot(): a free port of 127.0.0.1, everything in a temporary
// directory. Leaves out any other server.
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { Resolver } from 'node:dns/promises'
import { once } from 'node:events'
import { existsSync, rmSync } from 'node:fs'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { installPackage } from './real-server.mjs'

const ZONE = 'example.test'
const ATTEMPTS = 5
const START_DEADLINE_MS = 45_000
const STOP_DEADLINE_MS = 5_000

/** Path of knotd; undefined where it is not installed. */
export function findKnot() {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']
  return folders.map((folder) => join(folder, 'knotd')).find((path) => existsSync(path))
}

/** Install it from the Debian archive, and nothing else.
 * @throws with the reason when that cannot be done. */
export function installKnot() {
  return installPackage('knot', findKnot, 'knotd')
}

/** Start a server for the zone `example.test`.
 * @param records - more lines of the zone file, relative to the zone.
 * @returns where it listens, and its keys as `algorithm:name:secret`: `publisher` and `publisher512` may update the zone,
 * `stranger` is known and may not. */
export async function startKnot({ records = [] } = {}) {
  const knotd = findKnot()
  if (knotd === undefined) throw new Error('knot is missing: run node scripts/knot.mjs --install')
  const directory = await mkdtemp(join(tmpdir(), 'noisecap-knot-'))
  const keys = {
    publisher: newKey('publisher', 'hmac-sha256', 32),
    publisher512: newKey('publisher512', 'hmac-sha512', 64),
    stranger: newKey('stranger', 'hmac-sha256', 32),
  }
  await writeFile(join(directory, 'zone'), zoneFile(records))
  for (let attempt = 1; ; attempt++) {
    const port = await freePort()
    await writeFile(join(directory, 'knot.conf'), configuration(directory, port, keys))
    const server = await run(knotd, directory, port)
    if (server !== undefined) return { zone: ZONE, server: `127.0.0.1:${port}`, keys, ...server }
    // Somebody else may have taken the port meanwhile.
    if (attempt === ATTEMPTS) {
      rmSync(directory, { recursive: true, force: true })
      throw new Error(`knotd did not start ${ATTEMPTS} times; the last words of its log are above`)
    }
  }
}

/** Run it and wait until it answers; undefined when it ends before that. */
async function run(knotd, directory, port) {
  let log = ''
  const child = spawn(knotd, ['-c', join(directory, 'knot.conf')], { stdio: ['ignore', 'pipe', 'pipe'] })
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (log += chunk))
  const killed = () => child.kill('SIGKILL')
  process.once('exit', killed)
  const ended = once(child, 'exit').catch(() => undefined)
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      const timer = setTimeout(killed, STOP_DEADLINE_MS)
      child.kill('SIGTERM')
      await ended
      clearTimeout(timer)
    }
    process.off('exit', killed)
  }
  const resolver = new Resolver({ timeout: 500, tries: 1 })
  resolver.setServers([`127.0.0.1:${port}`])
  const deadline = Date.now() + START_DEADLINE_MS
  while (child.exitCode === null && child.signalCode === null && Date.now() < deadline) {
    try {
      await resolver.resolveSoa(ZONE)
      const remove = () => rmSync(directory, { recursive: true, force: true })
      return { directory, log: () => log, stop: () => stop().finally(remove) }
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
  const timedOut = child.exitCode === null && child.signalCode === null
  await stop()
  console.error(log)
  if (timedOut) rmSync(directory, { recursive: true, force: true })
  if (timedOut) throw new Error(`knotd did not answer within ${START_DEADLINE_MS} ms; its log is above`)
  return undefined
}

/** A port that is free for UDP and for TCP. */
async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  const socket = createSocket('udp4')
  try {
    socket.bind(port, '127.0.0.1')
    await once(socket, 'listening')
    return port
  } catch {
    return freePort()
  } finally {
    socket.close()
    server.close()
  }
}

function newKey(name, algorithm, length) {
  return `${algorithm}:${name}:${randomBytes(length).toString('base64')}`
}

function zoneFile(records) {
  return [
    `$ORIGIN ${ZONE}.`,
    '$TTL 300',
    '@ SOA ns hostmaster 1 3600 600 86400 30',
    '@ NS ns',
    'ns A 127.0.0.1',
    ...records,
    '',
  ].join('\n')
}

function configuration(directory, port, keys) {
  const keyLines = Object.values(keys).flatMap((key) => {
    const [algorithm, name, secret] = key.split(':')
    return [`  - id: ${name}.`, `    algorithm: ${algorithm}`, `    secret: "${secret}"`]
  })
  return [
    'server:',
    `  rundir: "${directory}"`,
    `  listen: 127.0.0.1@${port}`,
    'database:',
    `  storage: "${directory}"`,
    'log:',
    '  - target: stderr',
    '    any: info',
    'key:',
    ...keyLines,
    'acl:',
    '  - id: publish',
    '    key: [publisher., publisher512.]',
    '    action: update',
    'zone:',
    `  - domain: ${ZONE}.`,
    `    storage: "${directory}"`,
    '    file: zone',
    '    acl: publish',
    '    zonefile-sync: -1',
    '    journal-content: none',
    '',
  ].join('\n')
}

async function main() {
  if (process.argv[2] === '--install') {
    console.log(`knot: ${installKnot()}`)
    return
  }
  const knot = await startKnot()
  const file = join(knot.directory, 'publisher.tsig')
  await writeFile(file, `${knot.keys.publisher}\n`, { mode: 0o600 })
  console.log(`zone ${knot.zone} at ${knot.server}, TSIG key in ${file}; stop with Ctrl-C`)
  process.once('SIGINT', () => knot.stop())
  process.once('SIGTERM', () => knot.stop())
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main().catch((error) => {
    console.error(`KNOT: ${error.message}`)
    process.exitCode = 1
  })
}
