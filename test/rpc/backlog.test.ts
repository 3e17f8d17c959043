// A peer that calls and never reads the answers: the service stops reading its calls, and goes on once it reads.
import { createServer, connect as netConnect, type Socket } from 'node:net'
import { expect, test } from 'vitest'
import { connect, iface, method, Service } from '../../src/index.js'

const Blob = iface('Blob', { large: method<number, Uint8Array>() })
const ANSWER_BYTES = 200_000
const CALLS = 400

test('a peer that reads no answers has no more of its calls read, and gets all of them once it reads', async () => {
  let served = 0
  await using service = Service.create(undefined, { announcers: [], limits: { maxCallsInFlight: 10_000 } })
  const blob = service.offer('blob', Blob, () => ({
    large: (size) => {
      served += 1
      return new Uint8Array(size)
    },
  }))
  const target = new URL((await service.listen('tcp://127.0.0.1:0')).replace('tcp:', 'http:'))
  const towardsClient: Socket[] = []
  // Between the two a relay that can stop passing answers on, as a slow reader would.
  const relay = createServer((client) => {
    const upstream = netConnect(Number(target.port), target.hostname)
    client.pipe(upstream)
    upstream.pipe(client)
    towardsClient.push(upstream)
    clients.set(upstream, client)
    client.on('error', () => {})
    upstream.on('error', () => {})
  })
  await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve))
  const { port } = relay.address() as { port: number }
  try {
    await using stub = await connect(blob.mint({}, { at: [`tcp://127.0.0.1:${port}`] }), { resolvers: [] })
    await stub.large(1)
    towardsClient[0]?.unpipe()
    towardsClient[0]?.pause()
    const answers: Promise<Uint8Array>[] = []
    for (let i = 0; i < CALLS; i++) {
      answers.push(stub.large(ANSWER_BYTES))
      // Each in a record of its own, so that the service could stop between any two.
      await new Promise((resolve) => setImmediate(resolve))
    }
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(served).toBeLessThan(CALLS)
    const [client] = towardsClient
    if (client === undefined) throw new Error('the relay saw no connection')
    resumeRelay(client)
    const all = await Promise.all(answers)
    expect(all.every(({ length }) => length === ANSWER_BYTES)).toBe(true)
    expect(served).toBe(CALLS + 1)
  } finally {
    relay.close()
  }

  function resumeRelay(upstream: Socket): void {
    const client = clients.get(upstream)
    if (client !== undefined) upstream.pipe(client)
  }
})

const clients = new Map<Socket, Socket>()
