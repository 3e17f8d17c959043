// The same traffic at a relay whose store holds much beside: BENCH_BOXES other boxes (100,000) with ten messages each.
// Leaves out our side of the traffic (traffic.ts).
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { findPostgres, startPostgres } from '../../scripts/postgres.mjs'
import { openLmdbMailboxStore } from '../../src/mailbox/lmdb.js'
import { openPostgresMailboxStore } from '../../src/mailbox/postgres.js'
import { atLeast, count, type Row } from '../suite/report.js'
import { alternate, median } from '../suite/rounds.js'
import { IN_FLIGHT } from './in-flight.js'
import { Traffic, WARMUPS } from './traffic.js'

const BOXES = Number(process.env['BENCH_BOXES'] ?? 100_000)
const MESSAGES_EACH = 10
const ENVELOPE_BYTES = 200
const LIFE_MS = 7 * 86_400_000
/** Boxes that are filled at once. */
const AT_ONCE = 1_000
/** At most 1.5 times as long as in an empty store, so at least this share of its rate. */
const BAR = 0.67

const LIMITS = {
  ...{ maxMessages: 10_000, maxBytes: 67_108_864, messageTtlSeconds: LIFE_MS / 1_000 },
  ...{ maxDeliveries: 16, ordered: true },
}

/** 16 bytes that sort as `n` does, so that a store is filled from one end to the other: random places would take hours. */
function inOrder(n: number, last = 0): Uint8Array {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  const view = new DataView(bytes.buffer)
  view.setUint32(0, Math.floor((n / (BOXES * MESSAGES_EACH)) * 2 ** 32))
  view.setUint32(4, n)
  bytes[15] = last
  return bytes
}

async function fillLmdb(path: string): Promise<void> {
  await using store = openLmdbMailboxStore(path)
  const nowMs = Date.now()
  const fill = async (n: number): Promise<void> => {
    const id = inOrder(n * MESSAGES_EACH)
    const aliases = (['deposit', 'collect', 'notify'] as const).map((role, i) => ({
      role,
      hash: inOrder(n * MESSAGES_EACH, i),
    }))
    await store.openBox({ id, limits: LIMITS, expiresMs: undefined }, aliases, nowMs)
    const messages = Array.from({ length: MESSAGES_EACH }, (_, i) => ({
      id: inOrder(n * MESSAGES_EACH + i),
      envelope: new Uint8Array(ENVELOPE_BYTES),
      expiresMs: nowMs + LIFE_MS,
    }))
    const { accepted } = await store.deposit(id, 0, messages, nowMs)
    if (accepted !== MESSAGES_EACH) throw new Error('Cannot fill store: a deposit was refused')
  }
  for (let n = 0; n < BOXES; n += AT_ONCE) {
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, BOXES - n) }, (_, i) => fill(n + i)))
  }
}

/** By its tables, since deposits would take hours. */
async function fillPostgres(url: string): Promise<void> {
  await (await openPostgresMailboxStore({ connectionString: url }))[Symbol.asyncDispose]()
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const id = (n: string) => `decode(md5(${n}::text), 'hex')`
  const nowMs = Date.now()
  try {
    await client.query(
      `insert into noisecap_box (id, max_messages, max_bytes, ttl_seconds, max_deliveries, ordered, expires_ms, messages, bytes, next_position, next_depositor)
       select ${id('n')}, 10000, 67108864, $2, 16, 1, 0, ${MESSAGES_EACH}, ${MESSAGES_EACH * ENVELOPE_BYTES}, ${MESSAGES_EACH}, 1
       from generate_series(1, $1::bigint) n order by 1`,
      [BOXES, LIFE_MS / 1_000],
    )
    await client.query(
      `insert into noisecap_message (box, position, id, depositor, size, envelope, deposited_ms, expires_ms)
       select b.id, p, ${id("encode(b.id, 'hex') || p")}, 0, ${ENVELOPE_BYTES}, decode(repeat('00', ${ENVELOPE_BYTES}), 'hex'), $1, $2
       from noisecap_box b, generate_series(0, ${MESSAGES_EACH - 1}) p order by b.id, p`,
      [nowMs, nowMs + LIFE_MS],
    )
    await client.query(
      'insert into noisecap_id select box, id, position, expires_ms from noisecap_message order by box, id',
    )
    await client.query('checkpoint')
  } finally {
    await client.end()
  }
}

/** Traffic at an empty and at a full store, in turn. */
async function row(name: string, empty: Traffic, full: Traffic): Promise<Row> {
  const [alone = [], beside = []] = await alternate([() => empty.round(), () => full.round()], WARMUPS)
  const [most, least] = [median(alone), median(beside)]
  const held = `${BOXES.toLocaleString('en')} boxes, ${(BOXES * MESSAGES_EACH).toLocaleString('en')} messages`
  return {
    what: `${name} with ${held}: deposit, collect, ack, ${IN_FLIGHT} in flight`,
    ours: `${count(least)}/s`,
    peer: `in an empty store: ${count(most)}/s`,
    ...atLeast(least / most, BAR),
  }
}

async function lmdbRow(): Promise<Row> {
  const directory = mkdtempSync(join(tmpdir(), 'noisecap-bench-scale-'))
  try {
    await fillLmdb(join(directory, 'full'))
    using empty = await Traffic.start('lmdb', join(directory, 'empty'))
    using full = await Traffic.start('lmdb', join(directory, 'full'))
    return await row('LMDB', empty, full)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

async function postgresRow(): Promise<Row> {
  const [emptyServer, fullServer] = [await startPostgres(), await startPostgres()]
  try {
    await fillPostgres(fullServer.url)
    using empty = await Traffic.start('postgres', emptyServer.url)
    using full = await Traffic.start('postgres', fullServer.url)
    return await row('Postgres', empty, full)
  } finally {
    await Promise.all([emptyServer.stop(), fullServer.stop()])
  }
}

export async function scaleRows(): Promise<readonly Row[]> {
  const rows = [await lmdbRow()]
  if (findPostgres() === undefined)
    console.log('SKIPPED: Postgres is not installed (node scripts/postgres.mjs --install)')
  else rows.push(await postgresRow())
  return rows
}
