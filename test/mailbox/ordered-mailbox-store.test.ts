// The MailboxStore over sorted entries: what the suite cannot see. A lease is a commit, so who waits is looked for first; who is
// behind is not.
import { expect, test } from 'vitest'
import { MemoryOrderedStore } from '../../src/mailbox/memory-store.js'
import { OrderedMailboxStore } from '../../src/mailbox/ordered-mailbox-store.js'
import type { OrderedTransaction, OrderedView } from '../../src/mailbox/ordered-store.js'

class CountedStore extends MemoryOrderedStore {
  reads = 0
  writes = 0

  override read<T>(work: (view: OrderedView) => T): T {
    this.reads += 1
    return super.read(work)
  }

  override write<T>(work: (tx: OrderedTransaction) => T): Promise<T> {
    this.writes += 1
    return super.write(work)
  }
}

test('lease, a reader that is behind: takes the next messages without looking first, and looks again once it has all', async () => {
  const entries = new CountedStore()
  await using store = new OrderedMailboxStore(entries)
  const box = new Uint8Array(16)
  const limits = { maxMessages: 9, maxBytes: 99, messageTtlSeconds: 9, maxDeliveries: 9, ordered: true }
  await store.openBox({ id: box, limits, expiresMs: undefined }, [])
  const messages = [1, 2, 3, 4].map((n) => ({
    id: new Uint8Array(16).fill(n),
    envelope: Uint8Array.of(n),
    expiresMs: 1_000,
  }))
  await store.deposit(box, 1, messages, 0)
  const request = { consumer: new Uint8Array(8), maxMessages: 2, maxBytes: 99, leaseMs: 1_000 }
  const lease = async () => {
    entries.reads = 0
    entries.writes = 0
    const leased = await store.lease(box, request, 0)
    return { got: leased.messages.length, reads: entries.reads, writes: entries.writes }
  }
  expect(await lease()).toEqual({ got: 2, reads: 1, writes: 1 })
  expect(await lease()).toEqual({ got: 2, reads: 0, writes: 1 })
  expect(await lease()).toEqual({ got: 0, reads: 0, writes: 1 })
  expect(await lease()).toEqual({ got: 0, reads: 1, writes: 0 })
})
