// Tables of the mailbox in Postgres, and the migrations that make them; each runs once, under a lock, in a transaction.
// Leaves out what is done with them (postgres-store.ts).
import type { PoolClient } from 'pg'

/** Any number that nobody else takes for an advisory lock. */
const LOCK = 7_268_113_042
const MIGRATIONS: readonly string[] = [
  `create table noisecap_box (
     id bytea primary key, max_messages bigint not null, max_bytes bigint not null, ttl_seconds bigint not null,
     max_deliveries bigint not null, ordered smallint not null, expires_ms bigint not null,
     messages bigint not null default 0, bytes bigint not null default 0,
     dead_letters bigint not null default 0, dead_bytes bigint not null default 0,
     next_position bigint not null default 0, next_depositor bigint not null default 0,
     refusals bigint not null default 0, refused_ms bigint not null default 0);
   create index noisecap_box_expiry on noisecap_box (expires_ms) where expires_ms > 0;
   create table noisecap_alias (
     hash bytea primary key, box bytea not null,
     role text not null, depositor bigint not null);
   create index noisecap_alias_box on noisecap_alias (box);
   create table noisecap_message (
     box bytea not null, position bigint not null,
     id bytea not null, depositor bigint not null, size integer not null, envelope bytea not null,
     deposited_ms bigint not null, expires_ms bigint not null, deliveries integer not null default 0,
     held smallint not null default 0, until_ms bigint not null default 0, for_ms bigint not null default 0,
     consumer bytea not null default '\\x0000000000000000', dead text,
     primary key (box, position));
   -- Ciphertext does not become smaller.
   alter table noisecap_message alter column envelope set storage external;
   create table noisecap_id (
     box bytea not null, id bytea not null,
     position bigint not null, expires_ms bigint not null, primary key (box, id));
   create index noisecap_id_expiry on noisecap_id (expires_ms);`,
  // Large bodies. Their rows outlive box and message until a sweep, which removes pieces by and by.
  `alter table noisecap_message alter size type bigint, add body_bytes bigint not null default 0;
   create table noisecap_body (
     number bigserial primary key, box bytea not null, id bytea not null, depositor bigint not null,
     bytes bigint not null, pieces bigint not null default 0, expires_ms bigint not null, until_ms bigint not null,
     envelope bytea, position bigint);
   create index noisecap_body_id on noisecap_body (box, id);
   create table noisecap_piece (
     body bigint not null, index bigint not null, piece bytea not null, primary key (body, index));
   alter table noisecap_piece alter piece set storage external;`,
]

/** Bring the tables up to date; several processes may do so at once. */
export async function migrate(client: PoolClient): Promise<void> {
  await client.query('begin')
  try {
    await client.query('select pg_advisory_xact_lock($1)', [LOCK])
    await client.query('create table if not exists noisecap_mailbox (version integer primary key)')
    const { rows } = await client.query<{ version: number | null }>(
      'select max(version) as version from noisecap_mailbox',
    )
    for (let version = (rows[0]?.version ?? 0) + 1; version <= MIGRATIONS.length; version++) {
      await client.query(MIGRATIONS[version - 1]!)
      await client.query('insert into noisecap_mailbox values ($1)', [version])
    }
    await client.query('commit')
  } catch (error) {
    await client.query('rollback').catch(() => {}) // the connection may be what failed
    throw error
  }
}
