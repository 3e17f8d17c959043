// Drizzle with real databases: what is sealed opens in its own row, is found by its index, and nothing gets there in clear.
import { randomUUID } from 'node:crypto'
import {
  and,
  asc,
  between,
  count,
  eq,
  gt,
  ilike,
  inArray,
  isNotNull,
  isNull,
  like,
  lt,
  ne,
  not,
  notInArray,
  notLike,
  or,
  type SQL,
  sql,
} from 'drizzle-orm'
import { alias as pgAlias } from 'drizzle-orm/pg-core'
import { alias as liteAlias } from 'drizzle-orm/sqlite-core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  ADA,
  ada,
  type Bench,
  BOB,
  bob,
  openPostgres,
  openSqlite,
  postgresMissing,
  reader,
} from './tables.js'

const DATABASES = [
  { name: 'SQLite', open: openSqlite, skip: false, alias: liteAlias as unknown as typeof pgAlias },
  { name: 'Postgres', open: openPostgres, skip: postgresMissing, alias: pgAlias },
] as const

describe.each(DATABASES)('$name', ({ open, skip, alias, name: database }) => {
  let bench: Bench
  beforeAll(async () => {
    if (!skip) bench = await open()
  })
  afterAll(() => bench?.close())
  beforeEach(async () => {
    if (skip) return
    await bench.reset()
    const { db, users, pii } = bench
    await db.insert(users).values([pii.seal(users, ada), pii.seal(users, bob)])
  })
  const it = test.skipIf(skip)
  const sortById = <Row extends { id: string }>(rows: readonly Row[]) =>
    [...rows].sort((a, b) => (a.id < b.id ? -1 : 1))

  it('what was sealed opens, with null, empty and absent told apart', async () => {
    const { db, users } = bench
    const rows = sortById(reader.open(users, await db.select().from(users)))
    expect(rows.map(({ emailIndex, ...row }) => row)).toEqual([
      { ...ada, phone: undefined },
      { ...bob, plan: null },
    ])
  })

  it('nothing of it stands in the database in clear', async () => {
    const { rows } = (await bench.run('select * from users')) as { rows: Record<string, unknown>[] }
    const stored = rows
      .flatMap((row) => Object.values(row))
      .map((value) => Buffer.from((value ?? '') as string))
    for (const word of ['ada', 'Ada', 'example', '1815']) {
      expect(stored.some((bytes) => bytes.includes(word))).toBe(false)
    }
  })

  it('values moved to another row, column or table do not open, and the error says so', async () => {
    const { db, users, notes } = bench
    await bench.run(
      `update users set email = (select email from users where id = '${BOB}') where id = '${ADA}'`,
    )
    await bench.run(`update users set name = email where id = '${BOB}'`)
    await bench.run(`insert into notes select id, 1, email from users where id = '${BOB}'`)
    const outcomes = reader.openEach(users, sortById(await db.select().from(users)))
    const failures = outcomes.map((outcome) => (outcome.ok ? {} : outcome.errors))
    expect(failures).toMatchObject([{ email: { code: 'seal/altered' } }, { name: { code: 'seal/altered' } }])
    expect(failures[0]?.['email']?.message).toMatch(/moved or altered.*column "email" of "users", row 0/)
    const moved = await db.select().from(notes)
    expect(() => reader.open(notes, moved)).toThrow(/moved or altered/)
  })

  it('a row is found by its blind index; eq, ne, inArray', async () => {
    const { db, users, pii } = bench
    const index = pii.find(users.emailIndex, 'ADA@example.ORG')
    const ids = async (where: SQL | undefined) =>
      (await db.select({ id: users.id }).from(users).where(where)).map(({ id }) => id)
    expect(await ids(eq(users.emailIndex, index))).toEqual([ADA])
    expect(await ids(ne(users.emailIndex, index))).toEqual([BOB])
    expect(await ids(and(eq(users.emailIndex, index), eq(users.plan, 'free')))).toEqual([ADA])
    expect(await ids(or(not(eq(users.emailIndex, index)), isNull(users.plan)))).toEqual([BOB])
    const both = [index, pii.find(users.emailIndex, 'bob@example.org')]
    expect(await ids(inArray(users.emailIndex, both))).toHaveLength(2)
    expect(await ids(notInArray(users.emailIndex, both))).toEqual([])
    const prepared = db
      .select({ id: users.id })
      .from(users)
      .where(eq(users.emailIndex, sql.param(sql.placeholder('index'), users.emailIndex)))
      .prepare('by_index')
    expect(await prepared.execute({ index })).toEqual([{ id: ADA }])
    const attempt = async () => void (await prepared.execute({ index: 'ada@example.org' }))
    await expect(attempt()).rejects.toThrow(/expected what seal\(\), changes\(\) or find\(\)/)
    // A value that comes later, and that no column would look at.
    const unseen = db
      .select()
      .from(users)
      .where(eq(users.emailIndex, sql.placeholder('index')))
    expect(() => unseen.prepare('unseen')).toThrow(/Cannot use "email_index"/)
  })

  it('a unique constraint holds over what is sealed', async () => {
    const { db, users, pii } = bench
    const again = pii.seal(users, { ...bob, id: randomUUID(), email: 'BOB@Example.org' })
    await expect(db.insert(users).values(again)).rejects.toThrow()
    expect(await db.$count(users)).toBe(2)
  })

  it('an update seals for the row of its key and moves its index along', async () => {
    const { db, users, pii } = bench
    const set = pii.changes(users, { id: ADA, email: 'countess@example.org', plan: 'paid' })
    await db.update(users).set(set).where(eq(users.id, ADA))
    const found = await db
      .select()
      .from(users)
      .where(eq(users.emailIndex, pii.find(users.emailIndex, 'countess@example.org')))
    expect(reader.open(users, found)).toMatchObject([
      { id: ADA, email: 'countess@example.org', plan: 'paid' },
    ])
  })

  it('an upsert, what an insert returns, a transaction, a key of two columns', async () => {
    const { db, users, notes, pii } = bench
    const row = pii.seal(users, { ...ada, email: 'new@example.org' })
    const returned = await db
      .insert(users)
      .values(row)
      .onConflictDoUpdate({
        target: users.id,
        set: pii.changes(users, { ...ada, email: 'newer@example.org' }),
      })
      .returning()
    expect(reader.open(users, returned)).toMatchObject([{ email: 'newer@example.org' }])
    await db.transaction(async (tx) => {
      await tx.insert(notes).values(pii.seal(notes, { owner: ADA, number: 1, body: 'first' }))
      expect(reader.open(notes, await tx.select().from(notes))).toEqual([
        { owner: ADA, number: 1, body: 'first' },
      ])
    })
  })

  it('partial selections, joins, aliases and subqueries open', async () => {
    const { db, users, notes, pii } = bench
    await db.insert(notes).values(pii.seal(notes, { owner: ADA, number: 1, body: 'first' }))
    const part = await db.select({ id: users.id, email: users.email }).from(users).where(eq(users.id, ADA))
    expect(reader.open(users, part)).toEqual([{ id: ADA, email: 'Ada@Example.org' }])
    const joined = await db.select().from(notes).innerJoin(users, eq(users.id, notes.owner))
    expect(
      reader.open(
        users,
        joined.map((row) => row.users),
      ),
    ).toMatchObject([{ email: 'Ada@Example.org' }])
    expect(
      reader.open(
        notes,
        joined.map((row) => row.notes),
      ),
    ).toMatchObject([{ body: 'first' }])
    const other = alias(users, 'other')
    const aliased = await db.select().from(other).innerJoin(notes, eq(other.id, notes.owner))
    expect(
      reader.open(
        users,
        aliased.map((row) => row.other),
      ),
    ).toMatchObject([{ email: 'Ada@Example.org' }])
    const inner = db.select({ id: users.id, email: users.email }).from(users).as('inner')
    expect(reader.open(users, await db.select().from(inner).where(eq(inner.id, ADA)))).toMatchObject([
      { email: 'Ada@Example.org' },
    ])
    const counted = await db
      .select({ some: count(users.phone), all: count() })
      .from(users)
      .where(isNotNull(users.email))
    expect(counted).toEqual([{ some: 2, all: 2 }])
    const distinct = await db
      .selectDistinct({ id: users.id, email: users.email })
      .from(users)
      .innerJoin(notes, eq(users.id, notes.owner))
    expect(reader.open(users, distinct)).toHaveLength(1)
  })

  it('relational queries open at the top; nested rows where the database can put bytes into JSON', async () => {
    const { db, users, notes, pii } = bench
    await db.insert(notes).values(pii.seal(notes, { owner: ADA, number: 1, body: 'first' }))
    const found = await db.query.users.findMany({ where: eq(users.id, ADA) })
    expect(reader.open(users, found)).toMatchObject([{ email: 'Ada@Example.org' }])
    const nested = db.query.users.findMany({ with: { notes: true }, where: eq(users.id, ADA) })
    if (database === 'SQLite') await expect(nested).rejects.toThrow()
    else {
      const [row] = await nested
      expect(reader.open(notes, row!.notes)).toEqual([{ owner: ADA, number: 1, body: 'first' }])
    }
  })

  describe('a sealed column takes nothing but what was sealed for it', () => {
    const stored: readonly [string, (bench: Bench) => Record<string, unknown>][] = [
      ['plaintext', () => ({ email: 'ada@example.org' })],
      ['bytes', () => ({ email: Buffer.from('ada@example.org') })],
      ['what was sealed for another column', ({ pii, users }) => ({ email: pii.seal(users, ada).name })],
      ['a blind index', ({ pii, users }) => ({ email: pii.find(users.emailIndex, 'x') })],
      ['SQL with a value', () => ({ email: sql`${'ada@example.org'}` })],
      ['SQL without', () => ({ email: sql.raw("'ada@example.org'") })],
      [
        'SQL around what is sealed',
        ({ pii, users }) => ({ email: sql`${sql.param(pii.seal(users, ada).email, users.email)} || ''` }),
      ],
      ['null', () => ({ email: null })],
      ['plaintext for its index', () => ({ emailIndex: 'ada@example.org' })],
      ['SQL for its index', () => ({ emailIndex: sql`${'ada@example.org'}` })],
    ]
    const storedEmails = async () =>
      (await bench.db.select().from(bench.users))
        .map(({ email }) => Buffer.from(email.bytes).toString('hex'))
        .sort()

    test.skipIf(skip).each(stored)('%s', async (_, valuesOf) => {
      const { db, users, pii } = bench
      const values = valuesOf(bench) as never
      const was = await storedEmails()
      const row = {
        ...pii.seal(users, { ...ada, id: randomUUID(), email: 'third@example.org' }),
        ...(values as object),
      } as never
      const second = pii.seal(users, { ...ada, id: randomUUID(), email: 'fourth@example.org' })
      // Drizzle builds when it runs: some refusals throw at once, others reject.
      const attempt = async (run: () => unknown) => void (await run())
      await expect(attempt(() => db.insert(users).values(row))).rejects.toThrow(
        /expected (for "email|what seal)/,
      )
      await expect(attempt(() => db.insert(users).values([second, row]))).rejects.toThrow(TypeError)
      await expect(attempt(() => db.update(users).set(values).where(eq(users.id, ADA)))).rejects.toThrow(
        /expected (for "email|what seal)/,
      )
      const upsert = db.insert(users).values(second).onConflictDoUpdate({ target: users.id, set: values })
      await expect(attempt(() => upsert)).rejects.toThrow(TypeError)
      expect(await storedEmails()).toEqual(was)
    })

    it('an insert of what another query selects, and one by raw SQL', async () => {
      const { db, users } = bench
      const attempt = async (run: () => unknown) => void (await run())
      await expect(attempt(() => db.insert(users).select(db.select().from(users) as never))).rejects.toThrow(
        /only rows from seal/,
      )
      const raw = sql`insert into ${users} (id, email) values (${ADA}, ${'ada@example.org'})`
      const run = (query: SQL) =>
        database === 'SQLite' ? (db as unknown as { run(q: SQL): unknown }).run(query) : db.execute(query)
      await expect(attempt(() => run(raw))).rejects.toThrow(/only rows from seal/)
    })

    it('a prepared query whose value comes later', async () => {
      const { db, users } = bench
      const prepared = db
        .update(users)
        .set({ email: sql.placeholder('email') as never })
        .where(eq(users.id, ADA))
        .prepare('set_email')
      const attempt = async () => void (await prepared.execute({ email: 'ada@example.org' }))
      await expect(attempt()).rejects.toThrow(/expected what seal\(\) or changes\(\)/)
    })
  })

  describe('a sealed column is compared with nothing', () => {
    const comparisons: readonly [string, (bench: Bench) => SQL | undefined][] = [
      ['eq', ({ users }) => eq(users.email, 'x' as never)],
      ['eq with what is sealed', ({ users, pii }) => eq(users.email, pii.seal(users, ada).email)],
      ['eq, the other way round', ({ users }) => eq(sql`${'x'}`, users.email)],
      ['eq with another column', ({ users }) => eq(users.email, users.name as never)],
      ['ne', ({ users }) => ne(users.email, 'x' as never)],
      ['gt', ({ users }) => gt(users.email, 'x' as never)],
      ['lt', ({ users }) => lt(users.email, 'x' as never)],
      ['between', ({ users }) => between(users.email, 'x' as never, 'y' as never)],
      ['inArray', ({ users }) => inArray(users.email, ['x', 'y'] as never)],
      ['notInArray', ({ users }) => notInArray(users.email, ['x'] as never)],
      ['like', ({ users }) => like(users.email as never, 'x%')],
      ['notLike', ({ users }) => notLike(users.email as never, 'x%')],
      ['ilike', ({ users }) => ilike(users.email as never, 'x%')],
      [
        'like within and, or, not',
        ({ users }) => and(eq(users.id, ADA), or(not(like(users.email as never, 'x%')), isNull(users.plan))),
      ],
      ['a function of it', ({ users }) => sql`lower(${users.email}) = ${'x'}`],
      ['hidden in SQL of its own', ({ users }) => eq(sql`${users.email}`, 'x')],
      ['in a list', ({ users }) => sql`(${users.id}, ${users.email}) = (${ADA}, ${'x'})`],
      ['null test of a comparison', ({ users }) => sql`${'x'} = ${users.email} is null`],
      ['its index with plaintext', ({ users }) => eq(users.emailIndex, 'x' as never)],
      ['its index with like', ({ users }) => like(users.emailIndex as never, 'x%')],
      [
        'its index in a list with plaintext',
        ({ users, pii }) => inArray(users.emailIndex, [pii.find(users.emailIndex, 'x'), 'y'] as never),
      ],
      [
        'its index with more behind',
        ({ users, pii }) => sql`${eq(users.emailIndex, pii.find(users.emailIndex, 'x'))} || ${'x'}`,
      ],
    ]

    test.skipIf(skip).each(comparisons)('%s', async (_, whereOf) => {
      const { db, users, notes } = bench
      const where = whereOf(bench)
      const attempt = async (run: () => unknown) => void (await run())
      const refusal = /Cannot use "(email|name|email_index)" in this query/
      await expect(attempt(() => db.select().from(users).where(where))).rejects.toThrow(refusal)
      await expect(attempt(() => db.select().from(notes).innerJoin(users, where!))).rejects.toThrow(refusal)
      await expect(attempt(() => db.delete(users).where(where))).rejects.toThrow(refusal)
      await expect(attempt(() => db.update(users).set({ plan: 'x' }).where(where))).rejects.toThrow(refusal)
      await expect(attempt(() => db.query.users.findMany({ where }))).rejects.toThrow(refusal)
      expect(await db.$count(users)).toBe(2)
    })

    it('nor ordered, grouped, nor selected through a function', async () => {
      const { db, users } = bench
      const attempt = async (run: () => unknown) => void (await run())
      const refusal = /Cannot use "email" in this query/
      await expect(attempt(() => db.select().from(users).orderBy(asc(users.email)))).rejects.toThrow(refusal)
      await expect(attempt(() => db.select().from(users).orderBy(users.email))).rejects.toThrow(refusal)
      await expect(
        attempt(() => db.select({ id: users.id }).from(users).groupBy(users.email)),
      ).rejects.toThrow(refusal)
      const joined = db
        .select({ value: sql`coalesce(${users.email}, ${'x'})` })
        .from(users)
        .innerJoin(bench.notes, eq(users.id, bench.notes.owner))
      await expect(attempt(() => joined)).rejects.toThrow(refusal)
    })
  })
})
