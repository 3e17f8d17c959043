// Idempotent calls over connections that are lost: made again where that is allowed, and never where it is not.
import { createServer, connect as dialTcp, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { z } from 'zod'
import { CallError, connect, Failure, iface, method, reference, Service } from '../../src/index.js'

const Note = iface('Note', { text: method<void, string>() })
const Jobs = iface('Jobs', {
  get: method(z.number(), z.number(), { idempotent: true }),
  put: method(z.number(), z.number()),
  send: method<unknown, number>(),
  busy: method(z.number(), z.number(), { idempotent: true }),
  open: method(z.string(), Note, { idempotent: true }),
})

let service: Service
let proxy: Server
let ran: number
let cuts: number
const sockets = new Set<Socket>()

/** Cut every connection while so many calls are still to be lost. */
function cut(): void {
  if (cuts === 0) return
  cuts -= 1
  for (const socket of sockets) socket.destroy()
}

async function open() {
  const target = Number(new URL((await service.listen('tcp://127.0.0.1:0')).replace('tcp:', 'http:')).port)
  proxy = createServer((near) => {
    const far = dialTcp(target, '127.0.0.1')
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from)
      from.on('error', () => {})
      from.on('close', () => to.destroy())
      from.pipe(to)
    }
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  const address = proxy.address() as { port: number }
  const offer = service.offer('jobs', Jobs, () => ({
    get: lose,
    put: lose,
    send: () => lose(0),
    busy: (retryAfterMs) => {
      ran += 1
      if (ran < 3) throw new Failure('unavailable', 'busy', { retryAfterMs })
      return ran
    },
    open: async (name) => {
      await lose(0)
      return reference(Note, { text: () => `text of ${name}` })
    },
  }))
  const at = [`tcp://127.0.0.1:${address.port}`]
  return connect(offer.mint({}, { at }), { resolvers: [] })
}

async function lose(input: number): Promise<number> {
  ran += 1
  cut()
  return input + 1
}

const errorOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(String, (error: unknown) => error)

beforeEach(() => {
  ran = 0
  cuts = 1
  service = Service.create(undefined, { announcers: [] })
})

afterEach(async () => {
  for (const socket of sockets) socket.destroy()
  sockets.clear()
  await service.close(0)
  await new Promise((resolve) => proxy.close(resolve))
})

test('a method that is declared idempotent is called again; so is a call that says so', async () => {
  await using jobs = await open()
  expect(await jobs.get(1)).toBe(2)
  expect(ran).toBe(2)
  cuts = 1
  expect(await jobs.put(1, { idempotent: true, timeoutMs: 20_000 })).toBe(2)
  expect(ran).toBe(4)
})

test('any other call is not', async () => {
  await using jobs = await open()
  expect(await errorOf(jobs.put(1))).toMatchObject({ code: 'rpc/disconnected', mayHaveRun: true })
  expect(ran).toBe(1)
})

test.each([
  ['is a stream', async function* () {}],
  ['holds a stream', () => ({ deep: [new ReadableStream({ start: (controller) => controller.close() })] })],
])('a call whose input %s is not', async (_name, input) => {
  await using jobs = await open()
  const error = await errorOf(jobs.send(input(), { idempotent: true }))
  expect(error).toMatchObject({ code: 'rpc/disconnected', mayHaveRun: true })
  expect(ran).toBe(1)
})

test('a call that ends every connection is given up', async () => {
  cuts = 100
  await using jobs = await open()
  expect(await errorOf(jobs.get(1))).toMatchObject({ code: 'rpc/disconnected', mayHaveRun: true })
  expect(ran).toBe(4)
})

test('a reference is asked for again, and can be called', async () => {
  await using jobs = await open()
  using note = await jobs.open('x')
  expect(await note.text()).toBe('text of x')
  expect(await jobs.open('y').text()).toBe('text of y')
})

test('a service that stays away: the error says that the first attempt may have run', async () => {
  await using jobs = await open()
  proxy.close()
  const error = await errorOf(jobs.get(1))
  expect(error).toBeInstanceOf(CallError)
  expect(error).toMatchObject({ mayHaveRun: true })
})

test('retryAfterMs is honoured, and not beyond the deadline', async () => {
  cuts = 0
  await using jobs = await open()
  expect(await jobs.busy(5)).toBe(3)
  ran = 0
  const error = await errorOf(jobs.busy(60_000, { timeoutMs: 30_000 }))
  expect(error).toMatchObject({ code: 'rpc/unavailable', retryAfterMs: 60_000 })
  expect(ran).toBe(1)
})
