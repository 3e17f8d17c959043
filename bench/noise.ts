// Handshakes a second, both sides in one thread, by pattern and provider: `npm run bench:noise`. Beside them the bare key
// generations and DHs that the pattern prescribes (of sodium-native itself where sodium serves, else through the provider)
// and npm's noise-handshake where it has the pattern; the project's bars stand beside the ratios that they are for.
// Every candidate proves agreement of both sides before it is timed; candidates alternate, figures are medians of 15 rounds,
// ratios those within a round with their middle half. Then transport messages beside the bare AEAD. Leaves out sessions.
import { execFileSync } from 'node:child_process'
import { cpus } from 'node:os'
import { EMPTY } from '../src/bytes.js'
import { type Primitives, type ProviderName, primitivesOf, reportOf } from '../src/crypto/index.js'
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
import { quantile } from './suite/rounds.js'

const PROVIDERS: readonly ProviderName[] = ['sodium', 'node', 'noble']
const PEER_PATTERNS: readonly string[] = ['XK', 'IK']
/** Of the issue: at most so many times the bare work, at least so many times noise-handshake's rate. */
const BARE_BAR: Readonly<Record<string, string>> = { NKpsk2: '<= 1.70' }
const PEER_BAR = '>= 1.00'
const ROUNDS = 15
/** For each candidate. */
const ROUND_MS = 60
/** Slow candidates overrun their round. */
const MIN_TURNS = 3
/** Transport messages at a time, which are too short for the clock. */
const MESSAGES = 20
/** Until the compiler has settled; on a busy machine its thread is kept waiting. */
const WARMUP_ROUNDS = 20

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

/** µs of one run in each round, by candidate. */
function measure(candidates: readonly Candidate[], runs = 1): readonly (readonly number[])[] {
  const samples = candidates.map((): number[] => [])
  for (let round = 0; round < WARMUP_ROUNDS; round++) timeRound(candidates, runs)
  for (let round = 0; round < ROUNDS; round++) {
    for (const [index, micros] of timeRound(candidates, runs).entries()) samples[index]!.push(micros)
  }
  return samples
}

/** Ratio of two candidates: the median over the rounds, and their middle half. */
function ratioOf(over: readonly number[], under: readonly number[]): string {
  const ratios = over.map((value, round) => value / under[round]!)
  const [low, middle, high] = [0.25, 0.5, 0.75].map((part) => quantile(ratios, part).toFixed(2))
  return `${middle} (${low}-${high})`
}

/** One round: the candidates in turn, `runs` at a time, and of each the median. On a busy machine a turn is mostly too short
 * to be interrupted, a whole round is not. */
function timeRound(candidates: readonly Candidate[], runs: number): readonly number[] {
  const times = candidates.map((): number[] => [])
  const end = performance.now() + ROUND_MS * candidates.length
  while (performance.now() < end || times[0]!.length < MIN_TURNS) {
    for (const [index, { run }] of candidates.entries()) {
      const start = performance.now()
      for (let count = 0; count < runs; count++) run()
      times[index]!.push(((performance.now() - start) / runs) * 1_000)
    }
  }
  return times.map((values) => quantile(values, 0.5))
}

function has(provider: ProviderName): boolean {
  return reportOf(primitivesOf(provider))
    .filter(({ primitive }) => ['25519', 'ChaChaPoly', 'BLAKE2b'].includes(primitive))
    .every(({ provider: found }) => found !== undefined)
}

const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()
console.log(`${cpus()[0]?.model.trim()}, ${cpus().length} CPUs, Node ${process.version}, commit ${commit}`)
console.log(
  'pattern  provider  handshakes/s     µs   bare µs (its work)          ratio (middle half)  bar       noise-handshake µs, × ours  bar',
)
for (const pattern of PATTERNS) {
  for (const provider of PROVIDERS.filter(has)) {
    const from = primitivesOf(provider)
    const candidates = [ourCandidate(pattern, from), bareCandidate(pattern, from)]
    if (provider === 'sodium' && PEER_PATTERNS.includes(pattern)) candidates.push(peerCandidate(pattern))
    const [ours = [], bare = [], peer] = measure(candidates)
    const columns = [
      pattern.padEnd(8),
      provider.padEnd(9),
      (1e6 / quantile(ours, 0.5)).toFixed(0).padStart(12),
      quantile(ours, 0.5).toFixed(0).padStart(6),
      quantile(bare, 0.5).toFixed(0).padStart(9),
      `(${candidates[1]!.name})`.padEnd(19),
      ratioOf(ours, bare).padStart(17),
      (provider === 'sodium' ? (BARE_BAR[pattern] ?? '') : '').padStart(8),
      peer === undefined
        ? ''
        : `${quantile(peer, 0.5).toFixed(0).padStart(17)}, ${ratioOf(peer, ours)} ${PEER_BAR}`,
    ]
    console.log(columns.join(' '))
  }
}

console.log('\ntransport, encryptInto + decryptInto   µs   bare µs   ratio (middle half)')
for (const provider of PROVIDERS.filter(has)) {
  for (const size of [64, 16_384]) {
    const [ours = [], bare = []] = measure(transportCandidates(primitivesOf(provider), size), MESSAGES)
    const columns = [
      `${provider}, ${size} bytes`.padEnd(34),
      quantile(ours, 0.5).toFixed(2).padStart(8),
      quantile(bare, 0.5).toFixed(2).padStart(9),
    ]
    console.log(columns.join(' '), ratioOf(ours, bare).padStart(18))
  }
}
