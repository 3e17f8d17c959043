// A draft shows what its changes will make of the entries, and leaves these alone.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DraftEntries } from '../../src/mailbox/draft-entries.js'
import { SortedEntries } from '../../src/mailbox/sorted-entries.js'

const key = fc.uint8Array({ minLength: 1, maxLength: 2, max: 3 })
const value = fc.uint8Array({ maxLength: 2 })
const steps = fc.array(fc.record({ key, value: fc.option(value, { nil: undefined }), apart: fc.boolean() }))

const listed = (entries: Iterable<{ key: Uint8Array; value: Uint8Array }>) =>
  [...entries].map((each) => [Buffer.from(each.key).toString('hex'), Buffer.from(each.value).toString('hex')])

test('DraftEntries, any changes, is what the entries are once they are made; before, they are as they were', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(key, value)), steps, key, key, (first, changes, start, end) => {
      const base = new SortedEntries()
      const model = new SortedEntries()
      for (const [name, held] of first) for (const entries of [base, model]) entries.put(name, held)
      const before = listed(base.all())
      const draft = new DraftEntries(base)
      const apart = new Map<string, string>()
      for (const change of changes) {
        const name = Buffer.from(change.key).toString('hex')
        apart.delete(name)
        if (change.value === undefined) {
          draft.remove(change.key)
          model.remove(change.key)
        } else if (change.apart) {
          draft.putApart(change.key, change.value)
          model.put(change.key, new Uint8Array(0))
          apart.set(name, Buffer.from(change.value).toString('hex'))
        } else {
          draft.put(change.key, change.value)
          model.put(change.key, change.value)
        }
      }
      expect(listed(draft.range(start, end))).toEqual(listed(model.range(start, end)))
      for (const { key: name } of changes) expect(draft.get(name)).toEqual(model.get(name))
      expect(listed(base.all())).toEqual(before)
      const made = draft.changes
      expect(new Set(made.map((change) => Buffer.from(change.key).toString('hex'))).size).toBe(made.length)
      for (const change of made) {
        if (change.value === undefined) base.remove(change.key)
        else base.put(change.key, change.apart ? new Uint8Array(0) : change.value)
      }
      expect(listed(base.all())).toEqual(listed(model.all()))
      const keptApart = made.filter((change) => change.apart)
      expect(
        new Map(
          keptApart.map((change) => [
            Buffer.from(change.key).toString('hex'),
            Buffer.from(change.value!).toString('hex'),
          ]),
        ),
      ).toEqual(apart)
    }),
  )
})
