// Writes spec/vectors/rpc.json: one message of each kind that a session carries most, as two real peers write them, with what
// they say. Run: npx tsx scripts/vectors/rpc.ts. Each peer speaks to a script, so that nothing but its own bytes is kept.
import { writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { z } from 'zod'
import { hexEncode } from '../../src/bytes.js'
import {
  type Caller,
  type Calls,
  createStub,
  type Exported,
  Exports,
  Failure,
  iface,
  map,
  method,
  Peer,
  type Reference,
} from '../../src/rpc/index.js'
import { DEFAULT_LIMITS } from '../../src/session/index.js'
import { batch, call, returned } from '../../test/rpc/scripted.js'
import { listen, openPair } from '../../test/session/parties.js'

const FILE = new URL('../../spec/vectors/rpc.json', import.meta.url)
const counting = (first: number, length: number) => Uint8Array.from({ length }, (_, i) => (first + i) & 0xff)

const INPUT = { text: 'milk', count: 3 }
const Notes = iface('Notes', {
  add: method(z.object({ text: z.string(), count: z.number() }), z.number(), { idempotent: true }),
  fill: method<void, number>(),
  get own() {
    return method(z.void(), Notes)
  },
  get passedOn() {
    return method(z.void(), Notes)
  },
})
/** What a stub of another session forwards to. */
const ELSEWHERE: Caller = { call: () => Promise.resolve(), retain: () => {}, release: () => {} }
const METADATA = { trace: '7f3a', tenant: 'ada' }
const LOCATOR = counting(0x40, 150)
const PROOF = counting(0xa0, 32)
const SALT = counting(0x10, 32)

/** The one message of a batch. */
function messageOf(record: Uint8Array): string {
  const long = record[1]! > 0x7f ? 1 : 0
  return hexEncode(record.subarray(2 + long))
}

/** CALL, PRESENT and RELEASE, as a client writes them. */
async function clientMessages() {
  const { client, service, limits } = await openPair()
  const peer = new Peer(client, { remoteLimits: limits, localLimits: DEFAULT_LIMITS })
  peer.start()
  const script = listen(service)
  const record = async (number: number) => {
    while (script.records.length <= number) await new Promise((resolve) => setImmediate(resolve))
    return script.records[number]!
  }
  const add = Notes.methods.get('add')!
  const answer = peer.root().call(add, INPUT, undefined)
  const callMessage = messageOf(await record(0))
  service.send(batch(returned(0, 1)))
  await answer
  const described = peer.root().call(add, INPUT, { metadata: METADATA })
  const callWithMetadata = messageOf(await record(1))
  service.send(batch(returned(0, 1)))
  await described
  const presenting = peer.present({ locator: LOCATOR, proof: PROOF, holderSalts: [SALT] })
  const present = messageOf(await record(2))
  service.send(batch(returned(0, 200)))
  const reference = await presenting
  reference.release()
  const release = messageOf(await record(3))
  service.close()
  return { callMessage, callWithMetadata, present, release }
}

/** RETURN, FAIL and BROKEN, as a service writes them. */
async function serviceMessages() {
  const { client, service, limits } = await openPair()
  const exports = new Exports(DEFAULT_LIMITS.maxExports)
  const object = {
    add: ({ count }: typeof INPUT) => count,
    fill: () => {
      throw new Failure('declared', 'the book is full', {
        name: 'full',
        data: { max: 3 },
        retryAfterMs: 1_500,
      })
    },
    own: () => object,
    passedOn: () => createStub(Notes, ELSEWHERE),
  }
  const exported: Exported = {
    authority: { isLive: true, isInForce: () => true, derive: () => exported },
    isLive: true,
    authorize: () => 'ok' as const,
    target: () => ({ description: Notes, object }),
    released: () => {},
  }
  exports.add(exported)
  const peer = new Peer(service, {
    remoteLimits: limits,
    localLimits: DEFAULT_LIMITS,
    serves: { exports, client: undefined, onInternalError: () => {} },
  })
  peer.start()
  const script = listen(client)
  const record = async (number: number) => {
    while (script.records.length <= number) await new Promise((resolve) => setImmediate(resolve))
    return script.records[number]!
  }
  client.send(batch(call(0, 'add', INPUT)))
  const result = messageOf(await record(0))
  client.send(batch(call(1, 'fill')))
  const fail = messageOf(await record(1))
  peer.breakAuthority(exported.authority, 'revoked')
  const broken = messageOf(await record(2))
  client.send(batch(call(2, 'own')))
  const reference = messageOf(await record(3))
  client.send(batch(call(3, 'passedOn')))
  const passedOn = messageOf(await record(4))
  client.close()
  return { result, fail, broken, reference, passedOn }
}

const Shelf = iface('Shelf', { items: method<void, { note: Reference<typeof Notes> }[]>() })

/** MAP, as a client writes it over a list that is still to come. */
async function mapMessage(): Promise<string> {
  const { client, service, limits } = await openPair()
  const peer = new Peer(client, { remoteLimits: limits, localLimits: DEFAULT_LIMITS })
  peer.start()
  const { records } = listen(service)
  const shelf = createStub<Calls<(typeof Shelf)['declared']>>(Shelf, peer.root())
  const mapped = map(shelf.items(), ({ note }) => {
    const count = note.add(INPUT)
    return { twice: note.add({ text: INPUT.text, count: count as unknown as number }), count }
  })
  mapped.catch(() => {}) // nobody answers
  while (records.length === 0) await new Promise((resolve) => setImmediate(resolve))
  const [record] = records
  client.close()
  // Behind the CALL of the list, in the same batch; both are shorter than 128 bytes.
  return hexEncode(record!.subarray(2 + record![1]! + 1))
}

const RESTRICTIONS = { methods: ['add'], expiresIn: 3_600 }

/** SAVE, as a client writes it for the root. */
async function saveMessage(): Promise<string> {
  const { client, service, limits } = await openPair()
  const peer = new Peer(client, { remoteLimits: limits, localLimits: DEFAULT_LIMITS })
  peer.start()
  const { records } = listen(service)
  peer
    .root()
    .save(RESTRICTIONS)
    .catch(() => {}) // nobody answers
  while (records.length === 0) await new Promise((resolve) => setImmediate(resolve))
  client.close()
  return messageOf(records[0]!)
}

/** All vectors. */
export async function rpcVectors() {
  const { callMessage, callWithMetadata, present, release } = await clientMessages()
  const { result, fail, broken, reference, passedOn } = await serviceMessages()
  const shown = { locator: hexEncode(LOCATOR), proof: hexEncode(PROOF), salts: [hexEncode(SALT)] }
  return {
    CALL: { call: 0, flags: 3, target: 0, method: 'add', args: INPUT, message: callMessage },
    CALL_METADATA: {
      call: 0,
      flags: 1 + 2 + 64,
      target: 0,
      method: 'add',
      metadata: METADATA,
      args: INPUT,
      message: callWithMetadata,
    },
    RETURN: { call: 0, value: 3, message: result },
    FAIL: {
      call: 1,
      code: 32,
      flags: 1 + 4 + 8 + 16 + 32,
      name: 'full',
      text: 'the book is full',
      retryAfterMs: 1_500,
      data: { max: 3 },
      message: fail,
    },
    PRESENT: { call: 0, ...shown, message: present },
    MAP: {
      call: 1,
      flags: 1,
      source: { tag: 51_891, value: [0] },
      steps: [
        { on: 0, path: ['note'], method: 'add', args: INPUT },
        {
          on: 0,
          path: ['note'],
          method: 'add',
          args: { text: INPUT.text, count: { tag: 51_891, value: [1] } },
        },
      ],
      result: { twice: { tag: 51_891, value: [2] }, count: { tag: 51_891, value: [1] } },
      message: await mapMessage(),
    },
    RELEASE: { export: 200, count: 1, message: release },
    BROKEN: { export: 0, code: 5, message: broken },
    SAVE: { call: 0, export: 0, restrictions: RESTRICTIONS, message: await saveMessage() },
    REFERENCES: [
      { call: 2, tag: 51_889, export: 1, message: reference },
      { call: 3, tag: 51_894, export: 2, message: passedOn },
    ],
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  writeFileSync(FILE, `${JSON.stringify(await rpcVectors(), null, 1)}\n`)
}
