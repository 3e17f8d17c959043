// Bytes that a transport lends: it reads into the same memory again, so what came of them must not lie there.
import { describe, expect, test } from 'vitest'
import { listen, openPair } from './parties.js'

const RECORDS_BYTES = [1, 15, 4_095, 4_096, 32_769, 65_519, 2]

/** Plaintexts that differ in every byte from those of other lengths. */
const plaintexts = RECORDS_BYTES.map((length) => new Uint8Array(length).fill(length % 251, 1))

/** All of `bytes` in one memory, `pieceBytes` at a time, overwritten after each. */
function lendAll(lent: (bytes: Uint8Array) => void, bytes: Uint8Array, pieceBytes: number): void {
  const memory = new Uint8Array(Math.min(pieceBytes, bytes.length))
  for (let offset = 0; offset < bytes.length; offset += pieceBytes) {
    const piece = bytes.subarray(offset, offset + pieceBytes)
    memory.set(piece)
    lent(memory.subarray(0, piece.length))
    memory.fill(0xee)
  }
}

describe('a connection that is lent what arrives', () => {
  test.each([1, 7, 4_096, 65_536, 131_072, 1_000_000])(
    'delivers what may be kept, %i bytes at a time',
    async (pieceBytes) => {
      const { client, service } = await openPair()
      const kept: Uint8Array[] = []
      client.start({ record: (plaintext) => kept.push(plaintext), drain() {}, closed() {} })
      const records = plaintexts.map((plaintext) => service.session.seal(plaintext, 'length'))
      lendAll(client.pipeEvents.lent!, Buffer.concat(records), pieceBytes) // a connection takes them
      expect(kept.map(({ length }) => length)).toEqual(RECORDS_BYTES)
      for (const [i, plaintext] of kept.entries()) expect(Buffer.compare(plaintext, plaintexts[i]!)).toBe(0)
    },
  )

  test('before it is started, keeps a copy', async () => {
    const { client, service } = await openPair()
    const record = service.session.seal(Uint8Array.of(0, 1, 2), 'length')
    lendAll(client.pipeEvents.lent!, record, record.length)
    const atClient = listen(client)
    expect(atClient.records).toEqual([Uint8Array.of(0, 1, 2)])
  })

  test('ends at a record that was altered, as with bytes that are handed over', async () => {
    const { client, service } = await openPair()
    const atClient = listen(client)
    const record = service.session.seal(new Uint8Array(40_000), 'length')
    record[30_000]! ^= 1
    lendAll(client.pipeEvents.lent!, record, 65_536)
    expect(await atClient.outcome).toMatchObject({ reason: 'failed', error: { code: 'session/protocol' } })
    expect(atClient.records).toEqual([])
  })
})
