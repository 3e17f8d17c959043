// What a message at a relay costs, beside what people would use otherwise: `npm run bench:mailbox`, or with the names of parts.
// Leaves out what the parts measure (bench/mailbox/) and how a table is made (bench/suite/).
import { collectorsRow } from './mailbox/collectors-row.js'
import { lmdbRows, sealingRows } from './mailbox/lmdb-rows.js'
import { postgresRows } from './mailbox/postgres-rows.js'
import { scaleRows } from './mailbox/scale-rows.js'
import { runParts } from './suite/parts.js'

await runParts({
  lmdb: lmdbRows,
  postgres: postgresRows,
  sealing: sealingRows,
  scale: scaleRows,
  collectors: async () => [await collectorsRow()],
})
