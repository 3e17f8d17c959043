// Everything that a session costs, beside peers in the same run: `npm run bench:session`, or with the names of parts.
// Prints one table of medians over alternating rounds, each ratio beside its bar; figures stand in docs/performance.md.
// Installs the peers first if they are not there. Leaves out what the parts measure (bench/session/).
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { callRows } from './session/call-rows.js'
import { handshakeRows } from './session/handshake-rows.js'
import { helloRow } from './session/hello-row.js'
import { circumstances, print, type Row } from './session/report.js'
import { ROUNDS } from './session/rounds.js'
import { setupRows } from './session/setup-rows.js'

const PARTS: Readonly<Record<string, () => Promise<readonly Row[]>>> = {
  handshakes: handshakeRows,
  hello: async () => [await helloRow()],
  setup: setupRows,
  calls: callRows,
}

function installPeers(): void {
  const peers = fileURLToPath(new URL('peers', import.meta.url))
  if (existsSync(`${peers}/node_modules`)) return
  console.log('Installing the peers of the benchmark (bench/peers) …')
  const { status } = spawnSync('npm', ['ci'], { cwd: peers, stdio: 'inherit', shell: true })
  if (status !== 0) throw new Error('Cannot install the peers: npm ci failed')
}

installPeers()
const chosen = process.argv.slice(2)
const unknown = chosen.find((name) => PARTS[name] === undefined)
if (unknown !== undefined)
  throw new Error(`There is no part ${unknown}: choose of ${Object.keys(PARTS).join(', ')}`)
const rows: Row[] = []
for (const [name, part] of Object.entries(PARTS)) {
  if (chosen.length > 0 && !chosen.includes(name)) continue
  console.log(`… ${name}`)
  rows.push(...(await part()))
}
console.log(`\n${circumstances()}; medians of at least ${ROUNDS} alternating rounds\n`)
print(rows)
process.exit(0)
