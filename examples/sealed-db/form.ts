// A web form that can only write: it has the public key of the reader and nothing else. `node form.ts <database> <public key>`;
// prints its address to its parent, and seals to another key when told so.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { sealedSqliteColumns } from 'noisecap/seal/drizzle'
import { openDatabase, users } from './schema.js'

const [file = '', publicKey = ''] = process.argv.slice(2)
const db = await openDatabase(file)
let sealer = sealedSqliteColumns(publicKey)
/** Rows that are sealed and not stored yet. */
const pending = new Set<Promise<unknown>>()

async function insert(row: { id: string; name: string; email: string }): Promise<void> {
  const stored = Promise.resolve(db.insert(users).values(sealer.seal(users, row)))
  pending.add(stored)
  await stored.finally(() => pending.delete(stored))
}

const server = createServer((request, response) => {
  void (async () => {
    const form = new URLSearchParams(await text(request))
    const row = { id: crypto.randomUUID(), name: form.get('name') ?? '', email: form.get('email') ?? '' }
    await insert(row)
    response.writeHead(201, { 'content-type': 'text/plain' }).end(row.id)
  })().catch(() => response.writeHead(500).end())
})
server.listen(0, '127.0.0.1')
await once(server, 'listening')

process.on('message', ({ sealTo }: { sealTo: string }) => {
  sealer[Symbol.dispose]()
  sealer = sealedSqliteColumns(sealTo)
  // Told only when nothing is on its way any more that was sealed to the old key, so that all of it can be rewrapped.
  void Promise.allSettled([...pending]).then(() => process.send?.({ sealsTo: sealTo }))
})
process.on('disconnect', () => process.exit())
process.send?.({ address: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
