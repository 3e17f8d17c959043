// A process that opens long messages: prints by how much the heap of malloc grew for 48 blocks of 1 MiB, before and after, bytes.
// Leaves out what that says (kept-memory.test.ts).
import { readFileSync } from 'node:fs'
import { primitivesOf } from '../src/crypto/select.js'
import { LONG_USE_BYTES } from '../src/kept-memory.js'

const BLOCKS = 48
const BLOCK_BYTES = 1_048_576
/** Of a block that lies in the heap whatever malloc has learnt. */
const SHORT_BYTES = 100_000
const MESSAGE_BYTES = 32_768

/** Length of the heap that grows by brk, bytes. */
function heapBytes(): number {
  const [, from = '', to = ''] =
    /^([0-9a-f]+)-([0-9a-f]+) .*\[heap\]$/m.exec(readFileSync('/proc/self/maps', 'utf8')) ?? []
  return Number.parseInt(to, 16) - Number.parseInt(from, 16)
}

const held: Uint8Array[] = []

function growth(blocks: number, blockBytes: number): number {
  const before = heapBytes()
  for (let i = 0; i < blocks; i++) held.push(Buffer.allocUnsafeSlow(blockBytes))
  return heapBytes() - before
}

const key = primitivesOf('node').aead('ChaChaPoly').withKey(new Uint8Array(32))
const [nonce, ad] = [new Uint8Array(12), new Uint8Array(0)]
const sealed = new Uint8Array(MESSAGE_BYTES + 16)
key.seal(nonce, ad, new Uint8Array(MESSAGE_BYTES), sealed)
const open = (): void => {
  if (key.opened(nonce, ad, sealed) === undefined) throw new Error('Cannot open what was sealed')
}

const fresh = growth(BLOCKS, BLOCK_BYTES)
for (let opened = 0; opened < LONG_USE_BYTES - MESSAGE_BYTES; opened += MESSAGE_BYTES) open()
const early = growth(BLOCKS, BLOCK_BYTES)
open()
const { arrayBuffers } = process.memoryUsage()
const late = growth(BLOCKS, BLOCK_BYTES)
// Now and then the system puts something right above the heap: then malloc does without it from the start.
const isHemmedIn = growth(20 * BLOCKS, SHORT_BYTES) === 0
const others = arrayBuffers - 2 * BLOCKS * BLOCK_BYTES
console.log(JSON.stringify({ fresh, early, late, others, isHemmedIn }))
held.length = 0 // held up to here
