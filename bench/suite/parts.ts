// What every table of a benchmark begins and ends with: the peers installed, the parts chosen by name, one table printed.
// Leaves out what the parts measure.
import { spawnSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { loadavg } from 'node:os'
import { fileURLToPath } from 'node:url'
import { circumstances, print, type Row } from './report.js'
import { ROUNDS } from './rounds.js'

/** Rows by the name under which they can be asked for. */
export type Parts = Readonly<Record<string, () => Promise<readonly Row[]>>>

/** Install what is measured beside noisecap, unless that has been done; `package.json` says what. */
function installPeers(): void {
  const peers = fileURLToPath(new URL('../peers', import.meta.url))
  // npm writes this file last. An older one lacks what was added to the lock since.
  const installed = `${peers}/node_modules/.package-lock.json`
  if (existsSync(installed) && !isOlder(installed, `${peers}/package-lock.json`)) return
  console.log('Installing the peers of the benchmark (bench/peers) …')
  const { status } = spawnSync('npm', ['ci'], { cwd: peers, stdio: 'inherit', shell: true })
  if (status !== 0) throw new Error('Cannot install the peers: npm ci failed')
}

function isOlder(path: string, than: string): boolean {
  return statSync(path).mtimeMs < statSync(than).mtimeMs
}

/** Run the parts that the command line names, or all, print their rows and end the process. */
export async function runParts(parts: Parts): Promise<never> {
  installPeers()
  const chosen = process.argv.slice(2)
  const unknown = chosen.find((name) => parts[name] === undefined)
  if (unknown !== undefined)
    throw new Error(`There is no part ${unknown}: choose of ${Object.keys(parts).join(', ')}`)
  const rows: Row[] = []
  for (const [name, part] of Object.entries(parts)) {
    if (chosen.length > 0 && !chosen.includes(name)) continue
    console.log(`… ${name}`)
    rows.push(...(await part()))
  }
  const load = loadavg()[0]?.toFixed(1)
  console.log(
    `\n${circumstances()}; medians of at least ${ROUNDS} alternating rounds; load average ${load}\n`,
  )
  print(rows)
  process.exit(0)
}
