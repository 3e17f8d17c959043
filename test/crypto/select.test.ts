// The choice of providers, in child processes and a bare realm: the layer is bundled as applications bundle it, outside
// the repository, so that "not installed" is really not installed. Nothing of ours is replaced.
import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createContext, runInContext } from 'node:vm'
import { build } from 'tsup'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { PrimitiveChoice, PrimitiveName, ProviderName } from '../../src/crypto/index.js'
import { KNOWN_VERSION } from '../../src/crypto/sodium-binding.js'
import { DH_VECTORS } from './dh-vectors.js'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))
const sodiumFolder = dirname(createRequire(import.meta.url).resolve('sodium-native/package.json'))

/** What a child says about itself. */
interface Account {
  readonly report: readonly PrimitiveChoice[]
  readonly notes: readonly string[]
  /** X25519 shared secret of RFC 7748 §6.1, hexadecimal. */
  readonly shared: string
}

/** Code of a refused `primitives()` or primitive. */
interface Refusal {
  readonly code: string
  readonly message: string
  readonly hint: string
}

/** Body of a function that answers with an Account, in terms of `crypto`, the bundle's exports. */
const ACCOUNT = `
  const { alice, bob } = ${JSON.stringify(DH_VECTORS['25519'])}
  const bytes = (hex) => Uint8Array.from(hex.match(/../g), (byte) => parseInt(byte, 16))
  const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
  const own = crypto.primitives()
  const dh = own.dh('25519')
  const shared = hex(dh.dh(crypto.asSecretKey(bytes(alice.secretKey)), crypto.asPublicKey(bytes(bob.publicKey))))
  if (own.randomBytes(70_000).every((byte) => byte === 0)) throw new Error('random bytes are zero')
  if (crypto.generateKeyPair().publicKey.length !== 32) throw new Error('no key pair')
  return { report: crypto.reportOf(own), notes: crypto.notesOf(own), shared }
`

let folder: string
/** ESM bundle with no node_modules above it. */
let loneBundle: string
/** ESM bundle beside a node_modules that holds sodium-native. */
let equippedBundle: string

async function bundle(format: 'esm' | 'iife', outDir: string, forBrowsers = false): Promise<void> {
  await build({
    config: false,
    silent: true,
    entry: { crypto: join(root, 'src/crypto/index.ts') },
    format,
    globalName: 'noisecapCrypto',
    outDir,
    platform: 'browser',
    target: 'es2022',
    noExternal: [/.*/],
    // As bundlers read package.json, with dist not being built: a bundle for every host, or one for browsers.
    esbuildOptions(options) {
      options.alias = {
        '#native': join(root, `src/crypto/${forBrowsers ? 'no-' : ''}native-providers.ts`),
        '#noble-every': join(root, 'src/crypto/noble-libraries-every.ts'),
        '#noble': join(root, `src/crypto/noble-libraries${forBrowsers ? '' : '-every'}.ts`),
      }
    },
    outExtension: () => ({ js: format === 'esm' ? '.mjs' : '.js' }),
  })
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'noisecap-crypto-'))
  const [lone, equipped] = [join(folder, 'lone'), join(folder, 'equipped')]
  await bundle('esm', lone)
  await bundle('iife', lone)
  await bundle('iife', join(folder, 'browser'), true)
  await mkdir(join(equipped, 'node_modules'), { recursive: true })
  await cp(join(lone, 'crypto.mjs'), join(equipped, 'crypto.mjs'))
  await symlink(sodiumFolder, join(equipped, 'node_modules/sodium-native'), 'junction')
  loneBundle = join(lone, 'crypto.mjs')
  equippedBundle = join(equipped, 'crypto.mjs')
})

afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
})

interface ChildOptions {
  readonly bundle: string
  /** Value of NOISECAP_CRYPTO; unset when left out. */
  readonly force?: string
  /** CommonJS run before anything else. */
  readonly preload?: string
}

/** What `body` returns in a fresh Node process, or the error that it throws. */
async function inChild<T>(body: string, { bundle, force, preload }: ChildOptions): Promise<T> {
  const work = await mkdtemp(join(folder, 'child-'))
  const main = join(work, 'main.mjs')
  const first = join(work, 'first.cjs')
  await writeFile(first, preload ?? '')
  await writeFile(
    main,
    `const crypto = await import(${JSON.stringify(bundle)})
    const answer = () => { ${body} }
    try { console.log(JSON.stringify(answer())) }
    catch (error) { console.log(JSON.stringify({ code: error.code, message: error.message, hint: error.hint })) }`,
  )
  const { NOISECAP_CRYPTO: _, NODE_OPTIONS: __, ...env } = process.env
  const { stdout } = await run(process.execPath, ['--require', first, main], {
    env: force === undefined ? env : { ...env, NOISECAP_CRYPTO: force },
  })
  return JSON.parse(stdout) as T // the child's own answer
}

function providerOf(account: Account, primitive: PrimitiveName): ProviderName | undefined {
  return account.report.find((choice) => choice.primitive === primitive)?.provider
}

function reasonOf(account: Account, primitive: PrimitiveName): string | undefined {
  return account.report.find((choice) => choice.primitive === primitive)?.reason
}

function providersIn(account: Account): ReadonlySet<ProviderName | undefined> {
  return new Set(account.report.map((choice) => choice.provider))
}

/** Whether sodium-native loads on this machine, asked without our code. */
function sodiumLoads(): boolean {
  try {
    createRequire(import.meta.url)('sodium-native')
    return true
  } catch {
    return false
  }
}

const { shared } = DH_VECTORS['25519']
const NO_BUILTINS = 'delete process.getBuiltinModule'
/** The loader of a glibc that is too old, as process.dlopen reports it. */
const DLOPEN_FAILS = `
  const dlopen = process.dlopen
  process.dlopen = function (module, filename, ...rest) {
    if (!filename.includes('sodium-native')) return dlopen.call(this, module, filename, ...rest)
    const error = new Error("libc.so.6: version \`GLIBC_2.33' not found\\n(required by sodium-native.node)")
    error.code = 'ERR_DLOPEN_FAILED'
    throw error
  }`
/** Refuses the JavaScript of the package. */
const MACHINE_CODE_ONLY = `
  const Module = require('node:module')
  const load = Module._load
  Module._load = function (request, ...rest) {
    if (request === 'sodium-native') throw new Error('The package itself was loaded')
    return load.call(this, request, ...rest)
  }`
/** Another release of the binding, which lacks what we need for two primitives, made of the real one. */
const LACKS_FUNCTIONS = `
  const Module = require('node:module')
  const load = Module._load
  Module._load = function (request, ...rest) {
    const loaded = load.call(this, request, ...rest)
    if (request === 'sodium-native/package.json') return { ...loaded, version: '5.0.0' }
    if (request !== 'sodium-native') return loaded
    const { crypto_generichash, crypto_scalarmult_base, ...others } = loaded
    return others
  }`

describe.runIf(sodiumLoads())('primitives, sodium-native loads', () => {
  test('each primitive comes from its fastest provider, with a reason and no note', async () => {
    const account = await inChild<Account>(ACCOUNT, { bundle: equippedBundle })
    expect(
      Object.fromEntries(account.report.map(({ primitive, provider }) => [primitive, provider])),
    ).toEqual({
      '25519': 'sodium',
      '448': 'node',
      ChaChaPoly: 'sodium',
      AESGCM: 'node',
      SHA256: 'sodium',
      SHA512: 'sodium',
      BLAKE2s: 'node',
      BLAKE2b: 'sodium',
      random: 'sodium',
    })
    for (const { reason } of account.report) expect(reason).toMatch(/^fastest: /)
    expect(account.notes).toEqual([])
    expect(account.shared).toBe(shared)
  })

  test('the version of package.json, its machine code is loaded and nothing around it', async () => {
    const { optionalDependencies } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
      readonly optionalDependencies: Record<string, string> // the package's own file
    }
    expect(optionalDependencies['sodium-native']).toBe(KNOWN_VERSION)
    const account = await inChild<Account>(ACCOUNT, { bundle: equippedBundle, preload: MACHINE_CODE_ONLY })
    expect(providerOf(account, 'ChaChaPoly')).toBe('sodium')
    expect(account.notes).toEqual([])
    expect(account.shared).toBe(shared)
  })

  test('another version without some functions, those primitives alone come from node', async () => {
    const account = await inChild<Account>(ACCOUNT, { bundle: equippedBundle, preload: LACKS_FUNCTIONS })
    expect(providerOf(account, '25519')).toBe('node')
    expect(reasonOf(account, '25519')).toContain('sodium has no 25519')
    expect(providerOf(account, 'BLAKE2b')).toBe('node')
    expect(providerOf(account, 'ChaChaPoly')).toBe('sodium')
    expect(account.shared).toBe(shared)
  })

  test('NOISECAP_CRYPTO=sodium, what sodium has comes from sodium', async () => {
    const account = await inChild<Account>(ACCOUNT, { bundle: equippedBundle, force: 'sodium' })
    expect(providersIn(account)).toEqual(new Set(['sodium', undefined]))
    expect(account.notes).toContain('NOISECAP_CRYPTO forces sodium')
    expect(account.shared).toBe(shared)
  })

  test.each([
    ["dh('448')", '448'],
    ["aead('AESGCM')", 'AESGCM'],
    ["hash('BLAKE2s')", 'BLAKE2s'],
  ])('NOISECAP_CRYPTO=sodium, %s, crypto/unavailable and no other provider', async (call, primitive) => {
    const refusal = await inChild<Refusal>(`return crypto.primitives().${call}`, {
      bundle: equippedBundle,
      force: 'sodium',
    })
    expect(refusal.code).toBe('crypto/unavailable')
    expect(refusal.message).toContain(`sodium has no ${primitive}`)
    expect(refusal.message).toContain('forced by NOISECAP_CRYPTO')
    expect(refusal.hint).toContain('unset NOISECAP_CRYPTO')
  })
})

describe('primitives, sodium-native does not load', () => {
  test('not installed, node takes over and says why', async () => {
    const account = await inChild<Account>(ACCOUNT, { bundle: loneBundle })
    expect(providersIn(account)).toEqual(new Set(['node']))
    expect(reasonOf(account, '25519')).toBe(
      "fastest that is here: sodium is not available: Cannot find module 'sodium-native'",
    )
    expect(account.notes).toEqual(["sodium is not available: Cannot find module 'sodium-native'"])
    expect(account.shared).toBe(shared)
  })

  test('dlopen fails as on an old glibc, node takes over and says why in one line', async () => {
    const account = await inChild<Account>(ACCOUNT, { bundle: equippedBundle, preload: DLOPEN_FAILS })
    expect(providersIn(account)).toEqual(new Set(['node']))
    expect(account.notes).toHaveLength(1)
    expect(account.notes[0]).toMatch(/^sodium is not available: /)
    expect(account.notes[0]).toContain("version `GLIBC_2.33' not found")
    expect(account.notes[0]).not.toContain('\n')
    expect(account.shared).toBe(shared)
  })

  test('NOISECAP_CRYPTO=sodium, every primitive throws crypto/unavailable with the cause in words', async () => {
    for (const call of ["dh('25519')", "aead('ChaChaPoly')", "hash('SHA256')", 'randomBytes(1)']) {
      const refusal = await inChild<Refusal>(`return crypto.primitives().${call}`, {
        bundle: loneBundle,
        force: 'sodium',
      })
      expect(refusal.code).toBe('crypto/unavailable')
      expect(refusal.message).toContain("Cannot find module 'sodium-native'")
    }
  })

  test('NOISECAP_CRYPTO=sodium, the report, still there and without a provider', async () => {
    const report = await inChild<readonly PrimitiveChoice[]>('return crypto.reportOf(crypto.primitives())', {
      bundle: loneBundle,
      force: 'sodium',
    })
    expect(report).toHaveLength(9)
    expect(report.map(({ provider }) => provider)).toEqual(report.map(() => undefined))
  })
})

describe('primitives, no node:crypto', () => {
  test('process.getBuiltinModule absent, noble takes over and says why', async () => {
    const account = await inChild<Account>(ACCOUNT, { bundle: equippedBundle, preload: NO_BUILTINS })
    expect(providersIn(account)).toEqual(new Set(['noble']))
    expect(account.notes).toEqual([
      'sodium is not available: this host loads no native modules',
      'node is not available: this host has no node:crypto',
    ])
    expect(account.shared).toBe(shared)
  })

  test('NOISECAP_CRYPTO=node without process.getBuiltinModule, crypto/unavailable', async () => {
    const refusal = await inChild<Refusal>("return crypto.primitives().dh('25519')", {
      bundle: loneBundle,
      force: 'node',
      preload: NO_BUILTINS,
    })
    expect(refusal).toMatchObject({ code: 'crypto/unavailable' })
    expect(refusal.message).toContain('this host has no node:crypto')
  })

  test('a realm without process, Buffer and require, noble takes over', async () => {
    const code = await readFile(loneBundle.replace(/\.mjs$/, '.js'), 'utf8')
    const realm = createContext({ crypto: globalThis.crypto, TextEncoder, TextDecoder })
    runInContext(code, realm)
    expect(runInContext('typeof process + typeof Buffer + typeof require', realm)).toBe(
      'undefinedundefinedundefined',
    )
    const text: unknown = runInContext(`JSON.stringify(((crypto) => { ${ACCOUNT} })(noisecapCrypto))`, realm)
    const account = JSON.parse(String(text)) as Account
    expect(providersIn(account)).toEqual(new Set(['noble']))
    expect(account.shared).toBe(shared)
  })

  test('a half-empty process shim, as bundlers put it in, noble takes over', async () => {
    const code = await readFile(loneBundle.replace(/\.mjs$/, '.js'), 'utf8')
    const realm = createContext({ crypto: globalThis.crypto, TextEncoder, TextDecoder, process: {} })
    runInContext(code, realm)
    const text: unknown = runInContext(`JSON.stringify(((crypto) => { ${ACCOUNT} })(noisecapCrypto))`, realm)
    expect(providersIn(JSON.parse(String(text)) as Account)).toEqual(new Set(['noble']))
  })

  test('a realm without crypto.getRandomValues, randomBytes throws crypto/unavailable', async () => {
    const code = await readFile(loneBundle.replace(/\.mjs$/, '.js'), 'utf8')
    const realm = createContext({ TextEncoder, TextDecoder })
    runInContext(code, realm)
    const act = 'try { noisecapCrypto.generateKeyPair() } catch (error) { error.code }'
    expect(runInContext(act, realm)).toBe('crypto/unavailable')
  })
})

describe('the browser bundle', () => {
  test('noble has what noisecap uses, and everyPrimitive all of Noise', async () => {
    const realm = createContext({ crypto: globalThis.crypto, TextEncoder, TextDecoder })
    runInContext(await readFile(join(folder, 'browser/crypto.js'), 'utf8'), realm)
    const ask = (body: string): unknown =>
      JSON.parse(String(runInContext(`JSON.stringify(((crypto) => { ${body} })(noisecapCrypto))`, realm)))
    const account = ask(ACCOUNT) as Account
    expect(account.shared).toBe(shared)
    expect(
      account.report.filter(({ provider }) => provider === 'noble').map(({ primitive }) => primitive),
    ).toEqual(['25519', 'ChaChaPoly', 'SHA256', 'BLAKE2b', 'random'])
    expect(
      ask("try { crypto.primitives().dh('448') } catch ({ code, hint }) { return { code, hint } }"),
    ).toEqual({
      code: 'crypto/unavailable',
      hint: expect.stringContaining('everyPrimitive() in a browser'),
    })
    expect(ask('return crypto.reportOf(crypto.everyPrimitive()).map(({ provider }) => provider)')).toEqual(
      Array.from({ length: 9 }, () => 'noble'),
    )
  })

  test('holds no import and no require of node:* or sodium-native, and waits for nothing as it loads', async () => {
    const code = await readFile(loneBundle, 'utf8')
    expect(code).not.toMatch(/(?:from|import)\s*\(?\s*["'](?:node:|sodium-native)/)
    expect(code).not.toMatch(/\brequire\s*\(\s*["']/)
    expect(code).not.toMatch(/^(?:\S.*\s)?await /m) // at the top level, where nothing is indented
  })
})

describe('NOISECAP_CRYPTO', () => {
  test.each(['node', 'noble'] as const)('%s, every primitive from it alone', async (force) => {
    const account = await inChild<Account>(ACCOUNT, { bundle: equippedBundle, force })
    expect(providersIn(account)).toEqual(new Set([force]))
    expect(account.notes).toContain(`NOISECAP_CRYPTO forces ${force}`)
    expect(reasonOf(account, '448')).toBe('forced by NOISECAP_CRYPTO')
    expect(account.shared).toBe(shared)
  })

  test('empty, same as unset', async () => {
    const account = await inChild<Account>(ACCOUNT, { bundle: loneBundle, force: '' })
    expect(providersIn(account)).toEqual(new Set(['node']))
  })

  test.each(['Sodium', 'openssl', ' node', 'constructor'])('"%s", crypto/unavailable', async (force) => {
    const refusal = await inChild<Refusal>('return crypto.primitives()', { bundle: loneBundle, force })
    expect(refusal.code).toBe('crypto/unavailable')
    expect(refusal.message).toBe(
      'Cannot choose crypto: expected NOISECAP_CRYPTO to be sodium, node, noble or unset, got another value',
    )
    expect(refusal.hint).toContain('NOISECAP_CRYPTO')
  })

  test('changed after first use, the choice stays', async () => {
    const body = `
      const before = crypto.primitives()
      process.env.NOISECAP_CRYPTO = 'noble'
      return [before === crypto.primitives(), before.dh('448') === crypto.primitives().dh('448'), before.dh('448').provider]`
    expect(await inChild(body, { bundle: loneBundle })).toEqual([true, true, 'node'])
  })
})

describe('primitivesOf', () => {
  test.each(['node', 'noble'])('%s in a process forced to the other, still that provider', async (name) => {
    const body = `return crypto.reportOf(crypto.primitivesOf('${name}')).map((choice) => choice.provider)`
    const force = name === 'node' ? 'noble' : 'node'
    const providers = await inChild<readonly string[]>(body, { bundle: loneBundle, force })
    expect(new Set(providers)).toEqual(new Set([name]))
  })

  test('sodium where it is not installed, crypto/unavailable', async () => {
    const refusal = await inChild<Refusal>("return crypto.primitivesOf('sodium').dh('25519')", {
      bundle: loneBundle,
    })
    expect(refusal.code).toBe('crypto/unavailable')
    expect(refusal.message).toContain('forced by the caller')
  })
})
