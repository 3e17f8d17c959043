// `npm run faults:mailbox -- [KILLS] [lmdb|postgres|nats] [relay|server|twins]`: the workload of kill-workload.ts with so many kills
// of a relay, of the server that keeps the boxes, or of two relays in turn; prints what came of it.
import { startNats } from '../../scripts/nats.mjs'
import { startPostgres } from '../../scripts/postgres.mjs'
import { type KillOptions, runKills, wrongWith } from './kill-workload.js'

const [kills = '1000', store = 'lmdb', victim = 'relay'] = process.argv.slice(2)

const { stop, ...backEnd } = await open()
const options = { ...backEnd, twins: victim === 'twins', kills: Number(kills) }
const report = await runKills({
  ...options,
  server: victim === 'server' ? backEnd.server : undefined,
  told: (kill) => {
    if (kill % 50 === 0) console.log(`${kill} kills`)
  },
})
await stop?.()
const wrong = wrongWith(report)
console.log(`${store}, ${victim}: ${report.kills} kills, ${report.sent} sent, ${report.got.length} received`)
console.log(wrong ?? 'each once, in order')
process.exit(wrong === undefined ? 0 : 1)

async function open(): Promise<Pick<KillOptions, 'place' | 'server'> & { stop?: () => Promise<void> }> {
  switch (store) {
    case 'lmdb':
      if (victim === 'server') throw new TypeError('lmdb has no server: kill relay or twins')
      return {}
    case 'postgres': {
      const postgres = await startPostgres()
      return { place: { postgres: postgres.url }, server: postgres, stop: () => postgres.stop() }
    }
    case 'nats': {
      const nats = await startNats()
      return { place: { nats: nats.connection }, server: nats, stop: () => nats.stop() }
    }
    default:
      throw new TypeError(`expected lmdb, postgres or nats, got ${store}`)
  }
}
