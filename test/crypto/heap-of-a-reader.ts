// A process that opens long messages: prints by how much the heap of malloc grew for 48 blocks of 1 MiB, before and after, bytes.
// Leaves out what that says (kept-memory.test.ts).
import { readFileSync } from 'node:fs'
import { LONG_USE_BYTES } from '../../src/crypto/kept-memory.js'
import { primitivesOf } from '../../src/crypto/select.js'

const BLOCKS = 48
const BLOCK_BYTES = 1_048_576
const MESSAGE_BYTES = 32_768

/** Length of the heap that grows by brk, bytes. */
function heapBytes(): number {
  const [, from = '', to = ''] =
    /^([0-9a-f]+)-([0-9a-f]+) .*\[heap\]$/m.exec(readFileSync('/proc/self/maps', 'utf8')) ?? []
  return Number.parseInt(to, 16) - Number.parseInt(from, 16)
}

const held: Uint8Array[] = []

function growth(): number {
  const before = heapBytes()
  for (let i = 0; i < BLOCKS; i++) held.push(Buffer.allocUnsafeSlow(BLOCK_BYTES))
  return heapBytes() - before
}

const key = primitivesOf('node').aead('ChaChaPoly').withKey(new Uint8Array(32))
const [nonce, ad] = [new Uint8Array(12), new Uint8Array(0)]
const sealed = new Uint8Array(MESSAGE_BYTES + 16)
key.seal(nonce, ad, new Uint8Array(MESSAGE_BYTES), sealed)
const open = (): void => {
  if (key.opened(nonce, ad, sealed) === undefined) throw new Error('Cannot open what was sealed')
}

const fresh = growth()
for (let opened = 0; opened < LONG_USE_BYTES - MESSAGE_BYTES; opened += MESSAGE_BYTES) open()
const early = growth()
open()
const { arrayBuffers } = process.memoryUsage()
const late = growth()
console.log(JSON.stringify({ fresh, early, late, arrayBuffers: arrayBuffers - 2 * BLOCKS * BLOCK_BYTES }))
held.length = 0 // held up to here
