// A relay in a process of its own: `relay-process.ts lmdb <directory>` or `relay-process.ts postgres <url>`. Sends its parent the
// capability that opens boxes, and ends with it.
import { Service } from 'noisecap'
import { Relay } from 'noisecap/mailbox'
import { openLmdbMailboxStore } from 'noisecap/mailbox/lmdb'
import { openPostgresMailboxStore } from 'noisecap/mailbox/postgres'

const [kind, place] = process.argv.slice(2)
if (place === undefined) throw new Error('Cannot start relay: expected a kind of store and its place')
const store =
  kind === 'postgres'
    ? await openPostgresMailboxStore({ connectionString: place })
    : openLmdbMailboxStore(place)
const service = Service.create(undefined, { announcers: [] })
const relay = new Relay(service, store)
const at = await service.listen('tcp://127.0.0.1:0')
process.send?.(relay.boxes.mint({}, { at: [at] }).export())
process.on('disconnect', () => process.exit(0))
