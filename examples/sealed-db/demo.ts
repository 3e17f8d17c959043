// A form that can only write and a worker that can only read, with the worker's key replaced while people go on writing.
// `npm run demo:seal`: starts both as processes over one SQLite file, checks each step and ends with an error where one fails.
import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateKeyPair } from 'noisecap/seal'
import { RowReader } from 'noisecap/seal/drizzle'
import { openDatabase, users } from './schema.js'

const PEOPLE_BEFORE = 20
const PEOPLE_AFTER = 10
const directory = await mkdtemp(join(tmpdir(), 'noisecap-sealed-db-'))
const file = join(directory, 'users.db')
const children: ChildProcess[] = []

async function start(script: string, ...args: string[]) {
  const path = new URL(script, import.meta.url)
  const child = fork(path, [file, ...args], { execArgv: ['--import', 'tsx'] })
  children.push(child)
  const [first] = (await once(child, 'message')) as [Record<string, string>]
  return { child, first }
}

async function ask<Answer>(child: ChildProcess, message: unknown): Promise<Answer> {
  child.send(message as string)
  const [answer] = (await once(child, 'message')) as [{ result: Answer; error?: string }]
  assert.equal(answer.error, undefined)
  return answer.result
}

interface Read {
  readonly rows: readonly { readonly email: string }[]
  readonly failed: number
}

async function demo(): Promise<void> {
  const { child: worker } = await start('worker.ts')
  const firstKey = await ask<string>(worker, 'publicKey')
  const { child: form, first } = await start('form.ts', firstKey)
  const submit = async (number: number) => {
    const body = new URLSearchParams({ name: `Person ${number}`, email: `person-${number}@example.org` })
    const { status } = await fetch(first['address'] ?? '', { method: 'POST', body })
    assert.equal(status, 201)
  }
  for (let number = 0; number < PEOPLE_BEFORE; number++) await submit(number)
  console.log(`form: ${PEOPLE_BEFORE} people written, with the reader's public key alone`)

  const before = await ask<Read>(worker, 'read')
  assert.deepEqual({ read: before.rows.length, failed: before.failed }, { read: PEOPLE_BEFORE, failed: 0 })
  console.log(`worker: ${before.rows.length} people read`)

  for (const name of await readdir(directory)) {
    const bytes = await readFile(join(directory, name))
    assert.ok(!bytes.includes('example.org') && !bytes.includes('Person'), `${name} holds plaintext`)
  }
  const stranger = new RowReader({ keys: generateKeyPair(), accept: [{ pattern: 'N' }] })
  const db = await openDatabase(file)
  const stored = await db.select().from(users)
  assert.ok(stranger.openEach(users, stored).every(({ ok }) => !ok))
  console.log('database: no plaintext in its files, and nothing that another key opens')

  // The rotation: people go on writing all along.
  let writing = true
  let written = PEOPLE_BEFORE
  const people = (async () => {
    while (writing || written < PEOPLE_BEFORE + PEOPLE_AFTER) await submit(written++)
  })()
  const nextKey = await ask<string>(worker, 'addKey')
  assert.notEqual(nextKey, firstKey)
  form.send({ sealTo: nextKey })
  await once(form, 'message')
  const rewrapped = await ask<number>(worker, 'dropOldKey')
  writing = false
  await people
  assert.ok(rewrapped >= PEOPLE_BEFORE)
  console.log('rotation: what was sealed to the old key was rewrapped while people went on writing')

  const after = await ask<Read>(worker, 'read')
  assert.equal(after.failed, 0)
  const emails = new Set(after.rows.map(({ email }) => email))
  assert.equal(emails.size, written)
  for (let number = 0; number < written; number++) assert.ok(emails.has(`person-${number}@example.org`))
  console.log('worker: everybody read with the new key alone')
}

try {
  await demo()
} finally {
  for (const child of children) child.disconnect()
  await Promise.all(children.map((child) => child.exitCode ?? once(child, 'exit')))
  await rm(directory, { recursive: true, force: true })
}
console.log('sealed-db: all checks passed')
