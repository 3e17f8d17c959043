// Real servers of boxes that end under load as if the power had failed (Postgres: SIGQUIT, NATS: SIGKILL) and start again, and two relays on one server of which one is killed after
// the other: real processes. More kills: `npm run faults:mailbox -- 100 nats server`.
import { describe, expect, test } from 'vitest'
import { findNats, startNats } from '../../scripts/nats.mjs'
import { findPostgres, startPostgres } from '../../scripts/postgres.mjs'
import { type KillOptions, runKills, wrongWith } from './kill-workload.js'

interface Server {
  readonly options: Pick<KillOptions, 'place' | 'server'>
  readonly stop: () => Promise<void>
}

const SERVERS: Readonly<Record<string, { readonly found: boolean; readonly start: () => Promise<Server> }>> =
  {
    postgres: {
      found: findPostgres() !== undefined,
      start: async () => {
        const postgres = await startPostgres()
        return {
          options: { place: { postgres: postgres.url }, server: postgres },
          stop: () => postgres.stop(),
        }
      },
    },
    nats: {
      found: findNats() !== undefined,
      start: async () => {
        const nats = await startNats()
        return { options: { place: { nats: nats.connection }, server: nats }, stop: () => nats.stop() }
      },
    },
  }

for (const [name, { found, start }] of Object.entries(SERVERS)) {
  if (!found)
    console.error(
      `\n*** SKIPPED: ${name} killed under load. It is not installed; root can: node scripts/${name}.mjs --install\n`,
    )
  describe.skipIf(!found)(name, () => {
    test('ended under load loses nothing that was acknowledged and delivers nothing twice', async () => {
      const { options, stop } = await start()
      const report = await runKills({ ...options, kills: 3 }).finally(stop)
      expect(report.sent).toBeGreaterThan(10)
      expect(wrongWith(report)).toBeUndefined()
    }, 240_000)

    test('deposited at one relay, collected at another, both killed in turn: each once, in order', async () => {
      const { options, stop } = await start()
      const { place } = options
      const report = await runKills({ place, twins: true, kills: 4 }).finally(stop)
      expect(report.sent).toBeGreaterThan(10)
      expect(wrongWith(report)).toBeUndefined()
    }, 240_000)
  })
}
