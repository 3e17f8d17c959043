// What objects by reference cost, beside peers in the same run: `npm run bench:rpc`, or with the names of parts.
// Prints one table of medians over alternating rounds, each ratio beside its bar; figures stand in docs/performance.md.
// Leaves out what the parts measure (bench/rpc/) and how a table is made (bench/suite/).
import { bytesRows } from './rpc/bytes-rows.js'
import { callRows } from './rpc/call-rows.js'
import { chainRow } from './rpc/chain-row.js'
import { farRow } from './rpc/far-row.js'
import { idleRow } from './rpc/idle-row.js'
import { interleaveRow } from './rpc/interleave-row.js'
import { referencesRow } from './rpc/references-row.js'
import { startRows } from './rpc/start-rows.js'
import { runParts } from './suite/parts.js'

await runParts({
  calls: callRows,
  bytes: bytesRows,
  far: async () => [await farRow()],
  interleave: async () => [await interleaveRow()],
  chain: async () => [await chainRow()],
  references: async () => [await referencesRow()],
  idle: async () => [await idleRow()],
  start: startRows,
})
