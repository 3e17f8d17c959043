// The in-memory pair passes the conformance suite; and keeps the boundaries of messages where it is told to.
import { expect, test } from 'vitest'
import { memoryPair } from '../../src/transport/index.js'
import { conformance } from './conformance.js'

conformance('a memory pair of bytes', async () => ({ ...memoryPair('length'), close: async () => {} }))
conformance('a memory pair of messages', async () => ({ ...memoryPair('message'), close: async () => {} }))

test('message framing keeps the boundaries of write', async () => {
  const { client, server } = memoryPair('message')
  const lengths: number[] = []
  server.start({ data: (bytes) => lengths.push(bytes.length), drain() {}, end() {}, closed() {} })
  for (const length of [1, 2, 3]) client.write(new Uint8Array(length))
  await expect.poll(() => lengths).toEqual([1, 2, 3])
})
