// A relay over LMDB beside NATS JetStream with file storage, and beside LMDB alone; sealing and opening apart.
// Leaves out our side of the traffic (traffic.ts).

import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect as connectTcp } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AckPolicy, jetstream, jetstreamManager, StorageType } from '@nats-io/jetstream'
import { connect as connectNats } from '@nats-io/transport-node'
import { open } from 'lmdb'
import { findNats, startNats } from '../../scripts/nats.mjs'
import { EnvelopeReader } from '../../src/mailbox/envelope.js'
import { startProcess } from '../suite/orders.js'
import { atLeast, atMost, count, type Row, reported } from '../suite/report.js'
import { alternate, median, SHORT_ROUND_MS, SHORT_ROUNDS, timeFor } from '../suite/rounds.js'
import { IN_FLIGHT, inFlight } from './in-flight.js'
import { key, sealer } from './sealing.js'
import { STORED_BYTES } from './stored.js'
import { MESSAGES, Traffic, WARMUPS } from './traffic.js'

const DEPOSITS = 100

/** Publish, consume and acknowledge as many messages of the same length. */
async function natsRound(server: Awaited<ReturnType<typeof startNats>>): Promise<() => Promise<number>> {
  const connection = await connectNats(server.connection)
  const manager = await jetstreamManager(connection)
  await manager.streams.add({ name: 's', subjects: ['s'], storage: StorageType.File })
  const durable = { durable_name: 'c', ack_policy: AckPolicy.Explicit, max_ack_pending: IN_FLIGHT }
  await manager.consumers.add('s', durable)
  const stream = jetstream(connection)
  const consumer = await stream.consumers.get('s', 'c')
  const body = new Uint8Array(STORED_BYTES)
  return async () => {
    const began = performance.now()
    await inFlight(MESSAGES, () => stream.publish('s', body))
    const acks: Promise<boolean>[] = []
    for await (const message of await consumer.consume({ max_messages: IN_FLIGHT })) {
      acks.push(message.ackAck())
      if (acks.length === MESSAGES) break
    }
    await Promise.all(acks)
    return (MESSAGES / (performance.now() - began)) * 1_000
  }
}

/** A durable put in another process behind a bare socket, one after the other. */
async function floorRound(file: string) {
  const server = startProcess(new URL('floor-process.ts', import.meta.url), [file])
  const [port] = (await once(server, 'message')) as [number] // what floor-process.ts sends
  const socket = connectTcp({ port, host: '127.0.0.1', noDelay: true })
  await once(socket, 'connect')
  const body = new Uint8Array(STORED_BYTES)
  return {
    deposits: async (): Promise<readonly number[]> => {
      const taken: number[] = []
      for (let i = 0; i < DEPOSITS; i++) {
        const began = performance.now()
        const answered = once(socket, 'data')
        socket.write(body)
        await answered
        taken.push(performance.now() - began)
      }
      return taken
    },
    [Symbol.dispose]: () => {
      socket.destroy()
      server.disconnect()
    },
  }
}

export async function lmdbRows(): Promise<readonly Row[]> {
  const directory = mkdtempSync(join(tmpdir(), 'noisecap-bench-mailbox-'))
  using traffic = await Traffic.start('lmdb', join(directory, 'boxes'))
  const server = findNats() === undefined ? undefined : await startNats()
  if (server === undefined) console.log('SKIPPED: NATS is not installed (node scripts/nats.mjs --install)')
  const alone = open<Uint8Array, string>({ path: join(directory, 'alone'), encoding: 'binary' })
  try {
    const rounds = [() => traffic.round()]
    if (server !== undefined) rounds.push(await natsRound(server))
    const [own = [], nats = []] = await alternate(rounds, WARMUPS)
    const stored = new Uint8Array(STORED_BYTES)
    const durablePuts = async (): Promise<readonly number[]> => {
      const taken: number[] = []
      for (let i = 0; i < DEPOSITS; i++) {
        const began = performance.now()
        await alone.put(String(i), stored)
        await alone.flushed
        taken.push(performance.now() - began)
      }
      return taken
    }
    using floor = await floorRound(join(directory, 'floor'))
    const lone = [() => traffic.deposits(DEPOSITS), durablePuts, floor.deposits]
    const [deposits = [], puts = [], floors = []] = await alternate(lone, WARMUPS)
    const [depositMs, putMs, floorMs] = [median(deposits.flat()), median(puts.flat()), median(floors.flat())]
    const what = `LMDB: deposit, collect, ack, 1 KiB, ${IN_FLIGHT} in flight`
    const ours = `${count(median(own))}/s`
    const peer = 'NATS JetStream, files, synced every 2 min'
    return [
      server === undefined
        ? { what, ours, peer: `${peer}: not installed`, ...reported() }
        : {
            what,
            ours,
            peer: `${peer}: ${count(median(nats))}/s`,
            ...atLeast(median(own) / median(nats), 1),
          },
      {
        what: 'LMDB: one deposit after the other, p50',
        ours: `${depositMs.toFixed(2)} ms`,
        peer: `a durable put of lmdb alone: ${putMs.toFixed(2)} ms`,
        ...atMost(depositMs / putMs, 1.5),
      },
      {
        what: 'the same put behind a bare socket in another process, p50',
        ours: '',
        peer: `${floorMs.toFixed(2)} ms`,
        ...reported(floorMs / putMs),
      },
    ]
  } finally {
    await server?.stop()
    await alone.close()
    rmSync(directory, { recursive: true, force: true })
  }
}

/** CPU time of sealing and opening one message, which the rows above leave out. */
export async function sealingRows(): Promise<readonly Row[]> {
  const box = new Uint8Array(16)
  const seal = sealer(box)
  using reader = new EnvelopeReader({ key, box, accept: [{ pattern: 'N' }] })
  const envelopes = Array.from({ length: 64 }, seal)
  let next = 0
  const [sealing = [], opening = []] = await alternate(
    [
      () => timeFor(SHORT_ROUND_MS, seal),
      () => timeFor(SHORT_ROUND_MS, () => reader.open(envelopes[next++ % envelopes.length]!)),
    ],
    20,
    SHORT_ROUNDS,
  )
  const row = (what: string, micros: readonly number[]): Row => ({
    what,
    ours: `${median(micros).toFixed(0)} µs`,
    peer: '',
    ...reported(),
  })
  return [row('sealing a message of 1 KiB, CPU', sealing), row('opening one, CPU', opening)]
}
