// What an application takes in with `noisecap/seal`: no session, no rpc, no transport, and nothing of Node's.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'tsup'
import { afterAll, beforeAll, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
let folder: string
let inputs: readonly string[]

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'noisecap-seal-'))
  await build({
    config: false,
    silent: true,
    entry: { seal: join(root, 'src/seal/index.ts') },
    format: 'esm',
    outDir: folder,
    platform: 'browser', // in which an import of node:* fails
    target: 'es2022',
    noExternal: [/.*/],
    metafile: true,
  })
  const { inputs: files } = JSON.parse(await readFile(join(folder, 'metafile-esm.json'), 'utf8')) as {
    inputs: Record<string, unknown>
  }
  inputs = Object.keys(files)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

test('the layers below sealing, and none beside or above it', () => {
  const own = inputs.filter((path) => !path.includes('node_modules/'))
  const layers = new Set(own.flatMap((path) => /(?:^|\/)src\/([^/]+)\//.exec(path)?.[1] ?? []))
  expect([...layers].sort()).toEqual(['crypto', 'noise', 'seal'])
})

test('no packages but those of cryptography and encodings', () => {
  const packages = new Set(
    inputs.flatMap((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? []),
  )
  // Those of noble are in it or stay outside, as the crypto layer has it.
  const allowed = ['@noble/ciphers', '@noble/curves', '@noble/hashes', '@scure/base']
  expect([...packages].filter((name) => !allowed.includes(name))).toEqual([])
  expect(packages.has('@scure/base')).toBe(true)
})
