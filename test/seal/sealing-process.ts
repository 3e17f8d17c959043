// A process or thread of its own that seals as many values, or chunks of one stream, as it is told, for epochs.test.ts. Reports the
// epoch and position of each value, or the bytes of the stream so far, in the middle of which it stays.
// Arguments (process) or workerData (thread): the reader's public key in hexadecimal, how many, `values` or `stream`.
import { parentPort, workerData } from 'node:worker_threads'
import { hexDecode, hexEncode } from '../../src/bytes.js'
import { asPublicKey } from '../../src/crypto/index.js'
import { SealWriter, streamSealer } from '../../src/seal/index.js'
import { COMPACT_OFFSET } from '../../src/seal/layout.js'
import { email } from './parties.js'

const [key, count, what] = (parentPort === null ? process.argv.slice(2) : workerData) as [
  string,
  string,
  string,
]
const writer = new SealWriter({ to: asPublicKey(hexDecode(key)), onEpoch: () => {} })
const used = what === 'stream' ? chunksOf(Number(count)) : valuesOf(Number(count))
if (parentPort !== null) parentPort.postMessage(used)
else if (process.send !== undefined) process.send(used)
else throw new Error('expected a parent')
// One that is killed in the middle of its epoch has nothing left to go on with.
if (parentPort === null) setInterval(() => {}, 1_000)

function valuesOf(rows: number): string[] {
  return Array.from({ length: rows }, (_, row) => {
    const sealed = writer.seal('x', email.at(row))
    return hexEncode(sealed.subarray(COMPACT_OFFSET.epochId, COMPACT_OFFSET.ciphertext))
  })
}

/** Prelude and frames of a stream that does not end, all chunks of the same content. */
function chunksOf(chunks: number): string[] {
  const sealer = streamSealer(writer, { chunkBytes: 64 })
  const frames = Array.from({ length: chunks }, () => {
    const frame = new Uint8Array(84)
    sealer.seal(new Uint8Array(64).fill(7), false, frame)
    return hexEncode(frame)
  })
  return [hexEncode(sealer.prelude), ...frames]
}
