// Memory of long records is used again only after it came back, and is never in two hands.
import { afterEach, describe, expect, test } from 'vitest'
import { RECORD_MEMORY_KEPT } from '../../src/limits.js'
import { type RecordMemory, takeRecordMemory } from '../../src/session/record-memory.js'

const LONG = 32_768

/** Leaves nothing for the next test. */
afterEach(() => {
  for (let i = 0; i < RECORD_MEMORY_KEPT; i++) takeRecordMemory(LONG)
})

function take(): RecordMemory {
  const memory = takeRecordMemory(LONG)
  if (memory === undefined) throw new Error('expected memory')
  return memory
}

describe('memory of records', () => {
  test('two that are out at once are different, and hold what was asked for', () => {
    const [one, two] = [take(), take()]
    expect(one.bytes.buffer).not.toBe(two.bytes.buffer)
    expect(one.bytes.length).toBeGreaterThanOrEqual(LONG)
  })

  test('what came back serves the next, once', () => {
    const first = take()
    first.giveBack()
    first.giveBack(null)
    expect(take()).toBe(first)
    expect(take()).not.toBe(first)
  })

  test('what came back with an error is not used again', () => {
    const first = take()
    first.giveBack(new Error('reset'))
    expect(take()).not.toBe(first)
  })

  test('no more is kept than the limit', () => {
    const all = Array.from({ length: 2 * RECORD_MEMORY_KEPT }, take)
    for (const memory of all) memory.giveBack()
    const again = Array.from({ length: 2 * RECORD_MEMORY_KEPT }, take)
    expect(again.filter((memory) => all.includes(memory))).toHaveLength(RECORD_MEMORY_KEPT)
  })

  test.each([0, 69, 8_191, 65_537])('a record of %i bytes gets none', (length) => {
    expect(takeRecordMemory(length)).toBeUndefined()
  })
})
