// What the mailbox does to disks, and disks to it: LMDB flushes before it acknowledges, as the system calls show; and a full disk is told
// clearly, loses nothing, and is no longer in the way once there is room. Real files and processes.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { RelayProcess } from '../../examples/mailbox/relay-process.js'
import { findNats, startNats } from '../../scripts/nats.mjs'
import { Capability, generateKeyPair } from '../../src/index.js'
import { Inbox, Outbox, RelayClient } from '../../src/mailbox/lmdb.js'
import { openNatsMailboxStore } from '../../src/mailbox/nats.js'
import { messageOf } from './conformance.js'
import { canMount, mountSmallDisk } from './small-disk.js'

const WRITER = join(import.meta.dirname, 'lmdb-writer.ts')
const traced = spawnSync('strace', ['-V']).status === 0
if (!traced) console.error('\n*** SKIPPED: which system calls LMDB makes. strace is not installed\n')
const mounting = canMount()

/** The calls of a trace, each whole and where it returned: strace cuts a call in two lines when another thread's comes between. */
function wholeCalls(trace: string): string[] {
  const begun = new Map<string, string>()
  return trace.split('\n').flatMap((line) => {
    const thread = line.split(' ', 1)[0]!
    if (line.endsWith('<unfinished ...>')) {
      begun.set(thread, line.slice(0, -'<unfinished ...>'.length).trimEnd())
      return []
    }
    const resumed = /<\.\.\. \w+ resumed>(.*)$/.exec(line)
    return [resumed ? `${begun.get(thread) ?? ''}${resumed[1]}` : line]
  })
}

test.skipIf(!traced)(
  'LMDB, every entry is flushed to the disk before it is acknowledged',
  () => {
    const directory = mkdtempSync(join(tmpdir(), 'noisecap-flush-'))
    try {
      const log = join(directory, 'calls')
      const calls = 'trace=write,writev,pwrite64,pwritev,fdatasync,fsync,msync,openat'
      const args = [
        '-f',
        '-o',
        log,
        '-e',
        calls,
        process.execPath,
        '--import',
        'tsx',
        WRITER,
        join(directory, 'db'),
        '5',
      ]
      expect(spawnSync('strace', args, { encoding: 'utf8' }).stdout).toContain('kept 5')
      const lines = wholeCalls(readFileSync(log, 'utf8'))
      const place = (text: string) => lines.findIndex((line) => line.includes(`write(1, "${text}\\n"`))
      const synced = lines.find((line) => line.includes('O_DSYNC') && line.includes('data.mdb'))
      const root = synced && / = (\d+)$/.exec(synced)?.[1]
      expect(root).toBeDefined()
      for (let n = 1; n < 5; n++) {
        const between = lines.slice(place(`begin ${n}`), place(`acknowledged ${n}`))
        const flushed = between.findIndex((line) => /f(data)?sync\(\d+\)\s+= 0/.test(line))
        const rooted = between.findIndex((line) => line.includes(`pwrite64(${root}, `))
        // Pages first, then the root that makes them count, through a file that is flushed with each write.
        expect(flushed).toBeGreaterThan(0)
        expect(rooted).toBeGreaterThan(flushed)
      }
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  },
  120_000,
)

describe.skipIf(!mounting)('a full disk', () => {
  test('LMDB refuses with mailbox/store what does not fit, and has all that it acknowledged', () => {
    using disk = mountSmallDisk(4)
    const run = (count: number) =>
      spawnSync(process.execPath, ['--import', 'tsx', WRITER, join(disk!.path, 'db'), `${count}`, '8000'], {
        encoding: 'utf8',
      }).stdout
    const out = run(2_000)
    const acknowledged = out.match(/^acknowledged /gm)?.length
    expect(acknowledged).toBeGreaterThan(100)
    expect(out).toContain(`refused mailbox/store\nkept ${acknowledged}\n`)
  }, 120_000)

  test('a relay takes no more, and goes on where it was once there is room: nothing is lost', async () => {
    using disk = mountSmallDisk(12)
    const directory = mkdtempSync(join(tmpdir(), 'noisecap-full-'))
    try {
      const ballast = join(disk!.path, 'ballast')
      writeFileSync(ballast, new Uint8Array(7_000_000))
      await using relay = await new RelayProcess(join(disk!.path, 'relay')).start()
      const ada = generateKeyPair()
      await using client = new RelayClient(Capability.parse(relay.opener))
      const { deposit, collect } = await client.openBox({ to: ada.publicKey })
      await using out = new Outbox<{ n: number }>(join(directory, 'out'), deposit)
      for (let n = 0; n < 40; n++) await out.send({ n, filler: 'x'.repeat(150_000) } as { n: number })
      const room = () => {
        const { bavail, bsize } = statfsSync(disk!.path)
        return bavail * bsize
      }
      await expect.poll(room, { timeout: 60_000 }).toBeLessThan(600_000)
      expect(out.waiting).toBeGreaterThan(0)
      rmSync(ballast)
      out.retry()
      await out.flush()
      const got: number[] = []
      await using inbox = new Inbox<{ n: number }>(collect, ada, undefined, { seen: join(directory, 'seen') })
      for await (const message of inbox) {
        got.push(message.value.n)
        await message.ack()
        if (got.length === 40) break
      }
      expect(got).toEqual(Array.from({ length: 40 }, (_, n) => n))
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  }, 180_000)
})

test.skipIf(findNats() === undefined)(
  'a NATS server without room refuses with mailbox/store, and takes again once messages are gone',
  async () => {
    const nats = await startNats({ jetstream: 'max_file_store: 4MB' })
    const NOW = 1_800_000_000_000
    try {
      await using store = await openNatsMailboxStore(nats.connection)
      const box = new Uint8Array(16).fill(1)
      const limits = {
        maxMessages: 1_000,
        maxBytes: 1e9,
        messageTtlSeconds: 86_400,
        maxDeliveries: 3,
        ordered: true,
      }
      await store.openBox({ id: box, limits, expiresMs: undefined }, [], NOW)
      const large = (n: number) => messageOf(`${n} `.padEnd(300_000, 'x'))
      let taken = 0
      const filling = (async () => {
        for (; taken < 100; taken++) await store.deposit(box, 0, [large(taken)], NOW)
      })()
      await expect(filling).rejects.toMatchObject({ code: 'mailbox/store' })
      expect(taken).toBeGreaterThan(3)
      const { messages } = await store.lease(
        box,
        { consumer: new Uint8Array(8), maxMessages: 100, maxBytes: 1e9, leaseMs: 30_000 },
        NOW,
      )
      expect(messages).toHaveLength(taken)
      await store.settle(
        box,
        messages.map(({ receipt }) => ({ kind: 'ack', receipt })),
        NOW,
      )
      await expect
        .poll(() => store.deposit(box, 0, [large(taken)], NOW).catch(() => undefined), { timeout: 20_000 })
        .toMatchObject({ accepted: 1 })
    } finally {
      await nats.stop()
    }
  },
  60_000,
)
