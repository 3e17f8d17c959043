// What sealed values cost beside their peers in the same run: `npm run bench:seal`. Values of 256 bytes; peers write into memory
// that they are given, ours return memory of their own. CPU time; medians over alternating rounds, each ratio beside its bar.
// `npm run bench:seal rows` is of a table (seal/rows.ts). Leaves out streams.
import { mint, ServiceKey } from '../src/capability/index.js'
import { Column, generateKeyPair, type Place, SealReader, SealWriter, text } from '../src/seal/index.js'
import { measureRows } from './seal/rows.js'
import { runParts } from './suite/parts.js'
import { atLeast, atMost, type Row, reported } from './suite/report.js'
import { alternate, median, ROUNDS, timeAsyncFor, timeFor } from './suite/rounds.js'
import { sodium } from './suite/sodium.js'

const VALUE_BYTES = 256
const EPOCHS = 1_000
/** A second of each candidate: until then V8 still compiles the code of a handshake, on threads whose time counts too. */
const WARMUPS = 25
/** Found at run time: it needs packages that only `bench/peers` has. */
const HPKE = './peers/hpke.mjs'
/** CPU time of one candidate in one round, ms: long enough that 1,000 epochs are in the processor's caches as they are in a
 * reader that is at work. */
const ROUND_MS = 40

const value = 'v'.repeat(VALUE_BYTES)
const column = new Column({ table: 'users', column: 'email', codec: text, schemaVersion: 1 })
const places = Array.from({ length: EPOCHS }, (_, row) => column.at(`row-${row}`))
/** Some of {@link places}, in an order without pattern, the same in every run: 389 and 1,000 have no common divisor. */
const order = places.map((_, i) => (i * 389) % EPOCHS)

/** What sodium does with the same bytes, checked. */
function sodiumPeers() {
  const publicKey = Buffer.alloc(32)
  const secretKey = Buffer.alloc(32)
  const plaintext = Buffer.from(value)
  const box = Buffer.alloc(VALUE_BYTES + 48)
  const opened = Buffer.alloc(VALUE_BYTES)
  sodium.crypto_box_keypair(publicKey, secretKey)
  const seal = () => sodium.crypto_box_seal(box, plaintext, publicKey)
  const open = () => sodium.crypto_box_seal_open(opened, box, publicKey, secretKey)
  seal()
  if (!open() || !opened.equals(plaintext)) throw new Error('sodium does not open what it sealed')
  const key = Buffer.alloc(32, 7)
  const nonce = Buffer.alloc(12)
  const sealed = Buffer.alloc(VALUE_BYTES + 16)
  const aead = () => {
    nonce[4] = (nonce[4]! + 1) & 0xff
    sodium.crypto_aead_chacha20poly1305_ietf_encrypt(sealed, plaintext, null, null, nonce, key)
  }
  return { seal, open, aead }
}

/** Native calls that one value takes by the specification, whoever makes them. Counted at the binding. */
const PRIMITIVES = {
  N: { keyPairs: 1, hmacs: 3, hashes: 3, sha256: 5, ciphers: 2, randoms: 1 },
  Npsk0: { keyPairs: 2, hmacs: 11, hashes: 7, sha256: 5, ciphers: 3, randoms: 1 },
} as const

/** The floor of one value: the calls alone, into memory that is there already, with nothing between them. */
function barePrimitives(counts: (typeof PRIMITIVES)[keyof typeof PRIMITIVES]) {
  const { keyPairs, hmacs, hashes, sha256, ciphers, randoms } = counts
  const [secretKey, publicKey, shared] = [Buffer.alloc(32), Buffer.alloc(32), Buffer.alloc(32)]
  const [digest, shortDigest] = [Buffer.alloc(64), Buffer.alloc(32)]
  /** A block and a digest, as each half of an HMAC has; h and a public key. */
  const [block, field] = [Buffer.alloc(192, 1), Buffer.alloc(96, 1)]
  const [key, nonce, sealed] = [Buffer.alloc(48, 7), Buffer.alloc(12), Buffer.alloc(VALUE_BYTES + 16)]
  const plaintext = Buffer.from(value)
  const peer = Buffer.alloc(32)
  sodium.crypto_scalarmult_base(peer, Buffer.alloc(32, 9))
  return () => {
    for (let i = 0; i < randoms; i++) sodium.randombytes_buf(key)
    for (let i = 0; i < keyPairs; i++) {
      sodium.randombytes_buf(secretKey)
      sodium.crypto_scalarmult_base(publicKey, secretKey)
      sodium.crypto_scalarmult(shared, secretKey, peer)
    }
    for (let i = 0; i < 2 * hmacs; i++) sodium.crypto_generichash(digest, block)
    for (let i = 0; i < hashes; i++) sodium.crypto_generichash(digest, field)
    for (let i = 0; i < sha256; i++) sodium.crypto_hash_sha256(shortDigest, field)
    for (let i = 0; i < ciphers; i++)
      sodium.crypto_aead_chacha20poly1305_ietf_encrypt(sealed, plaintext, null, null, nonce, shared)
  }
}

/** Every place in turn. */
function cycling(run: (place: Place<string>, index: number) => unknown): () => void {
  let next = 0
  return () => {
    const index = order[next]!
    next = next + 1 === EPOCHS ? 0 : next + 1
    run(places[index]!, index)
  }
}

/** Openers of values of 1,000 epochs, all of them open. */
function openers(form: 'whole' | 'compact'): () => void {
  const key = generateKeyPair()
  const reader = new SealReader({ keys: key, accept: [{ pattern: 'N' }] })
  const onEpoch = form === 'compact' ? ({ bytes }: { bytes: Uint8Array }) => reader.learn(bytes) : undefined
  const writer = new SealWriter({ to: key.publicKey, onEpoch })
  const sealed = places.map((place) => {
    writer.endEpoch()
    return writer.seal(value, place)
  })
  sealed.forEach((bytes, i) => {
    if (reader.open(bytes, places[i]!).value !== value)
      throw new Error('a value does not open as it was sealed')
  })
  return cycling((place, index) => reader.open(sealed[index]!, place))
}

function sealers() {
  const service = ServiceKey.generate()
  const whole = new SealWriter({ to: service.publicKey })
  const compact = new SealWriter({ to: service.publicKey, onEpoch: () => {} })
  const bare = new SealWriter({ to: service.publicKey })
  const capability = new SealWriter({ to: mint(service, { use: 'seal', object: 'users/email' }) })
  const single = (writer: SealWriter) =>
    cycling((place) => {
      writer.endEpoch()
      writer.seal(value, place)
    })
  return {
    whole: cycling((place) => whole.seal(value, place)),
    compact: cycling((place) => compact.seal(value, place)),
    single: single(bare),
    underCapability: single(capability),
  }
}

async function measure(): Promise<readonly Row[]> {
  const peers = sodiumPeers()
  const ours = sealers()
  const { hpkeSealer } = (await import(HPKE)) as {
    hpkeSealer: (plaintext: Uint8Array) => Promise<() => Promise<unknown>>
  }
  const hpke = await hpkeSealer(Buffer.from(value))
  const subjects: readonly (() => number | Promise<number>)[] = [
    ...[peers.seal, peers.open, peers.aead, ours.whole, ours.compact].map(
      (run) => () => timeFor(ROUND_MS, run),
    ),
    ...[openers('whole'), openers('compact'), ours.single, ours.underCapability].map(
      (run) => () => timeFor(ROUND_MS, run),
    ),
    ...[PRIMITIVES.N, PRIMITIVES.Npsk0].map(barePrimitives).map((run) => () => timeFor(ROUND_MS, run)),
    () => timeAsyncFor(ROUND_MS, hpke),
  ]
  const medians = (await alternate(subjects, WARMUPS, ROUNDS)).map(median)
  const [box = 0, boxOpen = 0, aead = 0, whole = 0, compact = 0, openWhole = 0] = medians
  const [openCompact = 0, single = 0, under = 0, bareN = 0, barePsk = 0, hpkeSeal = 0] = medians.slice(6)
  const us = (micros: number) => `${micros.toFixed(2)} µs`
  const row = (
    what: string,
    own: number,
    peer: string,
    of: number,
    judged: Pick<Row, 'ratio' | 'bar' | 'met'>,
  ): Row => ({
    what,
    ours: us(own),
    peer: `${peer} ${us(of)}`,
    ...judged,
  })
  const forms = [
    ['whole', whole, openWhole],
    ['compact', compact, openCompact],
  ] as const
  return [
    ...forms.flatMap(([form, seal]) => [
      row(`seal in an epoch, ${form}`, seal, 'crypto_box_seal', box, atLeast(box / seal, 20)),
      row(`seal in an epoch, ${form}`, seal, '@hpke/core', hpkeSeal, atLeast(hpkeSeal / seal, 40)),
      row(`seal in an epoch, ${form}`, seal, 'bare ChaChaPoly', aead, atLeast(aead / seal, 0.35)),
    ]),
    ...forms.map(([form, , open]) =>
      row(
        `open, ${EPOCHS} epochs cached, ${form}`,
        open,
        'crypto_box_seal_open',
        boxOpen,
        atLeast(boxOpen / open, 15),
      ),
    ),
    row('one value, N', single, 'crypto_box_seal', box, atMost(single / box, 1.5)),
    row('one value, Npsk0 (capability)', under, 'crypto_box_seal', box, atMost(under / box, 2.4)),
    row('bare primitives of N', bareN, 'crypto_box_seal', box, reported(bareN / box)),
    row('bare primitives of Npsk0', barePsk, 'crypto_box_seal', box, reported(barePsk / box)),
  ]
}

await runParts({ values: measure, rows: measureRows })
