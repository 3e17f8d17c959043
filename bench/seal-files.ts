// What sealed files and streams cost beside their peers in the same run: `npm run bench:seal-files`. In this process, CPU time, beside
// bare sodium in chunks of 64 KiB and npm's age-encryption; as commands, wall time, beside Debian's `age` on the same file.
// BENCH_FILE_BYTES sets the size of the file, 1 GiB unless given. Medians over alternating rounds. `npm run bench:seal-files memory` is
// of one long stream, BENCH_STREAM_BYTES, 10 GiB unless given, once lent and once not. Leaves out values (seal.ts).
import { execFileSync, spawnSync } from 'node:child_process'
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { generateKeyPair, openStream, SealReader, SealWriter, sealStream } from '../src/seal/index.js'
import { buildPackage } from './suite/built.js'
import { runParts } from './suite/parts.js'
import { atLeast, type Row } from './suite/report.js'
import { alternate, cpuMicrosSince, median, ROUNDS } from './suite/rounds.js'
import { sodium } from './suite/sodium.js'

const CHUNK_BYTES = 65_536
const MIB = 1_048_576
/** Of one round in this process: four megabytes are slow enough for age-encryption to be timed, and quick enough to wait for. */
const STREAM_BYTES = 64 * MIB
const AGE_BYTES = 4 * MIB
const FILE_BYTES = Number(process.env['BENCH_FILE_BYTES'] ?? 1_024 * MIB)
const LONG_BYTES = Number(process.env['BENCH_STREAM_BYTES'] ?? 10 * 1_024 * MIB)
/** Resident memory is looked at as often. */
const LOOK_BYTES = 16 * MIB
const GROWTH_MAX_MIB = 64
const WARMUPS = 1
const CLI = fileURLToPath(new URL('../dist/cli.js', import.meta.url))
/** Found at run time: it needs packages that only `bench/peers` has. */
const AGE_ENCRYPTION = './peers/age-encryption.mjs'

/** MB/s of CPU time. */
async function rateOf(bytes: number, run: () => unknown): Promise<number> {
  const began = process.cpuUsage()
  await run()
  return bytes / cpuMicrosSince(began)
}

function* pieces(bytes: number): Generator<Uint8Array> {
  const piece = new Uint8Array(CHUNK_BYTES).fill(7)
  for (let at = 0; at < bytes; at += CHUNK_BYTES) yield piece
}

async function lengthOf(stream: AsyncIterable<Uint8Array>): Promise<number> {
  let length = 0
  for await (const piece of stream) length += piece.length
  return length
}

/** The same bytes by sodium alone, into memory that is there already. */
function bareSodium() {
  const plain = Buffer.alloc(CHUNK_BYTES, 7)
  const sealed = Buffer.alloc(CHUNK_BYTES + 16)
  const key = Buffer.alloc(32, 3)
  const nonce = Buffer.alloc(12)
  const chunks = STREAM_BYTES / CHUNK_BYTES
  const seal = () => {
    for (let i = 0; i < chunks; i++) {
      nonce.writeUInt32LE(i, 4)
      sodium.crypto_aead_chacha20poly1305_ietf_encrypt(sealed, plain, null, null, nonce, key)
    }
  }
  const open = () => {
    nonce.writeUInt32LE(chunks - 1, 4)
    for (let i = 0; i < chunks; i++)
      sodium.crypto_aead_chacha20poly1305_ietf_decrypt(plain, null, sealed, null, nonce, key)
  }
  return { seal, open }
}

async function inProcess(): Promise<readonly Row[]> {
  const key = generateKeyPair()
  const writer = new SealWriter({ to: key.publicKey })
  const reader = new SealReader({ keys: key, accept: [{ pattern: 'N' }] })
  const sealed: Uint8Array[] = []
  for await (const piece of sealStream(pieces(STREAM_BYTES), writer)) sealed.push(piece)
  const bare = bareSodium()
  const { ageEncryption } = (await import(AGE_ENCRYPTION)) as {
    ageEncryption: (bytes: number) => Promise<{ seal: () => Promise<unknown>; open: () => Promise<unknown> }>
  }
  const age = await ageEncryption(AGE_BYTES)
  const seal = (lend: boolean) => lengthOf(sealStream(pieces(STREAM_BYTES), writer, { lend }))
  const open = async (lend: boolean) => {
    if ((await lengthOf(await openStream(sealed, reader, { lend }))) !== STREAM_BYTES)
      throw new Error('not all was opened')
  }
  const rates = await alternate(
    [
      () => rateOf(STREAM_BYTES, () => seal(false)),
      () => rateOf(STREAM_BYTES, () => open(false)),
      () => rateOf(STREAM_BYTES, () => seal(true)),
      () => rateOf(STREAM_BYTES, () => open(true)),
      () => rateOf(STREAM_BYTES, bare.seal),
      () => rateOf(STREAM_BYTES, bare.open),
      () => rateOf(AGE_BYTES, age.seal),
      () => rateOf(AGE_BYTES, age.open),
    ],
    WARMUPS,
  )
  const [ours = 0, oursOpen = 0, lent = 0, lentOpen = 0, aead = 0, aeadOpen = 0, npm = 0, npmOpen = 0] =
    rates.map(median)
  return [
    row('sealStream, lent pieces', lent, 'bare ChaChaPoly', aead, 0.7),
    row('openStream, lent pieces', lentOpen, 'bare ChaChaPoly', aeadOpen, 0.7),
    row('sealStream', ours, 'bare ChaChaPoly', aead, 0.7),
    row('openStream', oursOpen, 'bare ChaChaPoly', aeadOpen, 0.7),
    row('sealStream', ours, 'npm age-encryption', npm, 10),
    row('openStream', oursOpen, 'npm age-encryption', npmOpen, 10),
  ]
}

function row(what: string, ours: number, peer: string, theirs: number, bar: number): Row {
  const rate = (value: number) => `${value.toFixed(0)} MB/s`
  return { what, ours: rate(ours), peer: `${peer} ${rate(theirs)}`, ...atLeast(ours / theirs, bar) }
}

/** Resident memory while one long stream is sealed and opened in lent memory, beside that before, and once more without lending. */
async function memory(): Promise<readonly Row[]> {
  const key = generateKeyPair()
  using reader = new SealReader({ keys: key, accept: [{ pattern: 'N' }] })
  using writer = new SealWriter({ to: key.publicKey })
  const mib = (bytes: number) => `${Math.ceil(bytes / MIB)} MiB`
  const size = (LONG_BYTES / MIB / 1_024).toFixed(1)
  const rows: Row[] = []
  for (const lend of [true, false]) {
    const before = process.memoryUsage.rss()
    let opened = 0
    let highest = 0
    const sealed = sealStream(pieces(LONG_BYTES), writer, { lend })
    for await (const piece of await openStream(sealed, reader, { lend })) {
      opened += piece.length
      if (opened % LOOK_BYTES === 0) highest = Math.max(highest, process.memoryUsage.rss())
    }
    if (opened !== LONG_BYTES) throw new Error('not all was opened')
    rows.push({
      what: `${size} GiB sealed and opened, ${lend ? 'lent pieces' : 'pieces of their own'}, resident memory`,
      ours: mib(highest),
      peer: `before: ${mib(before)}`,
      ratio: undefined,
      bar: `≤ ${GROWTH_MAX_MIB} MiB more`,
      met: (highest - before) / MIB <= GROWTH_MAX_MIB,
    })
  }
  return rows
}

async function commands(): Promise<readonly Row[]> {
  buildPackage()
  if (spawnSync('age', ['--version']).error !== undefined)
    throw new Error('Cannot measure beside age: install it (apt-get install age)')
  const folder = mkdtempSync(join(tmpdir(), 'noisecap-bench-'))
  try {
    return await timeCommands(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function timeCommands(folder: string): Promise<readonly Row[]> {
  const at = (name: string) => join(folder, name)
  const noisecap = (...argv: string[]) =>
    execFileSync(process.execPath, [CLI, ...argv], { stdio: ['ignore', 'pipe', 'ignore'] })
  makeFile(at('plain'))
  const reader = noisecap('keygen', '--client', at('key')).toString().trim()
  const quiet = { stdio: 'ignore' } as const
  execFileSync('age-keygen', ['-o', at('age.key')], quiet)
  const recipient = execFileSync('age-keygen', ['-y', at('age.key')])
    .toString()
    .trim()
  /** Output is removed outside of the time: neither command shall pay for freeing the old one. */
  const timed = (output: string, run: () => unknown) => () => {
    rmSync(at(output), { force: true })
    const began = performance.now()
    run()
    return FILE_BYTES / 1_000 / (performance.now() - began)
  }
  const rates = await alternate(
    [
      timed('sealed', () => noisecap('seal', at('plain'), '-r', reader, '-o', at('sealed'))),
      timed('age', () => execFileSync('age', ['-r', recipient, '-o', at('age'), at('plain')], quiet)),
      timed('out', () => noisecap('open', at('sealed'), '--key', at('key'), '-o', at('out'))),
      timed('age.out', () =>
        execFileSync('age', ['-d', '-i', at('age.key'), '-o', at('age.out'), at('age')], quiet),
      ),
    ],
    WARMUPS,
    ROUNDS,
  )
  for (const opened of ['out', 'age.out']) execFileSync('cmp', [at('plain'), at(opened)])
  const [seal, ageSeal, open, ageOpen] = rates.map(median) as [number, number, number, number]
  const size = `${(FILE_BYTES / MIB).toFixed(0)} MiB`
  return [
    row(`noisecap seal, file of ${size}`, seal, 'age', ageSeal, 0.8),
    row(`noisecap open, file of ${size}`, open, 'age -d', ageOpen, 0.8),
  ]
}

/** A file that no disk compresses. */
function makeFile(path: string): void {
  const file = openSync(path, 'w')
  const block = new Uint8Array(MIB)
  for (let at = 0; at < FILE_BYTES; at += MIB) {
    for (let i = 0; i < MIB; i += 65_536) crypto.getRandomValues(block.subarray(i, i + 65_536))
    writeSync(file, block)
  }
  ftruncateSync(file, FILE_BYTES)
  closeSync(file)
}

await runParts({ streams: inProcess, commands, memory })
