// The snippets of pages that explain rather than build: each is a program by itself, given what the text around it takes
// for granted. They are type-checked together and run; a comment behind `console.log(…)` is what that line must print.
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fencedBlocks } from './console.js'

const execute = promisify(execFile)
const SCRATCH = '.tmp'

/** What a snippet takes for granted, and what must hold after it. */
interface Frame {
  readonly given?: string
  /** Checked by the compiler alone: it needs a server that the page tells how to set up (test/integration runs one). */
  readonly compileOnly?: true
  readonly after?: string
}

const SERVICE = `
import { ServiceKey as GivenServiceKey, mint as givenMint } from 'noisecap/capability'
const serviceKey = GivenServiceKey.generate()
const given = givenMint(serviceKey, { object: 'notes/ada' })
`
const MINTED = `${SERVICE}const capability = given\n`
const CHECK = `
import { strict as assert } from 'node:assert'
`

/** By page, then by the name behind the fence. */
const FRAMES: Readonly<Record<string, Readonly<Record<string, Frame>>>> = {
  'docs/capabilities.md': {
    'keys.ts': {
      given: `const passphrase = 'correct horse'\n`,
      after: `${CHECK}
        assert.equal((await openServiceKey('notes.key')).keyHash, serviceKey.keyHash)
        assert.equal((await openServiceKey('box.key', { passphrase })).keyHash, guarded.keyHash)
        assert.ok((await openKeyPair('ada.key')).equals(me))`,
    },
    'mint.ts': {
      given: `
        import { ServiceKey } from 'noisecap/capability'
        const serviceKey = ServiceKey.generate()\n`,
      after: `${CHECK}
        import { Capability } from 'noisecap/capability'
        const parsed = Capability.parse(text)
        assert.equal(parsed.object, 'notes/ada')
        assert.equal(parsed.claims['tier'], 'gold')
        assert.equal(parsed.label, 'Ada’s notes')
        assert.deepEqual(parsed.caveats.map(({ type }) => type), ['expires'])`,
    },
    'narrow.ts': {
      given: `${SERVICE}
        import { generateKeyPair } from 'noisecap'
        const text = given.export()
        const bobsPublicKey = generateKeyPair().publicKey\n`,
      after: `${CHECK}
        const types = ['expires', 'methods', 'holder', 'via']
        assert.deepEqual(noFurther.caveats.map(({ type }) => type), types)
        assert.throws(() => noFurther.attenuate({ via: 'x' }), { code: 'capability/final' })`,
    },
    'revoke.ts': {
      given: MINTED,
      after: `${CHECK}
        assert.ok(revocations.has(capability.ids().at(-1)!))
        assert.equal(revocations.failure, undefined)`,
    },
    'pairs.ts': {
      given: `${SERVICE}
        const secret = crypto.getRandomValues(new Uint8Array(32))
        const servicePublicKey = serviceKey.publicKey\n`,
      after: `${CHECK}
        import { verify } from 'noisecap/capability'
        const verified = verify(capability.locator, authority)
        assert.ok(verified.ok && verified.grant.object === 'notes/ada')`,
    },
  },
  'docs/sealing.md': {
    'value.ts': {
      after: `${CHECK}
        assert.throws(() => reader.open(sealed, email.at('another')), { code: 'seal/altered', message: /moved or altered/ })`,
    },
    'writer.ts': {},
    'capability.ts': {},
    'compact.ts': {
      after: `${CHECK}
        assert.equal(sealed.length - 'ada@example.org'.length, 39)`,
    },
    'schema.ts': {},
    'drizzle.ts': {
      after: `${CHECK}
        const attempt = async (run: () => unknown) => void (await run())
        const values = { id: 'x', email: 'ada@example.org' } as never
        await assert.rejects(attempt(() => db.insert(users).values(values)), TypeError)
        const like = (await import('drizzle-orm')).like(users.email as never, 'ada%')
        await assert.rejects(attempt(() => db.select().from(users).where(like)), /it is sealed/)
        const constraint = "create table c (email blob check (hex(substr(email, 1, 1)) >= 'F9'))"
        await db.run(constraint)
        await assert.rejects(attempt(() => db.run("insert into c values ('ada@example.org')")))
        await assert.rejects(attempt(() => db.run("insert into c values ('ä')")))`,
    },
    'rows.ts': {
      after: `${CHECK}
        const plaintext = { ...row, email: 'ada@example.org' }
        assert.throws(() => sql.insert(users, plaintext as never), /expected for "email" what seal/)`,
    },
    'rewrap.ts': {
      after: `${CHECK}
        const removed = new SealReader({ keys: oldKey, accept: [{ pattern: 'N' }] })
        assert.throws(() => removed.open(rewrapped, email.at(1)), { code: 'seal/not_for_reader' })`,
    },
    'file.ts': {
      given: `
        import { writeFileSync } from 'node:fs'
        writeFileSync('notes.db', 'x'.repeat(200_000))\n`,
      after: `${CHECK}
        import { readFileSync } from 'node:fs'
        assert.equal(readFileSync('notes.db.copy', 'utf8'), 'x'.repeat(200_000))
        const elsewhere = await openStream(readFileSync('notes.db.sealed'), reader)
        await assert.rejects(new Response(elsewhere.toReadableStream()).text(), { code: 'seal/altered' })`,
    },
    'lent.ts': {
      given: `
        import { writeFileSync } from 'node:fs'
        writeFileSync('notes.db', 'x'.repeat(200_000))\n`,
      after: `${CHECK}
        import { readFileSync } from 'node:fs'
        import { openStream, SealReader } from 'noisecap/seal'
        const reader = new SealReader({ keys: readerKey, accept: [{ pattern: 'N' }] })
        const opened = await openStream(readFileSync('notes.db.sealed'), reader)
        assert.equal(await new Response(opened.toReadableStream()).text(), 'x'.repeat(200_000))`,
    },
    'range.ts': {},
    'log.ts': {},
  },
  'docs/resolving.md': {
    'dns.ts': {
      compileOnly: true,
      given: `
        import { iface, method } from 'noisecap'
        const Notes = iface('Notes', { list: method<void, string[]>() })
        const text = 'noisecap://…'\n`,
    },
    'registry.ts': {
      given: `
        import { keyHashText } from 'noisecap/capability'
        import { generateKeyPair } from 'noisecap'
        const { publicKey } = generateKeyPair()
        const keyHash = keyHashText(publicKey)
        const hints: string[] = []
        const { signal } = new AbortController()\n`,
      after: `${CHECK}
        assert.deepEqual(answer.locations.map(({ uri }) => uri), ['tcp://127.0.0.1:7000'])`,
    },
    'bucket.ts': {
      after: `${CHECK}
        assert.ok(cached.name.includes('bucket'))`,
    },
  },
}

describe.each(Object.keys(FRAMES))('%s', (page) => {
  let directory: string

  beforeAll(async () => {
    await mkdir(SCRATCH, { recursive: true })
    directory = await mkdtemp(join(SCRATCH, 'pages-'))
    const config = {
      extends: '../../tsconfig.json',
      compilerOptions: { noUnusedLocals: false, noEmit: true },
      include: ['*.ts'],
    }
    await writeFile(join(directory, 'tsconfig.json'), JSON.stringify(config))
  })

  afterAll(async () => {
    await rm(directory, { recursive: true, force: true })
  })

  const env = () => ({ ...process.env, NOISECAP_REGISTRY: join(process.cwd(), directory, 'registry') })

  test('its snippets compile, run, and do what the page says', { timeout: 240_000 }, async () => {
    const blocks = (await fencedBlocks(page)).filter(({ language }) => language === 'ts')
    const frames = FRAMES[page] ?? {}
    expect(blocks.map(({ info }) => info)).toEqual(Object.keys(frames))
    for (const { info, code } of blocks) {
      const { given = '', after = '' } = frames[info] ?? {}
      await writeFile(join(directory, info), `${given}${code}${after}\nexport {}\n`)
    }
    const tsc = join(process.cwd(), 'node_modules/typescript/bin/tsc')
    await execute(process.execPath, [tsc, '-p', '.'], { cwd: directory })
    for (const { info, code } of blocks) {
      if (frames[info]?.compileOnly) continue
      const run = await execute(process.execPath, ['--import', 'tsx', info], { cwd: directory, env: env() })
      expect({ info, ...run }).toEqual({ info, stdout: promised(code), stderr: '' })
    }
  })
})

/** What the comments behind `console.log` promise. */
function promised(code: string): string {
  const lines = code.matchAll(/console\.log\(.*\) \/\/ (.+)$/gm)
  return [...lines].map(([, line]) => `${line}\n`).join('')
}
