// Median µs of every primitive by provider and size: `npx tsx bench/crypto.ts`. The order of providers in
// src/crypto/select.ts rests on it. All providers must agree on a result before it is timed; rounds alternate between
// providers, so that a busy machine slows them alike. Leaves out Noise and sessions.
import {
  type AeadName,
  asPublicKey,
  asSecretKey,
  type DhName,
  type HashName,
  notesOf,
  type Primitives,
  type ProviderName,
  primitives,
  primitivesOf,
  reportOf,
} from '../src/crypto/index.js'

const PROVIDERS: readonly ProviderName[] = ['sodium', 'node', 'noble']
const SIZES = [64, 1_024, 16_384, 65_536]
const ROUNDS = 11
const ROUND_MS = 12

/** One timed operation of one provider; `result` is what all providers must agree on. */
interface Candidate {
  readonly provider: ProviderName
  readonly result: Uint8Array
  readonly run: () => unknown
}

interface Subject {
  readonly name: string
  readonly candidates: readonly Candidate[]
}

function filled(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + seed) & 0xff)
}

/** A candidate of each provider that has the primitive. */
function subject(name: string, make: (of: Primitives) => Omit<Candidate, 'provider'>): Subject {
  const candidates: Candidate[] = []
  for (const provider of PROVIDERS) {
    try {
      candidates.push({ provider, ...make(primitivesOf(provider)) })
    } catch (error) {
      const lacks = error instanceof Error && 'code' in error && error.code === 'crypto/unavailable'
      if (!lacks) throw error
    }
  }
  return { name, candidates }
}

function dhSubjects(name: DhName): readonly Subject[] {
  const length = name === '25519' ? 32 : 56
  const secret = asSecretKey(filled(length, 1), length)
  const peer = primitivesOf('noble')
    .dh(name)
    .publicKeyOf(asSecretKey(filled(length, 2), length))
  const label = `X${name}`
  return [
    subject(`${label} DH, keys seen before`, (of) => {
      const dh = of.dh(name)
      return { result: dh.dh(secret, peer), run: () => dh.dh(secret, peer) }
    }),
    subject(`${label} DH, new public key`, (of) => {
      const dh = of.dh(name)
      return { result: dh.dh(secret, peer), run: () => dh.dh(secret, asPublicKey(peer.slice(), length)) }
    }),
    subject(`${label} key generation`, (of) => {
      const dh = of.dh(name)
      return { result: dh.publicKeyOf(secret), run: () => dh.publicKeyOf(dh.generateSecretKey()) }
    }),
  ]
}

function aeadSubjects(name: AeadName, size: number): readonly Subject[] {
  const nonce = filled(12, 3)
  const ad = filled(0, 0)
  const plaintext = filled(size, 4)
  return [
    subject(`${name} seal ${size} B`, (of) => {
      const key = of.aead(name).withKey(filled(32, 5))
      const out = new Uint8Array(size + 16)
      key.seal(nonce, ad, plaintext, out)
      return { result: out.slice(), run: () => key.seal(nonce, ad, plaintext, out) }
    }),
    subject(`${name} open ${size} B`, (of) => {
      const key = of.aead(name).withKey(filled(32, 5))
      const ciphertext = new Uint8Array(size + 16)
      key.seal(nonce, ad, plaintext, ciphertext)
      const out = new Uint8Array(size)
      if (!key.open(nonce, ad, ciphertext, out)) throw new Error(`${name} does not open what it sealed`)
      return { result: out.slice(), run: () => key.open(nonce, ad, ciphertext, out) }
    }),
  ]
}

function hashSubjects(name: HashName, size: number): readonly Subject[] {
  const input = filled(size, 6)
  const key = filled(32, 7)
  return [
    subject(`${name} ${size} B`, (of) => {
      const hash = of.hash(name)
      return { result: hash.hash(input), run: () => hash.hash(input) }
    }),
    subject(`HMAC-${name} ${size} B`, (of) => {
      const hash = of.hash(name)
      return { result: hash.hmac(key, input), run: () => hash.hmac(key, input) }
    }),
  ]
}

function randomSubject(size: number): Subject {
  return subject(`random ${size} B`, (of) => ({
    result: new Uint8Array(0),
    run: () => of.randomBytes(size),
  }))
}

function checkAgreement({ name, candidates }: Subject): void {
  const [first, ...others] = candidates
  for (const other of others) {
    if (Buffer.compare(first!.result, other.result) !== 0) {
      throw new Error(`${first!.provider} and ${other.provider} disagree on ${name}`)
    }
  }
}

/** µs of one run, over as many runs as fill a round. */
function timeRound(run: () => unknown, runs: number): number {
  const start = process.hrtime.bigint()
  for (let i = 0; i < runs; i++) run()
  return Number(process.hrtime.bigint() - start) / 1_000 / runs
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]!
}

function measure({ candidates }: Subject): ReadonlyMap<ProviderName, number> {
  const plans = candidates.map(({ provider, run }) => {
    timeRound(run, 200)
    const runs = Math.max(1, Math.ceil((ROUND_MS * 1_000) / timeRound(run, 20)))
    return { provider, run, runs, times: [] as number[] }
  })
  for (let round = 0; round < ROUNDS; round++) {
    for (const plan of plans) plan.times.push(timeRound(plan.run, plan.runs))
  }
  return new Map(plans.map(({ provider, times }) => [provider, median(times)]))
}

const DHS: readonly DhName[] = ['25519', '448']
const AEADS: readonly AeadName[] = ['ChaChaPoly', 'AESGCM']
const HASHES: readonly HashName[] = ['SHA256', 'SHA512', 'BLAKE2s', 'BLAKE2b']
const subjects = [
  ...DHS.flatMap(dhSubjects),
  ...AEADS.flatMap((name) => SIZES.flatMap((size) => aeadSubjects(name, size))),
  ...HASHES.flatMap((name) => SIZES.flatMap((size) => hashSubjects(name, size))),
  ...[32, 1_024].map(randomSubject),
]
for (const each of subjects) checkAgreement(each)

console.log(
  `Node ${process.versions.node}, ${process.platform} ${process.arch}; median µs of ${ROUNDS} rounds`,
)
console.log(`${''.padEnd(30)}${PROVIDERS.map((name) => name.padStart(10)).join('')}`)
for (const each of subjects) {
  const medians = measure(each)
  const cells = PROVIDERS.map((name) => medians.get(name)?.toFixed(2) ?? '-')
  console.log(`${each.name.padEnd(30)}${cells.map((cell) => cell.padStart(10)).join('')}`)
}
console.log('\nThis process chooses:')
for (const { primitive, provider, reason } of reportOf(primitives())) {
  console.log(`  ${primitive.padEnd(12)}${(provider ?? '-').padEnd(8)}${reason}`)
}
for (const note of notesOf(primitives())) console.log(`  note: ${note}`)
