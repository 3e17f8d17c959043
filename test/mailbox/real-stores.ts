// The stores that keep boxes where they outlive the process, each in a place of its own: files, a real Postgres, a real NATS server.
// Tests of what all of them must do run through this list. Leaves out the store in memory.
import { join } from 'node:path'
import { findNats, startNats } from '../../scripts/nats.mjs'
import { findPostgres, startPostgres } from '../../scripts/postgres.mjs'
import { openLmdbMailboxStore } from '../../src/mailbox/lmdb.js'
import { openNatsMailboxStore } from '../../src/mailbox/nats.js'
import { openPostgresMailboxStore } from '../../src/mailbox/postgres.js'
import type { MailboxStore } from '../../src/mailbox/store.js'

/** A place of boxes. */
export interface StoreAt {
  readonly open: () => Promise<MailboxStore>
  /** Folder of all files in which boxes lie. */
  readonly files: string
  /** End its server; whoever opened stores closes them first. */
  readonly stop: () => Promise<void>
}

/** A kind of store. */
export interface RealStore {
  readonly name: string
  /** Whether it is installed on this machine. */
  readonly found: boolean
  /** @param directory - an empty one, for those that have no server. */
  readonly start: (directory: string) => Promise<StoreAt>
}

/** All kinds; those that are not installed are told of. */
export const REAL_STORES: readonly RealStore[] = [
  {
    name: 'lmdb',
    found: true,
    start: async (directory) => {
      const files = join(directory, 'boxes')
      return { open: async () => openLmdbMailboxStore(files), files, stop: async () => {} }
    },
  },
  {
    name: 'postgres',
    found: findPostgres() !== undefined,
    start: async () => {
      const { url, directory, stop } = await startPostgres({ settings: { fsync: 'off' } })
      return { open: () => openPostgresMailboxStore({ connectionString: url }), files: directory, stop }
    },
  },
  {
    name: 'nats',
    found: findNats() !== undefined,
    start: async () => {
      const { connection, directory, stop } = await startNats()
      return { open: () => openNatsMailboxStore(connection), files: directory, stop }
    },
  },
]
for (const { name, found } of REAL_STORES)
  if (!found)
    console.error(
      `\n*** SKIPPED: the mailbox in ${name}. It is not installed; root can: node scripts/${name}.mjs --install\n`,
    )
