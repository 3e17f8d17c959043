// The worker that reads. It is told what to do by its parent: to read, to make itself a new key, and to rewrap what was sealed to
// the old one. Its secret keys never leave it.
import { eq } from 'drizzle-orm'
import { generateKeyPair, type KeyPair, Rewrapper } from 'noisecap/seal'
import { RowReader, SealedCell } from 'noisecap/seal/drizzle'
import { openDatabase, users } from './schema.js'

const db = await openDatabase(process.argv[2] ?? '')
let keys: KeyPair[] = [generateKeyPair()]
let reader = readerOf(keys)

function readerOf(pairs: readonly KeyPair[]) {
  return new RowReader({ keys: pairs, accept: [{ pattern: 'N' }] })
}

const newest = () => Buffer.from(keys.at(-1)!.publicKey).toString('hex')

const actions = {
  publicKey: () => newest(),
  read: async () => {
    const outcomes = reader.openEach(users, await db.select().from(users))
    const rows = outcomes.flatMap((outcome) => (outcome.ok ? [outcome.row] : []))
    return { rows, failed: outcomes.length - rows.length }
  },
  /** From now on both keys open. */
  addKey: () => {
    keys = [...keys, generateKeyPair()]
    reader = readerOf(keys)
    return newest()
  },
  /** Give the new key what was sealed to the old one: headers change, values stay. Then forget the old key. */
  dropOldKey: async () => {
    const [old, next] = keys as [KeyPair, KeyPair]
    const rewrapper = new Rewrapper({ key: old, add: [next.publicKey], dropOwn: true })
    const toNext = readerOf([next])
    let rewrapped = 0
    for (const row of await db.select().from(users)) {
      // Rows that were written since the form has the new key.
      if (toNext.openEach(users, [row])[0]?.ok) continue
      const moved = <In, Out>({ bytes, field }: SealedCell<In, Out>) =>
        new SealedCell(rewrapper.rewrap(bytes), field)
      await db
        .update(users)
        .set({ name: moved(row.name), email: moved(row.email) })
        .where(eq(users.id, row.id))
      rewrapped += 1
    }
    old[Symbol.dispose]()
    keys = [next]
    reader = readerOf(keys)
    return rewrapped
  },
}

process.on('message', (action: keyof typeof actions) => {
  void Promise.resolve(actions[action]()).then(
    (result) => process.send?.({ result }),
    (error: Error) => process.send?.({ error: error.message }),
  )
})
process.on('disconnect', () => process.exit())
process.send?.({ ready: true })
