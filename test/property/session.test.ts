// Sessions under random cuts and random lengths: any split of the stream gives the same records.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { concat } from '../../src/bytes.js'
import { FrameReader } from '../../src/session/framing.js'
import { decodeHelloPayload, encodeHelloPayload, pad, unpad } from '../../src/session/hello.js'
import { errorOf, flipped, openSessions } from '../session/parties.js'

const bytes = (maxLength: number) => fc.uint8Array({ maxLength })

test('records survive any split of the stream', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.uint8Array({ minLength: 1, maxLength: 500 }).filter(([kind]) => kind !== 16),
        { maxLength: 10 },
      ),
      fc.array(fc.nat(400), { minLength: 1, maxLength: 20 }),
      (plaintexts, cuts) => {
        const { client, service } = openSessions()
        const stream = concat(...plaintexts.map((plaintext) => client.seal(plaintext, 'length')))
        const reader = new FrameReader('length', 65_535)
        const opened: number[][] = []
        for (let at = 0, i = 0; at < stream.length; i++) {
          const end = at + 1 + cuts[i % cuts.length]!
          reader.push(stream.slice(at, end))
          at = end
          for (let body = reader.next(); body; body = reader.next()) opened.push([...service.open(body)])
        }
        expect(opened).toEqual(plaintexts.map((plaintext) => [...plaintext]))
      },
    ),
    { numRuns: 50 },
  )
})

test('any flipped bit of any record is refused', () => {
  fc.assert(
    fc.property(bytes(300), fc.nat(), (plaintext, at) => {
      const { client, service } = openSessions('IK')
      const record = client.seal(plaintext, 'message')
      const bad = flipped(record, at % record.length, at % 8)
      expect(errorOf(() => service.open(bad))).toMatchObject({ code: 'session/protocol' })
    }),
    { numRuns: 100 },
  )
})

test('decode of encode gives the payload of message 1 back; unpad of pad gives the content', () => {
  fc.assert(
    fc.property(
      bytes(1_500),
      fc.uint8Array({ minLength: 32, maxLength: 32 }),
      bytes(700),
      bytes(100),
      (locator, proof, parameters, early) => {
        const payload = { locator, proof, parameters, early }
        expect(decodeHelloPayload(encodeHelloPayload(payload))).toEqual(payload)
        expect(unpad(pad(locator))).toEqual(locator)
      },
    ),
  )
})

test('whatever bytes decodeHelloPayload takes, encoding gives the same bytes', () => {
  fc.assert(
    fc.property(bytes(600), (junk) => {
      const padded = pad(junk)
      const payload = decodeHelloPayload(padded)
      if (payload !== undefined) expect(encodeHelloPayload(payload)).toEqual(padded)
    }),
  )
})
