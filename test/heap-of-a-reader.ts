// A process that reads in the way it is told: prints by how much the heap of malloc grew for 48 blocks of 1 MiB, at first, after some
// and after all of it, bytes. Leaves out what that says (kept-memory.test.ts).
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { PassThrough } from 'node:stream'
import { primitivesOf } from '../src/crypto/select.js'
import { LONG_USE_BYTES } from '../src/kept-memory.js'
import { parseLocationOf } from '../src/location.js'
import type { Pipe } from '../src/transport/pipe.js'
import { childPipe } from '../src/transport/stdio.js'
import { listenTcp } from '../src/transport/tcp.js'
import { dialWebSocket } from '../src/transport/websocket-node.js'
import { listenWebSocket } from '../src/transport/websocket-server.js'

const BLOCKS = 48
const BLOCK_BYTES = 1_048_576
/** Of a block that lies in the heap whatever malloc has learnt. */
const SHORT_BYTES = 100_000
const MESSAGE_BYTES = 32_768
const CALL_BYTES = 8_192
/** More than is left to be read, since one read may be short. */
const SENT_BYTES = 64 * MESSAGE_BYTES

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

/** Open `bytes` bytes in messages of `length`. */
function open(bytes: number, length: number): void {
  const key = primitivesOf('node').aead('ChaChaPoly').withKey(new Uint8Array(32))
  const [nonce, ad] = [new Uint8Array(12), new Uint8Array(0)]
  const sealed = new Uint8Array(length + 16)
  key.seal(nonce, ad, new Uint8Array(length), sealed)
  for (let opened = 0; opened < bytes; opened += length) {
    if (key.opened(nonce, ad, sealed) === undefined) throw new Error('Cannot open what was sealed')
  }
}

/** Read all that is sent through `pipe`. */
function readAll(pipe: Pipe): Promise<void> {
  return new Promise((resolve) => {
    let got = 0
    const data = ({ length }: Uint8Array): void => {
      got += length
      if (got >= SENT_BYTES) resolve()
    }
    pipe.start({ data, drain() {}, end() {}, closed() {} })
  })
}

function sendAll(write: (bytes: Uint8Array) => unknown): void {
  for (let sent = 0; sent < SENT_BYTES; sent += MESSAGE_BYTES) write(Buffer.alloc(MESSAGE_BYTES))
}

/** Listen, and take the first that comes.
 * @returns where, and the pipe. */
async function listening(
  listen: typeof listenTcp,
  at: string,
): Promise<{ location: string; accepted: Promise<Pipe> }> {
  let accept: ((pipe: Pipe) => void) | undefined
  const accepted = new Promise<Pipe>((resolve) => {
    accept = resolve
  })
  const { location } = await listen(at, (pipe) => accept?.(pipe))
  return { location, accepted }
}

const WAYS: Record<string, () => void | Promise<void>> = {
  opened: () => open(MESSAGE_BYTES, MESSAGE_BYTES),
  calls: () => open(4 * LONG_USE_BYTES, CALL_BYTES),
  async tcp() {
    const { location, accepted } = await listening(listenTcp, 'tcp://127.0.0.1:0')
    const { host, port } = parseLocationOf('tcp', location, 'dial')
    const socket = connect({ host, port })
    sendAll((bytes) => socket.write(bytes))
    await readAll(await accepted)
  },
  async stdio() {
    const stdout = new PassThrough()
    const read = readAll(childPipe({ stdin: new PassThrough(), stdout }))
    sendAll((bytes) => stdout.write(bytes))
    await read
  },
  async ws() {
    const { location, accepted } = await listening(listenWebSocket, 'ws://127.0.0.1:0')
    const pipe = await dialWebSocket(location, AbortSignal.timeout(20_000))
    const read = readAll(await accepted)
    sendAll((bytes) => pipe.write(bytes))
    await read
  },
}

const way = WAYS[process.argv[2] ?? '']
if (way === undefined) throw new Error(`Cannot read: expected one of ${Object.keys(WAYS).join(', ')}`)
const fresh = growth(BLOCKS, BLOCK_BYTES)
open(LONG_USE_BYTES - MESSAGE_BYTES, MESSAGE_BYTES)
const early = growth(BLOCKS, BLOCK_BYTES)
await way()
const { arrayBuffers } = process.memoryUsage()
const late = growth(2 * BLOCKS, BLOCK_BYTES)
// Now and then the system puts something right above the heap: then malloc does without it from the start.
const isHemmedIn = growth(40 * BLOCKS, SHORT_BYTES) === 0
const others = arrayBuffers - 2 * BLOCKS * BLOCK_BYTES
console.log(JSON.stringify({ fresh, early, late, others, isHemmedIn }))
process.exit(held.length === 0 ? 1 : 0) // held up to here
