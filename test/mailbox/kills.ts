// `npm run faults:mailbox -- 1000`: the workload of kill-workload.ts with so many kills; prints what came of it.
import { runKills, wrongWith } from './kill-workload.js'

const kills = Number(process.argv[2] ?? 1_000)
const report = await runKills(kills, (kill) => {
  if (kill % 50 === 0) console.log(`${kill} kills`)
})
const wrong = wrongWith(report)
console.log(`${report.kills} kills, ${report.sent} sent, ${report.got.length} received`)
console.log(wrong ?? 'each once, in order')
process.exit(wrong === undefined ? 0 : 1)
