// DNS with a real server: publishing by signed update, finding by TXT record, and a connection made with the key hash alone.
import dns from 'node:dns'
import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findKnot, type Knot, startKnot } from '../../scripts/knot.mjs'
import { base64urlEncode } from '../../src/bytes.js'
import { keyHashText } from '../../src/capability/index.js'
import { generateKeyPair, type KeyPair } from '../../src/crypto/index.js'
import { connect, iface, method, NoisecapError, Service } from '../../src/index.js'
import {
  DnsPublisher,
  type DnsPublisherOptions,
  DnsResolver,
  type DnsResolverOptions,
  TsigKey,
} from '../../src/resolve/dns.js'
import { type AnnouncedLocation, resolveFirst, sealRecord } from '../../src/resolve/index.js'

const missing = findKnot() === undefined
if (missing) {
  console.warn(
    '\n*** SKIPPED: DNS with a real server. knotd is not installed; root can: node scripts/knot.mjs --install\n',
  )
}

const SECONDS = 1_000
const at = (uri: string, priority = 0): AnnouncedLocation => ({ uri, priority, weight: 1 })
const HERE = [at('tcp://192.0.2.1:7000')]
const THERE = [at('tcp://192.0.2.2:7000')]
/** A record of these does not fit into a datagram. */
const MANY = Array.from({ length: 8 }, (_, i) => {
  const labels = ['a', 'b', 'c'].map((letter) => letter.repeat(60)).join('.')
  return at(`tcp://${labels}.host${i}.example:7000`, i)
})

/** As a person writes it into a zone file. */
function zoneLine(name: string, texts: readonly string[]): string {
  return `${name} TXT ${texts
    .flatMap((text) => text.match(/.{1,200}/g) ?? [])
    .map((part) => `"${part}"`)
    .join(' ')}`
}

function sealedText(pair: KeyPair, sequence: number, locations: readonly AnnouncedLocation[]): string {
  const record = { sequence, expires: Math.floor(sequence / 1_000) + 86_400, locations }
  const salt = crypto.getRandomValues(new Uint8Array(32))
  return `noisecap=${base64urlEncode(sealRecord(pair.publicKey, record, salt))}`
}

async function failureOf(promise: Promise<unknown>): Promise<NoisecapError> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof NoisecapError)) throw new Error('expected a NoisecapError', { cause: error })
  return error
}

describe.skipIf(missing)('DNS with a Knot server', () => {
  const aliased = generateKeyPair()
  const several = generateKeyPair()
  let knot: Knot

  beforeAll(async () => {
    const now = Date.now()
    const several_ = `${keyHashText(several.publicKey)}._noisecap`
    knot = await startKnot({
      records: [
        `${keyHashText(aliased.publicKey)}._noisecap 60 CNAME first`,
        'first 60 CNAME second',
        zoneLine('second 60', [sealedText(aliased, now, HERE)]),
        zoneLine(several_, [sealedText(several, now - 2_000, HERE)]),
        zoneLine(several_, [sealedText(several, now - 1_000, THERE)]),
        zoneLine(several_, [sealedText(several, now + 3_600_000, HERE)]),
        zoneLine(several_, [sealedText(aliased, now, HERE)]),
        zoneLine(several_, ['v=spf1 -all']),
      ],
    })
  })

  afterAll(() => knot?.stop())

  const publisher = (options: Partial<DnsPublisherOptions> = {}) =>
    new DnsPublisher({
      zone: knot.zone,
      server: knot.server,
      key: TsigKey.parse(knot.keys.publisher),
      timeoutMs: 20_000,
      ...options,
    })
  const resolver = (options: Partial<DnsResolverOptions> = {}) =>
    new DnsResolver({ zones: knot.zone, servers: [knot.server], timeoutMs: 10_000, ...options })
  const ask = async (from: DnsResolver, { publicKey }: KeyPair) =>
    (await from.resolve(keyHashText(publicKey), { publicKey })).map(({ uri }) => uri)
  const uris = (locations: readonly AnnouncedLocation[]) => locations.map(({ uri }) => uri)

  for (const transport of ['udp', 'tcp'] as const) {
    test(`a published record is found over ${transport}, small or too large for a datagram`, async () => {
      const pair = generateKeyPair()
      for (const locations of [HERE, MANY]) {
        const { name } = await publisher().publish(pair.publicKey, locations)
        expect(name).toBe(`${keyHashText(pair.publicKey)}._noisecap.${knot.zone}`)
        expect(await ask(resolver({ transport }), pair)).toEqual(uris(locations))
      }
    })
  }

  test('a key with SHA-512 may publish as well', async () => {
    const pair = generateKeyPair()
    await publisher({ key: TsigKey.parse(knot.keys.publisher512) }).publish(pair.publicKey, HERE)
    expect(await ask(resolver(), pair)).toEqual(uris(HERE))
  })

  test('an answer is kept for its TTL, then asked anew', async () => {
    const pair = generateKeyPair()
    const began = Date.now()
    let now = began
    const from = resolver({ now: () => now })
    await publisher({ ttlSeconds: 100 }).publish(pair.publicKey, HERE)
    expect(await ask(from, pair)).toEqual(uris(HERE))
    await publisher({ ttlSeconds: 100 }).publish(pair.publicKey, THERE)
    now = began + 99 * SECONDS
    expect(await ask(from, pair)).toEqual(uris(HERE))
    now = began + 100 * SECONDS
    expect(await ask(from, pair)).toEqual(uris(THERE))
  })

  test('a miss is kept as long as the SOA says, here 30 s', async () => {
    const pair = generateKeyPair()
    const began = Date.now()
    let now = began
    const from = resolver({ now: () => now })
    expect(await ask(from, pair)).toEqual([])
    await publisher().publish(pair.publicKey, HERE)
    now = began + 29 * SECONDS
    expect(await ask(from, pair)).toEqual([])
    now = began + 30 * SECONDS
    expect(await ask(from, pair)).toEqual(uris(HERE))
  })

  test('a record that ran out is as good as none', async () => {
    const pair = generateKeyPair()
    await publisher({ expirySeconds: 60 }).publish(pair.publicKey, HERE)
    expect(await ask(resolver({ now: () => Date.now() + 200 * SECONDS }), pair)).toEqual([])
  })

  test('an announcement updates and withdraws what it wrote, and leaves what a successor put there', async () => {
    const pair = generateKeyPair()
    const first = await publisher().announce(pair.publicKey, HERE)
    await first.update(THERE)
    expect(await ask(resolver(), pair)).toEqual(uris(THERE))
    const second = await publisher().announce(pair.publicKey, HERE)
    await first.withdraw()
    expect(await ask(resolver(), pair)).toEqual(uris(HERE))
    await second.withdraw()
    expect(await ask(resolver(), pair)).toEqual([])
    await second.withdraw()
  })

  test('withdraw takes away whatever is there', async () => {
    const pair = generateKeyPair()
    await publisher().publish(pair.publicKey, HERE)
    await publisher().withdraw(pair.publicKey)
    expect(await ask(resolver(), pair)).toEqual([])
  })

  test('aliases are followed, here two, and the least TTL counts', async () => {
    const began = Date.now()
    let now = began
    const from = resolver({ now: () => now })
    expect(await ask(from, aliased)).toEqual(uris(HERE))
    now = began + 59 * SECONDS
    expect(await ask(from, aliased)).toEqual(uris(HERE))
  })

  test('of several records the newest that is valid counts; those of others and of the future do not', async () => {
    expect(await ask(resolver(), several)).toEqual(uris(THERE))
  })

  describe('refused updates', () => {
    const attempt = async (options: Partial<DnsPublisherOptions>) => {
      const pair = generateKeyPair()
      const error = await failureOf(publisher(options).publish(pair.publicKey, HERE))
      expect(await ask(resolver(), pair)).toEqual([])
      expect(error.code).toBe('resolve/dns')
      return error
    }

    test('a key with another secret: BADSIG', async () => {
      const { message, hint } = await attempt({
        key: new TsigKey('publisher', 'hmac-sha256', new Uint8Array(32)),
      })
      expect(message).toContain('BADSIG')
      expect(hint).toContain('same secret')
    })

    test('a key that the server does not know, or not for this zone: BADKEY', async () => {
      const unknown = new TsigKey('nobody', 'hmac-sha256', new Uint8Array(32))
      expect((await attempt({ key: unknown })).message).toContain('BADKEY')
      expect((await attempt({ key: TsigKey.parse(knot.keys.stranger) })).message).toContain('BADKEY')
    })

    test('a clock an hour ahead: BADTIME, and by how much', async () => {
      const { message } = await attempt({ now: () => Date.now() + 3_600 * SECONDS })
      expect(message).toMatch(/differ by 3(59\d|60\d) s \(BADTIME\)/)
    })

    test('a zone that the server does not serve: NOTAUTH', async () => {
      const { message, hint } = await attempt({ zone: 'other.test' })
      expect(message).toContain('NOTAUTH to an update of zone other.test')
      expect(hint).toContain('authoritative')
    })

    test('nobody at the port: unreachable', async () => {
      const dead = createServer().listen(0, '127.0.0.1')
      await once(dead, 'listening')
      const { port } = dead.address() as { port: number }
      dead.close()
      await once(dead, 'close')
      expect((await attempt({ server: `127.0.0.1:${port}` })).message).toContain(
        'cannot be reached (ECONNREFUSED)',
      )
    })

    test('locations that cannot stand in a record: RangeError before anything is sent', async () => {
      await expect(publisher().publish(generateKeyPair().publicKey, [])).rejects.toBeInstanceOf(RangeError)
    })
  })

  test('a server that refuses makes way for the next; of several zones those that know the service answer', async () => {
    const pair = generateKeyPair()
    await publisher().publish(pair.publicKey, HERE)
    const from = resolver({ zones: ['other.test', knot.zone], retries: 0 })
    expect(await ask(from, pair)).toEqual(uris(HERE))
    const error = await failureOf(ask(resolver({ zones: 'other.test', retries: 0 }), pair))
    expect(error.code).toBe('resolve/dns')
    expect(error.message).toContain('answered REFUSED')
    const asked = await failureOf(
      resolveFirst([resolver({ zones: 'other.test', retries: 0 })], keyHashText(pair.publicKey), pair),
    )
    expect(asked.code).toBe('resolve/not_found')
    expect(asked.message).toContain('answered REFUSED')
  })

  test('without servers those of the machine are asked', async () => {
    const pair = generateKeyPair()
    await publisher().publish(pair.publicKey, HERE)
    const before = dns.getServers()
    dns.setServers([knot.server])
    try {
      expect(await ask(resolver({ servers: undefined }), pair)).toEqual(uris(HERE))
    } finally {
      dns.setServers(before)
    }
  })

  test('inner addresses are dropped unless allowed', async () => {
    const pair = generateKeyPair()
    const inner = [at('tcp://127.0.0.1:7000'), at('tcp://10.0.0.1:7000'), at('tcp://localhost:7000')]
    await publisher().publish(pair.publicKey, [...inner, ...HERE])
    expect(await ask(resolver(), pair)).toEqual(uris(HERE))
    expect(await ask(resolver({ allowPrivate: true }), pair)).toEqual(uris([...inner, ...HERE]))
    await publisher().publish(pair.publicKey, [at('unix:/run/x'), ...HERE])
    expect(await ask(resolver({ allowPrivate: true }), pair)).toEqual(uris(HERE))
    await publisher().publish(pair.publicKey, inner)
    const error = await failureOf(ask(resolver(), pair))
    expect(error.code).toBe('resolve/dns')
    expect(error.hint).toContain('allowPrivate')
  })

  describe('from the key hash to a session', () => {
    const Echo = iface('Echo', { echo: method<string, string>() })
    const open = new Set<Socket>()
    let silent: Server
    let silentLocation: string

    beforeAll(async () => {
      silent = createServer((socket) => open.add(socket)).listen(0, '127.0.0.1')
      await once(silent, 'listening')
      silentLocation = `tcp://127.0.0.1:${(silent.address() as { port: number }).port}`
    })

    afterAll(() => {
      for (const socket of open) socket.destroy()
      silent?.close()
    })

    test('connect finds a service by DNS alone, past a first location that accepts and never answers', async () => {
      const directory = publisher({
        advertise: (bound) => [at(silentLocation, 1), ...bound.map(({ uri }) => at(uri, 2))],
      })
      const service = Service.create(undefined, { announcers: [directory] })
      try {
        const capability = service.offer('echo', Echo, () => ({ echo: (text) => text })).mint({})
        expect(capability.locations).toEqual([])
        await service.listen('tcp://127.0.0.1:0')
        await using stub = await connect(capability, {
          resolvers: [resolver({ allowPrivate: true })],
          timeoutMs: 25_000,
        })
        expect(await stub.echo('found')).toBe('found')
        expect(open.size).toBe(1)
        const strict = await failureOf(
          // A partition of its own: it shall dial, not share the session that is open.
          connect(capability, { resolvers: [resolver()], timeoutMs: 25_000, partition: 'strict' }),
        )
        expect(strict.code).toBe('resolve/not_found')
        expect(open.size).toBe(1)
      } finally {
        await service.close(0)
      }
      expect(await ask(resolver(), { publicKey: service.key.publicKey } as KeyPair)).toEqual([])
    })

    test('after a handshake an older record is not believed any more', async () => {
      const service = Service.create(undefined, { announcers: [] })
      try {
        const capability = service.offer('echo', Echo, () => ({ echo: (text) => text })).mint({})
        const bound = [at(await service.listen('tcp://127.0.0.1:0'))]
        const { publicKey } = service.key
        const from = resolver({ allowPrivate: true })
        const older = publisher({ now: () => Date.now() - 60 * SECONDS, ttlSeconds: 0 })
        const newer = publisher({ ttlSeconds: 0 })
        await newer.publish(publicKey, HERE)
        await older.publish(publicKey, THERE)
        // Nothing was confirmed yet: whoever knows the public key could have written the newer one.
        expect(await ask(from, { publicKey } as KeyPair)).toEqual(uris(THERE))
        await newer.publish(publicKey, bound)
        await using stub = await connect(capability, { resolvers: [from], timeoutMs: 25_000 })
        expect(await stub.echo('found')).toBe('found')
        await older.publish(publicKey, THERE)
        expect(await ask(from, { publicKey } as KeyPair)).toEqual([])
      } finally {
        await service.close(0)
      }
    })
  })
})
