// What a page loads for each thing that it may want, from the package as it is published: bundled and minified by esbuild,
// then gzipped: at once, and in all with what it may load later. Fails when one is over its limit, or holds a part that has
// no business in it. Run by `npm run size`.
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { packageFolder } from './package-folder.mjs'

const KB = 1_000

/** `limit` and `aim` in bytes after gzip; `without`: folders of the sources that must not be inside. */
const WANTED = [
  {
    name: 'connect',
    program: "export { connect, iface, method, stream } from 'noisecap'",
    limit: 78 * KB,
    aim: 40 * KB,
    without: ['seal', 'testing'],
  },
  {
    name: 'browser',
    program: "export { takeCapability, linkTo } from 'noisecap/browser'",
    limit: 22.5 * KB,
    aim: 22.5 * KB,
    without: ['rpc', 'session', 'transport', 'seal'],
  },
  {
    name: 'seal',
    program: "export { SealWriter, Column, text } from 'noisecap/seal'",
    limit: 23.5 * KB,
    aim: 25 * KB,
    without: ['rpc', 'session', 'transport', 'resolve', 'capability', 'seal/stream'],
  },
  {
    name: 'mailbox',
    program: "export { IndexedDbOrderedStore, Inbox, Outbox } from 'noisecap/mailbox/browser'",
    limit: 102 * KB,
    aim: 100 * KB,
    without: ['testing'],
  },
  {
    name: 'open',
    program: "export { SealReader, Column, text } from 'noisecap/seal'",
    limit: 25 * KB,
    aim: 25 * KB,
    without: ['rpc', 'session', 'transport', 'resolve', 'capability', 'seal/stream'],
  },
]

const { folder, remove } = await packageFolder()
let failed = false
try {
  for (const { name, program, limit, aim, without } of WANTED) {
    const { outputFiles, metafile } = await build({
      stdin: { contents: program, resolveDir: folder },
      bundle: true,
      splitting: true,
      outdir: 'nowhere',
      minify: true,
      write: false,
      metafile: true,
      format: 'esm',
      platform: 'browser',
      target: 'es2022',
      legalComments: 'none',
    })
    const atOnce = loadedAtOnce(metafile)
    const sizes = outputFiles.map(({ path, contents }) => ({
      isAtOnce: [...atOnce].some((output) => path.endsWith(output)),
      minified: contents.length,
      gzipped: gzipSync(contents, { level: 9 }).length,
    }))
    const first = sizes.filter(({ isAtOnce }) => isAtOnce)
    const gzipped = sum(first, 'gzipped')
    const verdict = gzipped > limit ? `OVER ITS LIMIT of ${kb(limit)}` : `limit ${kb(limit)}, aim ${kb(aim)}`
    const total = `${kb(sum(sizes, 'gzipped'))} with what is loaded later`
    console.log(
      `${name.padEnd(8)} ${kb(sum(first, 'minified'))} minified, ${kb(gzipped)} gzipped (${verdict}); ${total}`,
    )
    const inside = Object.values(metafile.outputs)
      .flatMap(({ inputs }) => Object.entries(inputs))
      .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
      .map(([path]) => path)
    const strays = inside.filter((path) => without.some((part) => path.includes(`/dist/browser/${part}`)))
    if (strays.length > 0) console.log(`  HOLDS WHAT IT MUST NOT: ${strays.join(', ')}`)
    failed ||= gzipped > limit || strays.length > 0
  }
} finally {
  remove()
}
process.exitCode = failed ? 1 : 0

/** The entry and what it imports, directly or not, without `import()`. */
function loadedAtOnce({ outputs }) {
  const found = new Set()
  const add = (path) => {
    if (found.has(path)) return
    found.add(path)
    for (const { path: next, kind } of outputs[path].imports) if (kind === 'import-statement') add(next)
  }
  add(Object.keys(outputs).find((path) => outputs[path].entryPoint !== undefined))
  return found
}

function sum(sizes, key) {
  return sizes.reduce((total, size) => total + size[key], 0)
}

function kb(bytes) {
  return `${(bytes / KB).toFixed(1)} kB`
}
