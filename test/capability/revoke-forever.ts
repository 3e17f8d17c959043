// Child process of revocation-file.test.ts: revokes random ids as fast as it can and prints each one after it is durable.
// Ends only by being killed.
import { randomBytes } from 'node:crypto'
import { writeSync } from 'node:fs'
import { RevocationFile } from '../../src/capability/files.js'

const set = await RevocationFile.open(process.argv[2]!)
writeSync(1, 'ready\n')
for (;;) {
  const ids = Array.from({ length: 4 }, () => randomBytes(16).toString('hex'))
  await Promise.all(ids.map((id) => set.revoke(id).then(() => writeSync(1, `${id}\n`))))
}
