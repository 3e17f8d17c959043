// A process that writes to an LMDB store, for lmdb-disk.test.ts: `tsx lmdb-writer.ts DIRECTORY COUNT BYTES`. Says `acknowledged N` in one
// system call after each entry is durable, and `refused CODE` when one is not, then goes on reading: `kept N`.
import { writeSync } from 'node:fs'
import { NoisecapError } from '../../src/errors.js'
import { LmdbOrderedStore } from '../../src/mailbox/lmdb-store.js'

const [directory = '', count = '1', bytes = '1'] = process.argv.slice(2)
const store = new LmdbOrderedStore(directory)
const keyOf = (n: number) => Uint8Array.of(7, n >> 8, n & 0xff)
const value = new Uint8Array(Number(bytes)).fill(0x61)
let acknowledged = 0
for (let n = 0; n < Number(count); n++) {
  writeSync(1, `begin ${n}\n`)
  try {
    await store.write((tx) => tx.put(keyOf(n), value))
  } catch (error) {
    writeSync(1, `refused ${error instanceof NoisecapError ? error.code : 'otherwise'}\n`)
    break
  }
  acknowledged += 1
  writeSync(1, `acknowledged ${n}\n`)
}
let kept = 0
while (kept < acknowledged && store.read((view) => view.get(keyOf(kept))?.length) === value.length) kept += 1
writeSync(1, `kept ${kept}\n`)
process.exit(0)
