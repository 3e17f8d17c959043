// What a page loads for each thing that it may want, from the package as it is published: bundled and minified by esbuild,
// then gzipped. Fails when one is over its limit, or holds a part that has no business in it. Run by `npm run size`.
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { packageFolder } from './package-folder.mjs'

const KB = 1_000

/** `limit` and `aim` in bytes after gzip; `without`: folders of the sources that must not be inside. */
const WANTED = [
  {
    name: 'connect',
    program: "export { connect, iface, method, stream } from 'noisecap'",
    limit: 77 * KB,
    aim: 40 * KB,
    without: ['seal', 'testing'],
  },
  {
    name: 'browser',
    program: "export { takeCapability, linkTo } from 'noisecap/browser'",
    limit: 24 * KB,
    aim: 24 * KB,
    without: ['rpc', 'session', 'transport', 'seal'],
  },
  {
    name: 'seal',
    program: "export { SealWriter, Column, text } from 'noisecap/seal'",
    limit: 35 * KB,
    aim: 25 * KB,
    without: ['rpc', 'session', 'transport', 'resolve'],
  },
  {
    name: 'open',
    program: "export { SealReader, Column, text } from 'noisecap/seal'",
    limit: 38 * KB,
    aim: 25 * KB,
    without: ['rpc', 'session', 'transport', 'resolve'],
  },
]

const { folder, remove } = await packageFolder()
let failed = false
try {
  for (const { name, program, limit, aim, without } of WANTED) {
    const { outputFiles, metafile } = await build({
      stdin: { contents: program, resolveDir: folder },
      bundle: true,
      minify: true,
      write: false,
      metafile: true,
      format: 'esm',
      platform: 'browser',
      target: 'es2022',
      legalComments: 'none',
    })
    const code = outputFiles[0].contents
    const gzipped = gzipSync(code, { level: 9 }).length
    const verdict = gzipped > limit ? `OVER ITS LIMIT of ${kb(limit)}` : `limit ${kb(limit)}, aim ${kb(aim)}`
    console.log(`${name.padEnd(12)} ${kb(code.length)} minified, ${kb(gzipped)} gzipped (${verdict})`)
    const inside = Object.entries(Object.values(metafile.outputs)[0].inputs)
      .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
      .map(([path]) => path)
    const strays = inside.filter((path) => without.some((part) => path.includes(`/dist/browser/${part}/`)))
    if (strays.length > 0) console.log(`  HOLDS WHAT IT MUST NOT: ${strays.join(', ')}`)
    failed ||= gzipped > limit || strays.length > 0
  }
} finally {
  remove()
}
process.exitCode = failed ? 1 : 0

function kb(bytes) {
  return `${(bytes / KB).toFixed(1)} kB`
}
