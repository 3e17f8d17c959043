// Where a relay keeps its boxes, by a word: `lmdb` in its directory, or a database whose place stands in the environment variable
// NOISECAP_RELAY_STORE as JSON: `{"postgres": "postgres://…"}` or `{"nats": {"servers": …}}`, which several relays may share.
import { join } from 'node:path'
import type { MailboxStore } from 'noisecap/mailbox'
import { openLmdbMailboxStore } from 'noisecap/mailbox/lmdb'
import { openNatsMailboxStore } from 'noisecap/mailbox/nats'
import { openPostgresMailboxStore } from 'noisecap/mailbox/postgres'

/** Where boxes lie besides the directory of a relay. */
export type StorePlace =
  | { readonly postgres: string }
  | { readonly nats: { readonly servers: string; readonly user: string; readonly pass: string } }

/** Open the store of a relay.
 * @param place - text of a {@link StorePlace}; undefined for LMDB. */
export async function openStore(directory: string, place: string | undefined): Promise<MailboxStore> {
  if (place === undefined) return openLmdbMailboxStore(join(directory, 'boxes'))
  const given = JSON.parse(place) as StorePlace // whoever starts the relay writes it
  if ('postgres' in given) return openPostgresMailboxStore({ connectionString: given.postgres })
  return openNatsMailboxStore(given.nats)
}
