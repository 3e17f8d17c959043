// A relay over Postgres beside a bare loop of INSERT, SKIP LOCKED and DELETE with the same batches and no relay.
import pg from 'pg'
import { findPostgres, startPostgres } from '../../scripts/postgres.mjs'
import { atLeast, count, type Row, reported } from '../suite/report.js'
import { alternate, median } from '../suite/rounds.js'
import { IN_FLIGHT, inFlight } from './in-flight.js'
import { STORED_BYTES } from './stored.js'
import { MESSAGES, Traffic, WARMUPS } from './traffic.js'

/** As many as a relay keeps. */
const CONNECTIONS = 10

/** Messages as rows of one table, held by a time. */
async function bareRound(pool: pg.Pool): Promise<() => Promise<number>> {
  await pool.query(
    'CREATE TABLE bare (id bigserial PRIMARY KEY, held_until timestamptz, body bytea NOT NULL)',
  )
  const body = Buffer.alloc(STORED_BYTES)
  return async () => {
    const began = performance.now()
    await inFlight(MESSAGES, () => pool.query('INSERT INTO bare (body) VALUES ($1)', [body]))
    for (let done = 0; done < MESSAGES; ) {
      const { rows } = await pool.query<{ id: string }>(
        `UPDATE bare SET held_until = now() + interval '1 minute' WHERE id IN (
           SELECT id FROM bare WHERE held_until IS NULL ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED
         ) RETURNING id, body`,
        [IN_FLIGHT],
      )
      if (rows.length === 0) throw new Error('Cannot time the bare loop: rows are missing')
      await pool.query('DELETE FROM bare WHERE id = ANY($1)', [rows.map(({ id }) => id)])
      done += rows.length
    }
    return (MESSAGES / (performance.now() - began)) * 1_000
  }
}

export async function postgresRows(): Promise<readonly Row[]> {
  const what = `Postgres: deposit, collect, ack, 1 KiB, ${IN_FLIGHT} in flight`
  if (findPostgres() === undefined) {
    console.log('SKIPPED: Postgres is not installed (node scripts/postgres.mjs --install)')
    return [{ what, ours: 'not installed', peer: '', ...reported() }]
  }
  const server = await startPostgres()
  const pool = new pg.Pool({ connectionString: server.url, max: CONNECTIONS })
  pool.on('error', () => {}) // the server may stop before a connection has ended
  try {
    using traffic = await Traffic.start('postgres', server.url)
    const [own = [], bare = []] = await alternate([() => traffic.round(), await bareRound(pool)], WARMUPS)
    const [ours, peer] = [median(own), median(bare)]
    return [
      {
        what,
        ours: `${count(ours)}/s`,
        peer: `INSERT, SKIP LOCKED, DELETE without a relay: ${count(peer)}/s`,
        ...atLeast(ours / peer, 0.7),
      },
    ]
  } finally {
    await pool.end()
    await server.stop()
  }
}
