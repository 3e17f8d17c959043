// Handshakes a second, both sides in one thread, by pattern and provider: `npx tsx bench/noise.ts`. Beside them the bare
// key generations and DHs that the pattern prescribes, and npm's noise-handshake where it has the pattern.
// Every candidate proves agreement of both sides before it is timed; rounds alternate, figures are medians of 9.
// Then transport messages beside the bare AEAD. Leaves out sessions and framing.
import { execFileSync } from 'node:child_process'
import { cpus } from 'node:os'
import { EMPTY } from '../src/bytes.js'
import { type Primitives, type ProviderName, primitivesOf } from '../src/crypto/index.js'
import { CipherState } from '../src/noise/index.js'
import {
  bareCandidate,
  type Candidate,
  check,
  equal,
  ourCandidate,
  PATTERNS,
  PSK,
  peerCandidate,
} from './session/handshake-candidates.js'

const PROVIDERS: readonly ProviderName[] = ['sodium', 'node', 'noble']
const PEER_PATTERNS: readonly string[] = ['XK', 'IK']
const ROUNDS = 9
const ROUND_MS = 60
/** Until the compiler has settled. */
const WARMUP_ROUNDS = 5

/** One message of `size` bytes, encrypted and decrypted, through CipherState and by the bare cipher. */
function transportCandidates(from: Primitives, size: number): readonly [Candidate, Candidate] {
  const aead = from.aead('ChaChaPoly')
  const [sender, receiver, key] = [new CipherState(aead, PSK), new CipherState(aead, PSK), aead.withKey(PSK)]
  const [plaintext, sealed, opened] = [size, size + 16, size].map((length) => new Uint8Array(length))
  const nonce = new Uint8Array(12)
  const cipherState = (): void => {
    sender.encryptInto(EMPTY, plaintext!, sealed!)
    receiver.decryptInto(EMPTY, sealed!, opened!)
  }
  const bare = (): void => {
    key.seal(nonce, EMPTY, plaintext!, sealed!)
    key.open(nonce, EMPTY, sealed!, opened!)
  }
  plaintext!.fill(1)
  for (const run of [cipherState, bare]) {
    opened!.fill(0)
    run()
    check(equal(plaintext!, opened!), 'transport')
  }
  return [
    { name: 'CipherState', run: cipherState },
    { name: 'bare AEAD', run: bare },
  ]
}

/** µs of one run, by candidate: the medians of alternating rounds. */
function measure(candidates: readonly Candidate[]): readonly number[] {
  const samples = candidates.map((): number[] => [])
  for (let round = 0; round < WARMUP_ROUNDS; round++) for (const candidate of candidates) timeRound(candidate)
  for (let round = 0; round < ROUNDS; round++) {
    for (const [index, candidate] of candidates.entries()) samples[index]!.push(timeRound(candidate))
  }
  return samples.map((values) => values.sort((a, b) => a - b)[(ROUNDS - 1) / 2]!)
}

function timeRound({ run }: Candidate): number {
  const start = performance.now()
  let count = 0
  let elapsed = 0
  while (elapsed < ROUND_MS) {
    run()
    count += 1
    elapsed = performance.now() - start
  }
  return (elapsed / count) * 1_000
}

function has(provider: ProviderName): boolean {
  return primitivesOf(provider)
    .report()
    .filter(({ primitive }) => ['25519', 'ChaChaPoly', 'BLAKE2b'].includes(primitive))
    .every(({ provider: found }) => found !== undefined)
}

const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()
console.log(`${cpus()[0]?.model.trim()}, ${cpus().length} CPUs, Node ${process.version}, commit ${commit}`)
console.log(
  'pattern   provider  handshakes/s      µs   bare µs (its work)               ratio   noise-handshake µs  (× ours)',
)
for (const pattern of PATTERNS) {
  for (const provider of PROVIDERS.filter(has)) {
    const from = primitivesOf(provider)
    const candidates = [ourCandidate(pattern, from), bareCandidate(pattern, from)]
    if (provider === 'sodium' && PEER_PATTERNS.includes(pattern)) candidates.push(peerCandidate(pattern))
    const [ours = 0, bare = 0, peer] = measure(candidates)
    const columns = [
      pattern.padEnd(9),
      provider.padEnd(9),
      (1e6 / ours).toFixed(0).padStart(12),
      ours.toFixed(0).padStart(7),
      bare.toFixed(0).padStart(9),
      `(${candidates[1]!.name})`.padEnd(21),
      (ours / bare).toFixed(2).padStart(6),
      peer === undefined ? '' : `${peer.toFixed(0).padStart(20)}  ${(peer / ours).toFixed(2)}`,
    ]
    console.log(columns.join(' '))
  }
}

console.log('\ntransport, encryptInto + decryptInto   µs   bare µs   ratio')
for (const provider of PROVIDERS.filter(has)) {
  for (const size of [64, 16_384]) {
    const [ours = 0, bare = 0] = measure(transportCandidates(primitivesOf(provider), size))
    const columns = [
      `${provider}, ${size} bytes`.padEnd(34),
      ours.toFixed(2).padStart(8),
      bare.toFixed(2).padStart(9),
    ]
    console.log(columns.join(' '), (ours / bare).toFixed(2).padStart(7))
  }
}
