// A process or thread of its own that seals as many values as it is told and reports the epoch and position of each, for
// epochs.test.ts. Arguments (process) or workerData (thread): the reader's public key in hexadecimal, how many values.
import { parentPort, workerData } from 'node:worker_threads'
import { hexDecode, hexEncode } from '../../src/bytes.js'
import { asPublicKey } from '../../src/crypto/index.js'
import { SealWriter } from '../../src/seal/index.js'
import { COMPACT_OFFSET } from '../../src/seal/layout.js'
import { email } from './parties.js'

const [key, count] = (parentPort === null ? process.argv.slice(2) : workerData) as [string, string]
const used: string[] = []
const writer = new SealWriter({ to: asPublicKey(hexDecode(key)), onEpoch: () => {} })
for (let i = 0; i < Number(count); i++) {
  const sealed = writer.seal('x', email.at(i))
  used.push(hexEncode(sealed.subarray(COMPACT_OFFSET.epochId, COMPACT_OFFSET.ciphertext)))
}
if (parentPort !== null) parentPort.postMessage(used)
else if (process.send !== undefined) process.send(used)
else throw new Error('expected a parent')
// One that is killed in the middle of its epoch has nothing left to go on with.
if (parentPort === null) setInterval(() => {}, 1_000)
