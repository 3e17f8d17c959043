// A DNS server that lies, on a real UDP socket and a TCP socket of the same port: whatever is no answer to the question is
// ignored, whatever is one and makes no sense is an error, and nothing of it is believed.
import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { type Answer, type DecodedPacket, decode, encode } from 'dns-packet'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { base64urlEncode } from '../../src/bytes.js'
import { keyHashText } from '../../src/capability/index.js'
import { generateKeyPair } from '../../src/crypto/index.js'
import { NoisecapError } from '../../src/errors.js'
import { DnsResolver, type DnsResolverOptions } from '../../src/resolve/dns.js'
import { makeQuery, readReply } from '../../src/resolve/dns-query.js'
import { type AnnouncedLocation, sealRecord } from '../../src/resolve/index.js'

const { publicKey } = generateKeyPair()
const keyHash = keyHashText(publicKey)
const NAME = `${keyHash}._noisecap.example.test`
const TRUE_URI = 'tcp://192.0.2.1:7000'
const FALSE_URI = 'tcp://192.0.2.66:7000'
/** Long enough for a loaded machine where an answer must come; short where none that counts does. */
const PATIENT_MS = 20_000
const IMPATIENT_MS = 400

type Reply = (query: DecodedPacket, raw: Buffer) => readonly Uint8Array[]

/** What the server does with one question; each entry of the result is sent, in order. */
let overUdp: Reply
let overTcp: Reply
let udp: UdpSocket
let tcp: Server
let server: string
let questions: number

beforeEach(async () => {
  questions = 0
  overUdp = () => []
  overTcp = () => []
  while (!(await listen())) {
    // Somebody else had the port for UDP.
  }
})

/** Take one port for TCP and UDP; false when it is free for one of them only. */
async function listen(): Promise<boolean> {
  tcp = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.on('data', (chunk: Buffer) => {
      questions++
      const raw = chunk.subarray(2)
      for (const bytes of overTcp(decode(raw), raw)) socket.write(bytes)
    })
  }).listen(0, '127.0.0.1')
  await once(tcp, 'listening')
  const { port } = tcp.address() as { port: number }
  server = `127.0.0.1:${port}`
  udp = createSocket('udp4')
  udp.on('message', (raw, from) => {
    questions++
    for (const bytes of overUdp(decode(raw), raw)) udp.send(bytes, from.port, from.address)
  })
  try {
    udp.bind(port, '127.0.0.1')
    await once(udp, 'listening')
    return true
  } catch {
    udp.close()
    tcp.close()
    return false
  }
}

afterEach(async () => {
  udp.close()
  await new Promise((resolve) => tcp.close(resolve))
})

function sealedText(
  uri: string,
  options: { readonly sequence?: number; readonly life?: number; readonly key?: typeof publicKey } = {},
): string {
  const { sequence = Date.now(), life = 3_600, key = publicKey } = options
  const locations: AnnouncedLocation[] = [{ uri, priority: 0, weight: 0 }]
  const record = { sequence, expires: Math.floor(sequence / 1_000) + life, locations }
  return `noisecap=${base64urlEncode(sealRecord(key, record, crypto.getRandomValues(new Uint8Array(32))))}`
}

function txt(text: string, name = NAME): Answer {
  return { type: 'TXT', class: 'IN', name, ttl: 60, data: text.match(/.{1,200}/g) ?? [] }
}

function cname(name: string, data: string): Answer {
  return { type: 'CNAME', class: 'IN', name, ttl: 60, data }
}

function answer(
  query: DecodedPacket,
  answers: Answer[],
  more: { id?: number; flags?: number; name?: string } = {},
): Buffer {
  return encode({
    type: 'response',
    id: more.id ?? query.id ?? 0,
    flags: more.flags ?? 0x0400,
    questions: [{ type: 'TXT', class: 'IN', name: more.name ?? NAME }],
    answers,
  })
}

const honest: Reply = (query) => [answer(query, [txt(sealedText(TRUE_URI))])]

function framed(message: Uint8Array): Buffer {
  const prefix = Buffer.alloc(2)
  prefix.writeUInt16BE(message.length)
  return Buffer.concat([prefix, message])
}

async function ask(options: Partial<DnsResolverOptions> = {}): Promise<string[]> {
  const resolver = new DnsResolver({
    zones: 'example.test',
    servers: [server],
    timeoutMs: PATIENT_MS,
    retries: 0,
    ...options,
  })
  return (await resolver.resolve(keyHash, { publicKey })).map(({ uri }) => uri)
}

async function failure(promise: Promise<unknown>): Promise<NoisecapError> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof NoisecapError)) throw new Error('expected a NoisecapError', { cause: error })
  return error
}

describe('what is no answer to the question', () => {
  const lie = [txt(sealedText(FALSE_URI))]
  const header = (query: DecodedPacket, change: (bytes: Buffer) => void): Buffer => {
    const bytes = answer(query, lie)
    change(bytes)
    return bytes
  }
  const spoofs: readonly (readonly [string, Reply])[] = [
    ['of another id', (query) => [answer(query, lie, { id: ((query.id ?? 0) + 1) & 0xffff })]],
    ['to another question', (query) => [answer(query, lie, { name: `x${NAME}` })]],
    [
      'to a question that differs in case only',
      (query) => [answer(query, lie, { name: NAME.toUpperCase() })],
    ],
    ['without a question', (query) => [encode({ type: 'response', id: query.id ?? 0, answers: lie })]],
    ['that is a question', (_query, raw) => [raw]],
    ['to an update', (query) => [header(query, (bytes) => (bytes[2] = 0xac))]],
    ['that counts two questions', (query) => [header(query, (bytes) => bytes.writeUInt16BE(2, 4))]],
    ['of no bytes, or of one', () => [Buffer.alloc(0), Buffer.alloc(1)]],
    ['of noise', (query) => [header(query, (bytes) => bytes.fill(0xff, 12))]],
    ['cut off', (query) => [1, 20, 60].map((lost) => answer(query, lie).subarray(0, -lost))],
    [
      'that counts a record more than it has',
      (query) => [header(query, (bytes) => bytes.writeUInt16BE(2, 6))],
    ],
    ['with a name that points at itself', (query) => [loopingName(query)]],
    ['longer than what was asked for', (query) => [answer(query, [...lie, txt('x'.repeat(1_200))])]],
  ]

  test.each(spoofs)('%s: ignored, and the answer behind it counts', async (_what, spoof) => {
    overUdp = (query, raw) => [...spoof(query, raw), ...honest(query, raw)]
    expect(await ask()).toEqual([TRUE_URI])
  })

  test.each(spoofs)('%s, and nothing else: ignored until time is up', async (_what, spoof) => {
    overUdp = spoof
    const error = await failure(ask({ timeoutMs: IMPATIENT_MS }))
    expect(error.code).toBe('resolve/dns')
    expect(error.message).toContain(`${server} did not answer within`)
  })

  test('from another port, with the right id and question: never seen', async () => {
    const stranger = createSocket('udp4')
    try {
      udp.removeAllListeners('message')
      udp.on('message', (raw, from) => {
        const query = decode(raw)
        stranger.send(answer(query, lie), from.port, from.address, () => {
          for (const bytes of honest(query, raw)) udp.send(bytes, from.port, from.address)
        })
      })
      expect(await ask()).toEqual([TRUE_URI])
    } finally {
      stranger.close()
    }
  })
})

/** An answer whose record begins with a compression pointer to itself. */
function loopingName(query: DecodedPacket): Buffer {
  const bytes = answer(query, [txt(sealedText(FALSE_URI))])
  const start = 12 + NAME.length + 2 + 4
  bytes.writeUInt16BE(0xc000 | start, start)
  return bytes
}

describe('what answers the question and makes no sense', () => {
  const rows: readonly (readonly [string, Reply, string])[] = [
    ['an alias of itself', (query) => [answer(query, [cname(NAME, NAME)])], 'too many aliases'],
    [
      'two aliases of each other',
      (query) => [answer(query, [cname(NAME, 'a.test'), cname('a.test', NAME)])],
      'too many aliases',
    ],
    [
      'a chain of nine aliases',
      (query) => [
        answer(
          query,
          [...Array(9).keys()]
            .map((i) => cname(i === 0 ? NAME : `a${i}.test`, `a${i + 1}.test`))
            .concat(txt(sealedText(FALSE_URI), 'a9.test')),
        ),
      ],
      'too many aliases',
    ],
    [
      'an alias without its end',
      (query) => [answer(query, [cname(NAME, 'a.test')])],
      'an alias that it did not follow',
    ],
    ['SERVFAIL', (query) => [answer(query, [txt(sealedText(FALSE_URI))], { flags: 2 })], 'SERVFAIL'],
    ['REFUSED', (query) => [answer(query, [], { flags: 5 })], 'REFUSED'],
    ['65 records', (query) => [manyRecords(query, 65)], 'too many records'],
    [
      'a count of 65,535 records in each section',
      (query) => [manyRecords(query, 65_535)],
      'too many records',
    ],
  ]

  test.each(rows)('%s: an error at once', async (_what, reply, reason) => {
    overUdp = reply
    const error = await failure(ask())
    expect(error.code).toBe('resolve/dns')
    expect(error.message).toContain(reason)
  })

  test('the next round, and the next server, get their turn', async () => {
    overUdp = (query, raw) => (questions === 1 ? [answer(query, [], { flags: 2 })] : honest(query, raw))
    expect(await ask({ retries: 1 })).toEqual([TRUE_URI])
    questions = 0
    expect(await ask({ servers: [server, server] })).toEqual([TRUE_URI])
    expect(questions).toBe(2)
  })

  test('eight aliases are followed', async () => {
    const chain = [...Array(8).keys()].map((i) => cname(i === 0 ? NAME : `a${i}.test`, `A${i + 1}.TEST`))
    overUdp = (query) => [answer(query, [...chain, txt(sealedText(TRUE_URI), 'a8.test')])]
    expect(await ask()).toEqual([TRUE_URI])
  })

  test('records of other names, types and classes are passed over', async () => {
    overUdp = (query) => [
      answer(query, [
        txt(sealedText(FALSE_URI), 'other.test'),
        { ...txt(sealedText(FALSE_URI)), class: 'CH' } as Answer,
        { type: 'A', class: 'IN', name: NAME, ttl: 60, data: '192.0.2.9' },
      ]),
    ]
    expect(await ask()).toEqual([])
  })
})

/** An answer that claims that many records. */
function manyRecords(query: DecodedPacket, count: number): Buffer {
  const bytes = answer(query, [txt('x')])
  bytes.writeUInt16BE(count, 6)
  if (count > 65) bytes.fill(0xff, 8, 12)
  return bytes
}

describe('TCP after a truncated answer', () => {
  const truncated: Reply = (query) => [answer(query, [txt(sealedText(FALSE_URI))], { flags: 0x0200 })]

  test('what was cut off is not believed; what TCP says is, in pieces too', async () => {
    overUdp = truncated
    overTcp = (query, raw) =>
      [...framed(honest(query, raw)[0] ?? Buffer.alloc(0))].map((byte) => Uint8Array.of(byte))
    expect(await ask()).toEqual([TRUE_URI])
  })

  const rows: readonly (readonly [string, Reply, string])[] = [
    ['a message longer than allowed', () => [Uint8Array.of(0x40, 0x01)], 'expected at most 16384 bytes'],
    ['noise', () => [framed(Buffer.alloc(100, 0xff))], 'got something else'],
    ['nothing', () => [framed(Buffer.alloc(0))], 'got something else'],
    [
      'another id',
      (query) => [
        framed(answer(query, [txt(sealedText(FALSE_URI))], { id: ((query.id ?? 0) + 1) & 0xffff })),
      ],
      'got something else',
    ],
    [
      'a truncated answer again',
      (query, raw) => [framed(truncated(query, raw)[0] ?? Buffer.alloc(0))],
      'truncated answer over TCP',
    ],
  ]

  test.each(rows)('%s: an error', async (_what, reply, reason) => {
    overUdp = truncated
    overTcp = reply
    const error = await failure(ask())
    expect(error.code).toBe('resolve/dns')
    expect(error.message).toContain(reason)
  })

  test('a server that accepts and says nothing: an error when time is up', async () => {
    overUdp = truncated
    expect((await failure(ask({ timeoutMs: IMPATIENT_MS }))).message).toContain('did not answer within')
  })
})

describe('records by whoever knows the public key, or does not', () => {
  const HOUR_MS = 3_600_000
  const serve = (...texts: readonly string[]): void => {
    overUdp = (query) => [
      answer(
        query,
        texts.map((text) => txt(text)),
        { flags: 0x0400 },
      ),
    ]
  }

  test('a sequence more than five minutes ahead: refused, and told', async () => {
    serve(sealedText(FALSE_URI, { sequence: Date.now() + HOUR_MS }))
    const error = await failure(ask())
    expect(error.code).toBe('resolve/dns')
    expect(error.message).toContain('got one of the future')
  })

  test('expired: ignored', async () => {
    serve(sealedText(FALSE_URI, { sequence: Date.now() - HOUR_MS, life: 60 }))
    expect(await ask()).toEqual([])
  })

  test('of another key, or noise: resolve/malformed', async () => {
    for (const text of [
      sealedText(FALSE_URI, { key: generateKeyPair().publicKey }),
      'noisecap=',
      'noisecap=AAAA',
      'noisecap=\u00e9',
      `noisecap=${'A'.repeat(900)}`,
    ]) {
      serve(text)
      expect((await failure(ask())).code).toBe('resolve/malformed')
    }
  })

  test('beside a true one: none of them counts', async () => {
    serve(sealedText(FALSE_URI, { sequence: Date.now() + HOUR_MS }), sealedText(TRUE_URI))
    expect(await ask()).toEqual([TRUE_URI])
    serve(sealedText(FALSE_URI, { key: generateKeyPair().publicKey }), sealedText(TRUE_URI))
    expect(await ask()).toEqual([TRUE_URI])
  })

  test('texts of others: ignored', async () => {
    serve('v=spf1 -all', 'noisecap', 'NOISECAP=AAAA')
    expect(await ask()).toEqual([])
  })

  test('a key hash that is not that of the public key: TypeError before anything is sent', async () => {
    const resolver = new DnsResolver({ zones: 'example.test', servers: [server] })
    await expect(resolver.resolve('a'.repeat(52), { publicKey })).rejects.toBeInstanceOf(TypeError)
    expect(questions).toBe(0)
  })
})

test('a caller who gives up is answered at once, with his own reason', async () => {
  const reason = new Error('changed my mind')
  const giveUp = new AbortController()
  overUdp = () => {
    giveUp.abort(reason)
    return []
  }
  const resolver = new DnsResolver({ zones: 'example.test', servers: [server], timeoutMs: PATIENT_MS })
  await expect(resolver.resolve(keyHash, { publicKey, signal: giveUp.signal })).rejects.toBe(reason)
})

test('readReply throws nothing, whatever follows the repeated question', () => {
  const query = makeQuery(NAME, 0x1234)
  const start = (flags: number, counts: Uint8Array) =>
    Buffer.concat([query.bytes.subarray(0, 2), Uint8Array.of(0x84, flags, 0, 1), counts, query.question])
  const smallCounts = fc
    .array(fc.integer({ min: 0, max: 20 }), { minLength: 3, maxLength: 3 })
    .map((list) => Uint8Array.from(list.flatMap((count) => [0, count])))
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 15 }),
      smallCounts,
      fc.uint8Array({ maxLength: 1_100 }),
      (flags, counts, rest) => {
        const reply = readReply(query, Buffer.concat([start(flags, counts), rest]))
        expect([undefined, 'found', 'none', 'failed', 'truncated']).toContain(reply?.kind)
      },
    ),
  )
})
