// Child process of contact-file.test.ts: adds random contacts as fast as it can and prints each one after it is durable.
// Ends only by being killed.
import { randomBytes } from 'node:crypto'
import { writeSync } from 'node:fs'
import type { ContactKey } from '../../src/capability/index.js'
import { asPublicKey } from '../../src/crypto/index.js'
import { ContactFile } from '../../src/session/files.js'

const book = await ContactFile.open(process.argv[2]!)
writeSync(1, 'ready\n')
for (;;) {
  const seeds = Array.from({ length: 4 }, () => randomBytes(32))
  await Promise.all(
    seeds.map(async (seed) => {
      const bytes = Uint8Array.from(seed)
      await book.add({ client: asPublicKey(bytes), contactKey: bytes as Uint8Array as ContactKey })
      writeSync(1, `${seed.toString('hex')}\n`)
    }),
  )
}
