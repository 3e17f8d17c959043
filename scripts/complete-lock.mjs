// Completes package-lock.json after `npm install`: npm drops optional platform packages that the registry at hand does
// not serve, and `npm ci` then refuses the lock (npm/cli#9846). Adds each with its version, os and cpu, so that every
// platform gets its own and no other; without integrity, which only that registry could tell.
import { readFileSync, writeFileSync } from 'node:fs'

const OS = [
  'android',
  'darwin',
  'freebsd',
  'linux',
  'netbsd',
  'openbsd',
  'openharmony',
  'sunos',
  'win32',
  'aix',
]
const CPU = ['arm64', 'arm', 'x64', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'wasm32']

const path = new URL('../package-lock.json', import.meta.url)
const lock = JSON.parse(readFileSync(path, 'utf8'))
const { packages } = lock

/** Whether npm would find `name` from the package at `from`. */
function isLocked(name, from) {
  for (let base = from; ; base = base.slice(0, base.lastIndexOf('node_modules/')).replace(/\/$/, '')) {
    if (packages[`${base === '' ? '' : `${base}/`}node_modules/${name}`] !== undefined) return true
    if (base === '') return false
  }
}

let added = 0
for (const [from, entry] of Object.entries(packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    if (isLocked(name, from) || !/^\d/.test(version)) continue
    const words = name.split(/[/-]/)
    const os = OS.filter((word) => words.includes(word))
    const cpu = CPU.filter((word) => words.includes(word))
    if (name.includes('wasm32')) cpu.push('wasm32')
    const key = `node_modules/${name}`
    const place = packages[key] === undefined ? key : `${from}/${key}`
    packages[place] = {
      version,
      ...(cpu.length > 0 && { cpu: [...new Set(cpu)] }),
      ...(entry.dev && { dev: true }),
      optional: true,
      ...(os.length > 0 && { os }),
    }
    added += 1
  }
}
lock.packages = Object.fromEntries(Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : 1)))
writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`)
console.log(`package-lock.json: ${added} platform packages added`)
