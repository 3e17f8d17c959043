import { inspect } from 'node:util'
import { beforeEach, describe, expect, test } from 'vitest'
import { hexEncode } from '../../src/bytes.js'
import { type ContactKey, contactDay, contactTag } from '../../src/capability/index.js'
import { asPublicKey } from '../../src/crypto/index.js'
import { CONTACTS_MAX } from '../../src/limits.js'
import { type Contact, ContactIndex } from '../../src/session/contacts.js'
import { MemoryContactBook } from '../../src/session/index.js'

const DAY_SECONDS = 86_400
const TODAY = 20_000
const NOON = (TODAY + 0.5) * DAY_SECONDS

/** 32 bytes that say `n`. */
function numbered(n: number): Uint8Array {
  const bytes = new Uint8Array(32)
  new DataView(bytes.buffer).setUint32(28, n)
  return bytes
}
const contact = (client: number, key: number): Contact => ({
  client: asPublicKey(numbered(client)),
  contactKey: numbered(key) as ContactKey,
})
const tagOf = ({ client, contactKey }: Contact, day = TODAY) => contactTag(contactKey, client, day)
const full = expect.objectContaining({ code: 'session/limit' })

test.each([
  [0, 0],
  [86_399.999, 0],
  [86_400, 1],
  [-1, -1],
])('contactDay of %d is %d', (seconds, day) => {
  expect(contactDay(seconds)).toBe(day)
})

describe('ContactIndex.find', () => {
  let index: ContactIndex
  const [ada, bob] = [contact(1, 100), contact(2, 101)]
  beforeEach(() => {
    index = new ContactIndex()
    index.add(ada)
    index.add(bob)
  })

  test.each([
    [-2, false],
    [-1, true],
    [0, true],
    [1, true],
    [2, false],
  ])('a tag made %d days from today is found: %s', (days, found) => {
    expect(index.find(tagOf(bob, TODAY + days), NOON)).toEqual(found ? bob.client : undefined)
  })

  test('at the first and the last second of a day the days are the same', () => {
    for (const seconds of [TODAY * DAY_SECONDS, (TODAY + 1) * DAY_SECONDS - 1]) {
      const found = [-2, -1, 0, 1, 2].map((days) => index.find(tagOf(ada, TODAY + days), seconds))
      expect(found.map((client) => client !== undefined)).toEqual([false, true, true, true, false])
    }
  })

  test('the day goes on, and back', () => {
    const tag = tagOf(ada)
    const found = [0, 1, 2, 3, 2, 1, 0, -1, -2].map((days) => index.find(tag, NOON + days * DAY_SECONDS))
    const expected = [true, true, false, false, false, true, true, true, false]
    expect(found.map((client) => client !== undefined)).toEqual(expected)
  })

  test('a contact that is added after tags were computed is found by all of its tags', () => {
    index.find(tagOf(ada), NOON)
    const carol = contact(3, 102)
    index.add(carol)
    const found = [-1, 0, 1].map((days) => index.find(tagOf(carol, TODAY + days), NOON))
    expect(found).toEqual([carol.client, carol.client, carol.client])
  })

  test('knows nothing of a tag of another key, nor of bytes of another length', () => {
    const others = [tagOf(contact(1, 101)), tagOf(contact(2, 100)), new Uint8Array(16), new Uint8Array(0)]
    expect(others.map((tag) => index.find(tag, NOON))).toEqual([undefined, undefined, undefined, undefined])
  })

  test.each([
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    -1,
    -1e15,
    2 ** 32 * DAY_SECONDS,
    Number.MAX_VALUE,
  ])('at %d seconds finds nothing and does not throw', (seconds) => {
    expect(index.find(tagOf(ada), seconds)).toBeUndefined()
    expect(index.find(tagOf(ada), NOON)).toEqual(ada.client)
  })

  test('at the first and at the last day there is finds what there is', () => {
    expect(index.find(tagOf(ada, 0), 0)).toEqual(ada.client)
    expect(index.find(tagOf(ada, 2 ** 32 - 1), (2 ** 32 - 1) * DAY_SECONDS)).toEqual(ada.client)
  })

  test('gives copies, and keeps copies', () => {
    const mine = contact(4, 103)
    index.add(mine)
    const tag = tagOf(mine)
    mine.client.fill(9)
    mine.contactKey.fill(9)
    index.find(tag, NOON)?.fill(9)
    expect(index.find(tag, NOON)).toEqual(contact(4, 103).client)
  })
})

describe('ContactIndex', () => {
  test('a removed client is not found by any of its capabilities; others are, and it may come back', () => {
    const index = new ContactIndex()
    const [first, second, other] = [contact(1, 100), contact(1, 101), contact(2, 100)]
    for (const each of [first, second, other]) index.add(each)
    expect(index.find(tagOf(first), NOON)).toEqual(first.client)
    index.remove(first.client)
    expect([first, second, other].map((each) => index.find(tagOf(each), NOON))).toEqual([
      undefined,
      undefined,
      other.client,
    ])
    expect([index.size, index.knows(first.client), index.knows(other.client)]).toEqual([1, false, true])
    index.remove(first.client)
    index.add(second)
    expect([first, second].map((each) => index.find(tagOf(each), NOON))).toEqual([undefined, first.client])
  })

  test('takes 16,384 contacts, the same once more, and no other before one is removed', () => {
    const index = new ContactIndex()
    for (let n = 0; n < CONTACTS_MAX; n++) index.add(contact(n, n))
    expect([index.size, index.isFull]).toEqual([16_384, true])
    index.add(contact(5, 5))
    expect(() => index.add(contact(5, 6))).toThrow(full)
    index.remove(contact(5, 5).client)
    index.add(contact(5, 6))
    expect([index.size, index.has(contact(5, 5)), index.has(contact(5, 6))]).toEqual([16_384, false, true])
  })
})

describe('MemoryContactBook', () => {
  test('keeps, finds and forgets', async () => {
    const book = new MemoryContactBook()
    await book.add(contact(1, 100))
    await book.add(contact(1, 100))
    expect(book.find(tagOf(contact(1, 100)), NOON)).toEqual(contact(1, 0).client)
    await book.remove(contact(1, 100).client)
    expect(book.find(tagOf(contact(1, 100)), NOON)).toBeUndefined()
  })

  test('shows neither clients nor keys', async () => {
    const [book, index] = [new MemoryContactBook(), new ContactIndex()]
    await book.add(contact(1, 100))
    index.add(contact(1, 100))
    for (const each of [book, index]) {
      const shown = [
        String(each),
        JSON.stringify({ each }),
        inspect(each, { depth: 9, showHidden: true }),
      ].join()
      expect(shown).toContain('[redacted]')
      expect(shown).not.toContain(hexEncode(numbered(100)).slice(-8))
      expect(shown).not.toContain('Uint8Array')
    }
  })
})
