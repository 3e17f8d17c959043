// Replays against a real Service that was restarted: no handler runs, not even the factory of the object.
import { expect, test } from 'vitest'
import { concat, EMPTY } from '../../src/bytes.js'
import { iface, method, Service, ServiceKey } from '../../src/index.js'
import { u16 } from '../../src/session/hello.js'
import { memoryPair } from '../../src/transport/index.js'
import { batch, call } from '../rpc/scripted.js'
import { ALL, clientOf, prepared, Shop } from '../session/parties.js'

const Counter = iface('Counter', { add: method<void, number>() })

/** One run of a service; the key outlives it, the memory of ephemerals does not. */
function start(key: ServiceKey, contacts: Shop['contacts']) {
  const service = Service.create(key, { announcers: [], contacts })
  const ran = { factory: 0, handler: 0 }
  const offer = service.offer('counters/:name', Counter, () => {
    ran.factory += 1
    return { add: () => (ran.handler += 1) }
  })
  return { service, ran, offer }
}

/** A connection to the service that collects what comes back. */
function dial(service: Service) {
  const { client, server } = memoryPair()
  let got: Uint8Array = EMPTY
  let closed = false
  client.start({
    data: (bytes) => {
      got = concat(got, bytes)
    },
    drain: () => {},
    end: () => {
      closed = true
      client.end()
    },
    closed: () => {
      closed = true
    },
  })
  service.accept(server)
  /** The message of that number, without its length, once it is whole. */
  const frame = (index: number): Uint8Array | undefined => {
    let rest = got
    for (let i = 0; rest.length >= 2; i++) {
      const length = (rest[0]! << 8) | rest[1]!
      if (rest.length < 2 + length) return undefined
      if (i === index) return rest.slice(2, 2 + length)
      rest = rest.subarray(2 + length)
    }
    return undefined
  }
  return { frame, send: (message: Uint8Array) => void client.write(message), isClosed: () => closed }
}

const framed = (message: Uint8Array) => concat(u16(message.length), message)

test.each(ALL)(
  '%s: a whole recorded session, replayed to a restarted service, runs nothing',
  async (pattern) => {
    const key = ServiceKey.generate()
    const shop = new Shop()
    const first = start(key, shop.contacts)
    const { capability, keyPair } = prepared(pattern, shop, first.offer.mint({ name: 'a' }))
    const client = clientOf(capability, keyPair, pattern)

    // The genuine session, recorded.
    const sent: Uint8Array[] = []
    const wire = dial(first.service)
    const send = (bytes: Uint8Array) => {
      sent.push(Uint8Array.from(bytes))
      wire.send(bytes)
    }
    send(framed(client.hello))
    await expect.poll(() => wire.frame(0)).toBeDefined()
    let step = client.receive(wire.frame(0)!)
    if ('reply' in step) {
      send(framed(step.reply))
      await expect.poll(() => wire.frame(1)).toBeDefined()
      step = client.receive(wire.frame(1)!)
    }
    if ('reply' in step) throw new Error('expected a session')
    send(step.session.seal(batch(call(0, 'add')), 'length'))
    await expect.poll(() => first.ran).toEqual({ factory: 1, handler: 1 })
    await first.service.close(0)

    // The same bytes, to the same key, without its memory.
    const second = start(key, shop.contacts)
    const replay = dial(second.service)
    replay.send(sent[0]!)
    await expect.poll(() => replay.frame(0)).toBeDefined() // the hello is genuine: message 2 comes
    for (const bytes of sent.slice(1)) replay.send(bytes)
    // A bad record ends the session; a bad message 3 is silence, till the deadline.
    if (pattern !== 'XK') await expect.poll(replay.isClosed).toBe(true)
    for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve))
    expect(second.ran).toEqual({ factory: 0, handler: 0 })
    await second.service.close(0)
    expect(second.ran).toEqual({ factory: 0, handler: 0 })
  },
)
