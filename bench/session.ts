// Everything that a session costs, beside peers in the same run: `npm run bench:session`, or with the names of parts.
// Prints one table of medians over alternating rounds, each ratio beside its bar; figures stand in docs/performance.md.
// Leaves out what the parts measure (bench/session/) and how a table is made (bench/suite/).
import { callRows } from './session/call-rows.js'
import { handshakeRows } from './session/handshake-rows.js'
import { helloRow } from './session/hello-row.js'
import { setupRows } from './session/setup-rows.js'
import { runParts } from './suite/parts.js'

await runParts({
  handshakes: handshakeRows,
  hello: async () => [await helloRow()],
  setup: setupRows,
  calls: callRows,
})
