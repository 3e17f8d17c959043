// What connect tells a resolver about its answers, and where it does not let a directory on a network send it.
import { once } from 'node:events'
import { createServer } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { connectIn } from '../../src/connect.js'
import { type Capability, connect, iface, method, NoisecapError, Service } from '../../src/index.js'
import { nodeEnvironment } from '../../src/node-environment.js'
import type { Location, Resolver } from '../../src/resolve/index.js'
import { dialTcp } from '../../src/transport/tcp.js'

const Echo = iface('Echo', { echo: method<string, string>() })
type EchoCapability = Capability<{ echo(input: string): Promise<string> }>

let service: Service
let capability: EchoCapability
let location: string

beforeEach(async () => {
  service = Service.create(undefined, { announcers: [] })
  capability = service.offer('echo', Echo, () => ({ echo: (text) => text })).mint({}) as EchoCapability
  location = await service.listen('tcp://127.0.0.1:0')
})

afterEach(() => service.close(0))

/** A directory that writes down what it is told. */
function directory(locations: readonly Location[]): Resolver & { told: unknown[][] } {
  const told: unknown[][] = []
  return {
    name: 'directory',
    told,
    resolve: async () => locations,
    confirm: (...words) => told.push(['confirm', ...words]),
    forget: (...words) => told.push(['forget', ...words]),
  }
}

const at = (uri: string, more: Partial<Location> = {}): Location => ({ uri, priority: 0, weight: 0, ...more })

/** A location at which nobody listens. */
async function deadLocation(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return `tcp://127.0.0.1:${port}`
}

async function failureOf(promise: Promise<unknown>): Promise<NoisecapError> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof NoisecapError)) throw new Error('expected a NoisecapError', { cause: error })
  return error
}

test('connect confirms the sequence of the location where the handshake succeeded, and of no other', async () => {
  const empty = directory([at(await deadLocation(), { sequence: 3 })])
  const good = directory([
    at(await deadLocation(), { sequence: 9 }),
    at(location, { priority: 1, sequence: 8 }),
  ])
  await using stub = await connect(capability, { resolvers: [empty, good] })
  expect(await stub.echo('hello')).toBe('hello')
  expect(empty.told).toEqual([['forget', service.keyHash]])
  expect(good.told).toEqual([['confirm', service.keyHash, 8]])
})

test('connect does not confirm a location where another service answers', async () => {
  const other = Service.create(undefined, { announcers: [] })
  try {
    const wrong = directory([at(await other.listen('tcp://127.0.0.1:0'), { sequence: 9 })])
    const error = await failureOf(connect(capability, { resolvers: [wrong], timeoutMs: 7_000 }))
    expect(error.code).toBe('session/no_answer')
    expect(wrong.told).toEqual([['forget', service.keyHash]])
  } finally {
    await other.close(0)
  }
})

test('a host name that a directory may use for public addresses only is not dialled when it is an inner one', async () => {
  const name = location.replace('127.0.0.1', 'localhost')
  const lying = directory([at(name, { publicOnly: true })])
  const error = await failureOf(connect(capability, { resolvers: [lying] }))
  expect(error.code).toBe('transport/unreachable')
  expect(error.message).toContain('EACCES')
  await using stub = await connect(capability, { resolvers: [directory([at(name)])] })
  expect(await stub.echo('hello')).toBe('hello')
})

test('an inner address that a directory may not name is not dialled', async () => {
  const lying = directory([at(location, { publicOnly: true })])
  const error = await failureOf(connect(capability, { resolvers: [lying] }))
  expect(error.code).toBe('transport/unreachable')
  expect(error.message).toContain('EACCES')
})

test('where a transport does not look at addresses, no hello is sent to an inner one', async () => {
  let received = 0
  const probed = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.on('data', (chunk) => {
      received += chunk.length
    })
  }).listen(0, '127.0.0.1')
  await once(probed, 'listening')
  try {
    const { port } = probed.address() as { port: number }
    const careless = { dial: (uri: string, signal: AbortSignal) => dialTcp(uri, signal) }
    const connectCarelessly = connectIn({ ...nodeEnvironment, transports: new Map([['tcp', careless]]) })
    const lying = directory([at(`tcp://127.0.0.1:${port}`, { publicOnly: true })])
    const error = await failureOf(connectCarelessly(capability, { resolvers: [lying] }))
    expect(error.code).toBe('transport/unreachable')
    expect((error.cause as NoisecapError).message).toContain('expected a public address')
    expect(received).toBe(0)
  } finally {
    probed.close()
  }
})
