import { describe, expectTypeOf, test } from 'vitest'
import type { KeyPair } from '../../src/crypto/index.js'
import type { Sealed } from '../../src/seal/index.js'
import {
  type IndexCell,
  key,
  nullable,
  optional,
  placed,
  plain,
  RowReader,
  type SealedCell,
  Statements,
  sealedColumns,
  sealedTable,
  text,
} from '../../src/seal/rows/index.js'

declare const readerKey: KeyPair
const pii = sealedColumns(undefined)
const users = sealedTable('users', {
  id: key.uuid(),
  email: pii.text(),
  email_index: pii.index({ of: 'email' }),
  name: pii.column(nullable(text)),
  phone: pii.column(optional(text)),
  profile: pii.json<{ born: number }>(),
  plan: plain<'free' | 'paid'>(),
})
const row = { id: 'x', email: 'x', name: null, profile: { born: 1815 } }
const statements = new Statements('sqlite')

describe('sealing', () => {
  test('what goes in follows the columns, what comes out is sealed', () => {
    const sealed = pii.seal(users, { ...row, plan: 'free' })
    expectTypeOf(sealed.email).toEqualTypeOf<SealedCell<string>>()
    expectTypeOf(sealed.email_index).toEqualTypeOf<IndexCell<string>>()
    expectTypeOf(sealed.plan).toEqualTypeOf<'free' | 'paid' | undefined>()
    // @ts-expect-error without its key
    pii.seal(users, { email: 'x', name: null, profile: { born: 1 } })
    // @ts-expect-error without a value
    pii.seal(users, { id: 'x', name: null, profile: { born: 1 } })
    // @ts-expect-error null where none is declared
    pii.seal(users, { ...row, email: null })
    // @ts-expect-error another type
    pii.seal(users, { ...row, profile: { born: '1815' } })
    // @ts-expect-error the index follows from its column
    pii.seal(users, { ...row, email_index: 'x' })
    // @ts-expect-error a column that is not there
    pii.seal(users, { ...row, emial: 'x' })
  })

  test('changes need the key and nothing else', () => {
    const changes = pii.changes(users, { id: 'x', name: 'Ada' })
    expectTypeOf(changes.name).toEqualTypeOf<SealedCell<string | null> | undefined>()
    // @ts-expect-error without the key
    pii.changes(users, { name: 'Ada' })
  })
})

describe('statements', () => {
  test('take what is sealed, and compare indexes only', () => {
    statements.insert(users, pii.seal(users, row))
    // @ts-expect-error plaintext
    statements.insert(users, row)
    // @ts-expect-error what was sealed for another type
    statements.update(users, { id: 'x' }, { email: pii.seal(users, row).profile })
    statements.select(users, { email_index: pii.find(users, 'email_index', 'x'), plan: ['free'] })
    // @ts-expect-error a sealed column
    statements.select(users, { email: 'x' })
    // @ts-expect-error plaintext
    statements.select(users, { email_index: 'x' })
    // @ts-expect-error no blind index
    pii.find(users, 'email', 'x')
    // @ts-expect-error a value of another type
    pii.find(users, 'email_index', 7)
  })
})

describe('opening', () => {
  const reader = new RowReader({ keys: readerKey, accept: [{ pattern: 'N' }] })

  test('rows of drivers that say nothing of their columns', () => {
    const [opened] = reader.open(users, [] as Record<string, unknown>[])
    expectTypeOf(opened!.email).toEqualTypeOf<string>()
    expectTypeOf(opened!.name).toEqualTypeOf<string | null>()
    expectTypeOf(opened!.phone).toEqualTypeOf<string | undefined>()
    expectTypeOf(opened!.profile).toEqualTypeOf<{ born: number }>()
    expectTypeOf(opened!.plan).toEqualTypeOf<'free' | 'paid'>()
  })

  test('rows of which it is known what they hold', () => {
    const [opened] = reader.open(users, [] as { id: string; email: Uint8Array; further: number }[])
    expectTypeOf(opened!).toEqualTypeOf<{ id: string; email: string; further: number }>()
    const [late] = placed(users, [] as { id: string; email: Uint8Array }[])
    expectTypeOf(late!.email).toEqualTypeOf<Sealed<string>>()
  })

  test('outcomes are looked at before they are used, and N says nothing of the writer', () => {
    const [outcome] = reader.openEach(users, [] as Record<string, unknown>[])
    // @ts-expect-error it may have failed
    outcome?.row
    if (outcome?.ok) {
      expectTypeOf(outcome.row.email).toEqualTypeOf<string>()
      expectTypeOf(outcome.from['email']!.pattern).toEqualTypeOf<'N'>()
    }
  })
})
