// The transport phase as a state machine: order, tampering, rekey, the close record.
import { describe, expect, test } from 'vitest'
import { REKEY_INTERVAL_RECORDS } from '../../src/limits.js'
import { RECORD_PLAINTEXT_MAX_BYTES } from '../../src/session/session.js'
import { ALL, errorOf, flipped, openSessions } from './parties.js'

const hi = Uint8Array.of(0, 1, 2)

describe('records', () => {
  test('every single bit flipped in a record is refused', () => {
    const length = openSessions().client.seal(hi, 'message').length
    const bits = length * 8
    for (let i = 0; i < bits; i++) {
      const { client, service } = openSessions()
      const bad = flipped(client.seal(hi, 'message'), i >> 3, i & 7)
      expect(errorOf(() => service.open(bad))).toMatchObject({ code: 'session/protocol' })
    }
  })

  test('a record cut anywhere is refused, and the session is over', () => {
    for (let length = 0; length < hi.length + 16; length++) {
      const { client, service } = openSessions()
      const record = client.seal(hi, 'message')
      expect(errorOf(() => service.open(Uint8Array.from(record.subarray(0, length))))).toMatchObject({
        code: 'session/protocol',
      })
      expect(errorOf(() => service.open(record))).toMatchObject({ code: 'session/closed' })
      expect(errorOf(() => service.seal(hi, 'message'))).toMatchObject({ code: 'session/closed' })
    }
  })

  test.each([
    ['replayed', [0, 0]],
    ['left out', [1]],
    ['in another order', [0, 2, 1]],
  ])('records %s end the session', (_name, order) => {
    const { client, service } = openSessions()
    const records = [0, 1, 2].map((i) => client.seal(Uint8Array.of(0, i), 'message'))
    const error = errorOf(() => {
      for (const i of order) service.open(Uint8Array.from(records[i]!))
    })
    expect(error).toMatchObject({ code: 'session/protocol' })
  })

  test('a record reflected to its sender is refused', () => {
    const { client } = openSessions()
    const own = client.seal(hi, 'message')
    expect(errorOf(() => client.open(own))).toMatchObject({ code: 'session/protocol' })
  })

  test('a record of another session is refused', () => {
    const [a, b] = [openSessions(), openSessions()]
    const foreign = a.client.seal(hi, 'message')
    expect(errorOf(() => b.service.open(foreign))).toMatchObject({ code: 'session/protocol' })
  })

  test('seal writes the length before the record on byte streams and takes at most 65,519 bytes', () => {
    const { client } = openSessions()
    const record = client.seal(hi, 'length')
    expect([record[0], record[1], record.length]).toEqual([0, 19, 21])
    expect(client.seal(new Uint8Array(RECORD_PLAINTEXT_MAX_BYTES), 'message').length).toBe(65_535)
    expect(() => client.seal(new Uint8Array(RECORD_PLAINTEXT_MAX_BYTES + 1), 'message')).toThrow(RangeError)
  })

  test('an empty record is a keepalive', () => {
    const { client, service } = openSessions()
    expect(service.open(client.seal(new Uint8Array(0), 'message')).length).toBe(0)
    expect(service.peerClosed).toBeUndefined()
  })

  test('the error says nothing of the bytes', () => {
    const { client, service } = openSessions()
    const error = errorOf(() => service.open(flipped(client.seal(hi, 'message'), 0, 0))) as Error
    expect(error.message).toBe('Cannot open record: it is not the next one of this session')
    expect(error.cause).toBeUndefined()
  })
})

describe('rekey', () => {
  test.each(ALL)('%s: both directions rekey at 65,536 records, each on its own', (pattern) => {
    const { client, service } = openSessions(pattern)
    const plaintext = Uint8Array.of(0, 1)
    for (let i = 0; i <= REKEY_INTERVAL_RECORDS; i++) service.open(client.seal(plaintext, 'message'))
    // The other direction has not rekeyed yet, and does so by itself.
    for (let i = 0; i <= REKEY_INTERVAL_RECORDS; i++) client.open(service.seal(plaintext, 'message'))
    expect([...service.open(client.seal(plaintext, 'message'))]).toEqual([...plaintext])
    expect([...client.open(service.seal(plaintext, 'message'))]).toEqual([...plaintext])
  })

  test('the record before and the one after a rekey are under different keys', () => {
    const { client, service } = openSessions()
    for (let i = 0; i < REKEY_INTERVAL_RECORDS - 1; i++) service.open(client.seal(hi, 'message'))
    const last = client.seal(hi, 'message')
    const first = client.seal(hi, 'message')
    service.open(last)
    // Behind its back the receiver would have to rekey too: a receiver that has skipped that cannot open it.
    expect([...service.open(Uint8Array.from(first))]).toEqual([...hi])
    const { client: other, service: late } = openSessions()
    for (let i = 0; i < REKEY_INTERVAL_RECORDS; i++) other.seal(hi, 'message')
    const afterRekey = other.seal(hi, 'message')
    expect(errorOf(() => late.open(afterRekey))).toMatchObject({ code: 'session/protocol' })
  })
})

describe('close record', () => {
  test('close tells the reason, and nothing is sealed after it', () => {
    const { client, service } = openSessions()
    const record = client.close('going_away', 'message')
    expect(service.open(record).length).toBe(0)
    expect(service.peerClosed).toBe('going_away')
    expect(errorOf(() => client.seal(hi, 'message'))).toMatchObject({ code: 'session/closed' })
    expect(errorOf(() => service.open(new Uint8Array(16)))).toMatchObject({ code: 'session/closed' })
  })

  test.each([
    ['an unknown code', [16, 200]],
    ['no code', [16]],
  ])('a close record with %s counts as protocol', (_name, plaintext) => {
    const { client, service } = openSessions()
    service.open(client.seal(Uint8Array.from(plaintext), 'message'))
    expect(service.peerClosed).toBe('protocol')
  })

  test('the closing side still opens what the peer had sent', () => {
    const { client, service } = openSessions()
    client.close('done', 'message')
    expect([...client.open(service.seal(hi, 'message'))]).toEqual([...hi])
  })

  test('destroy is final and may be called twice', () => {
    const { client } = openSessions()
    client.destroy()
    client.destroy()
    expect(client.isOpen).toBe(false)
    expect(errorOf(() => client.seal(hi, 'message'))).toMatchObject({ code: 'session/closed' })
  })
})
