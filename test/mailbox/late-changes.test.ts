// Late entries: whatever becomes of commits and of the processes that make them, what is seen is what was committed, and records
// do not pile up. The files are in memory here; lmdb-store.test.ts has real ones.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CommitDraft } from '../../src/mailbox/commit-draft.js'
import { RecordWriter } from '../../src/mailbox/commit-record.js'
import { commitsOf, LateChanges } from '../../src/mailbox/late-changes.js'
import type { OrderedTransaction, OrderedView } from '../../src/mailbox/ordered-store.js'
import { SortedEntries } from '../../src/mailbox/sorted-entries.js'

const KIND = 0x69
const END = Uint8Array.of(KIND + 1)
const KEYS = 16
const LIMITS = { recordBytes: 1_000, placed: 3 }
const LONG = 100

const keyOf = (n: number) => Uint8Array.of(KIND, ...new Uint8Array(11), n)
const recordsOf = (files: SortedEntries) => [...files.range(Uint8Array.of(0, 0x72), Uint8Array.of(0, 0x73))]
const bytesOf = (files: SortedEntries) => recordsOf(files).reduce((sum, { value }) => sum + value.length, 0)

const numbers = Array.from({ length: KEYS }, (_, n) => n)
const lengthsIn = (view: OrderedView) => numbers.map((n) => view.get(keyOf(n))?.length)
const lengthsOf = (expected: ReadonlyMap<number, number>) => numbers.map((n) => expected.get(n))

/** Files and what they should say. */
class Model {
  files = new SortedEntries()
  expected = new Map<number, number>()

  /** The entries of the files, which may be replaced. */
  readonly placed: OrderedTransaction = {
    get: (key) => this.files.get(key),
    range: (start, end) => [...this.files.range(start, end)],
    put: (key, value) => this.files.put(key, value),
    remove: (key) => this.files.remove(key),
  }

  process(): LateChanges {
    return new LateChanges(KIND, this.placed, LIMITS)
  }

  /** What a process sees. */
  seenBy(known: LateChanges): Map<number, number> {
    known.catchUp(commitsOf(this.placed))
    const view = known.view()
    const seen = [...view.range(Uint8Array.of(KIND), END)].map(({ key, value }) => [
      key.at(-1)!,
      value.length,
    ])
    expect(lengthsIn(view)).toEqual(lengthsOf(this.expected))
    return new Map(seen as [number, number][])
  }
}

const changes = fc.array(
  fc.record({ key: fc.nat(KEYS - 1), bytes: fc.constantFrom(undefined, 0, 8, LONG, LONG) }),
  { maxLength: 8 },
)
const commits = fc.array(
  fc.record({
    process: fc.nat(1),
    changes,
    // What happens after the commit, before whoever made it hears of it.
    fate: fc.constantFrom('told', 'told', 'told', 'read', 'other', 'failed', 'crashed'),
  }),
  { minLength: 10, maxLength: 50 },
)

test('LateChanges, commits of two processes that fail, crash or are read early: both see what was committed', () => {
  fc.assert(
    fc.property(commits, (all) => {
      const model = new Model()
      const processes = [model.process(), model.process()]
      for (const { process, changes: changed, fate } of all) {
        const known = processes[process]!
        const before = new SortedEntries()
        for (const { key, value } of model.files.all()) before.put(key, value)
        const expectedBefore = new Map(model.expected)
        known.catchUp(commitsOf(model.placed))
        const draft = new CommitDraft(known, model.placed, new RecordWriter())
        for (const { key, bytes } of changed) {
          if (bytes === undefined) draft.remove(keyOf(key))
          else draft.put(keyOf(key), new Uint8Array(bytes))
          if (bytes === undefined) model.expected.delete(key)
          else model.expected.set(key, bytes)
        }
        expect(lengthsIn(draft)).toEqual(lengthsOf(model.expected))
        const committed = draft.write()
        if (fate === 'failed') {
          model.files = before
          model.expected = expectedBefore
          known.forget()
        } else if (fate === 'crashed') processes[process] = model.process()
        else {
          if (fate !== 'told') expect(model.seenBy(known)).toEqual(model.expected)
          if (fate === 'other') {
            const other = processes[1 - process]!
            other.catchUp(commitsOf(model.placed))
            const theirs = new CommitDraft(other, model.placed, new RecordWriter())
            theirs.remove(keyOf(0))
            theirs.put(keyOf(1), new Uint8Array(3))
            model.expected.delete(0)
            model.expected.set(1, 3)
            theirs.write()()
            expect(model.seenBy(known)).toEqual(model.expected)
          }
          committed()
        }
        for (const each of processes) expect(model.seenBy(each)).toEqual(model.expected)
        expect(model.seenBy(model.process())).toEqual(model.expected)
        // The limit, and what comes while entries go to their places.
        expect(bytesOf(model.files)).toBeLessThan(4 * LIMITS.recordBytes)
      }
    }),
    { numRuns: 80 },
  )
})

test('LateChanges, entries of many commits: they lie in one record each, later at their places, and no record is left', () => {
  const model = new Model()
  const known = model.process()
  const commit = (n: number) => {
    const draft = new CommitDraft(known, model.placed, new RecordWriter())
    draft.put(keyOf(n), new Uint8Array(LONG))
    model.expected.set(n, LONG)
    draft.write()()
  }
  for (let n = 0; n < 9; n++) commit(n)
  expect(recordsOf(model.files)).toHaveLength(9)
  expect([...model.files.range(Uint8Array.of(KIND), END)]).toHaveLength(0)
  // The records have reached their limit before the first of these; four go with each.
  for (let n = 9; n < 11; n++) commit(n)
  expect(recordsOf(model.files)).toHaveLength(11)
  commit(11)
  expect(recordsOf(model.files)).toHaveLength(3)
  expect([...model.files.range(Uint8Array.of(KIND), END)]).toHaveLength(9)
  expect(model.seenBy(model.process())).toEqual(model.expected)
})

test('LateChanges, files in which a count stands alone: what lies there is seen, and records begin after it', () => {
  const model = new Model()
  const count = new Uint8Array(8)
  new DataView(count.buffer).setFloat64(0, 50)
  model.files.put(new Uint8Array(1), count)
  model.files.put(keyOf(3), new Uint8Array(8))
  const known = model.process()
  known.catchUp(commitsOf(model.placed))
  const draft = new CommitDraft(known, model.placed, new RecordWriter())
  expect(draft.get(keyOf(3))).toHaveLength(8)
  draft.put(keyOf(4), new Uint8Array(1))
  draft.write()()
  expect(commitsOf(model.placed)).toEqual({ count: 51, first: 51 })
  model.expected = new Map([
    [3, 8],
    [4, 1],
  ])
  expect(model.seenBy(model.process())).toEqual(model.expected)
})

test('LateChanges, files that have late entries, opened without their kind: refused, not read as if there were none', () => {
  const model = new Model()
  const draft = new CommitDraft(model.process(), model.placed, new RecordWriter())
  draft.put(keyOf(3), new Uint8Array(8))
  draft.write()()
  const known = new LateChanges(undefined, model.placed)
  expect(() => known.catchUp(commitsOf(model.placed))).toThrow(TypeError)
})
