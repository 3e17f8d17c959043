// docs/threat-model.md says what the table of attackers says, the table is whole, and every test that the page points to
// is there under its name.
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { MAIL_UNPROTECTED } from './attackers/mailbox-page.js'
import { MAIL_ATTACKERS, MAIL_GOALS, type MailGoal } from './attackers/mailbox-table.js'
import { threatModelPage, UNPROTECTED } from './attackers/page.js'
import { type Attacker, FAMILIES, GOALS, type Goal } from './attackers/table.js'

const textOf = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8')
const attackers: readonly Attacker[] = Object.values(FAMILIES).flat()
const PASSIVE: readonly Goal[] = ['message1', 'rest', 'caller', 'object']

test('the page is what the table makes: otherwise run `npx tsx scripts/threat-model.ts`', () => {
  expect(textOf('../../docs/threat-model.md')).toBe(threatModelPage())
})

test('every statement about what is not protected points to a test that is there', () => {
  const pointers = UNPROTECTED.flatMap(({ test: shown }) => (shown === undefined ? [] : [shown]))
  expect(pointers.length).toBe(UNPROTECTED.length - 1) // no test shows what a broken host gives away
  for (const { test: shown } of MAIL_UNPROTECTED) pointers.push(shown!) // all of them have one
  for (const [file, name] of pointers) expect(textOf(`../${file}`), name).toContain(name)
})

describe('the table', () => {
  for (const { name, active, bound, oneKey, powers, cells } of attackers) {
    test(`${name}: each goal has one cell for each pattern`, () => {
      const between = powers.includes('through') // messages are turned against the living only
      const goals = between ? ['actCaller', 'actService'] : active ? Object.keys(GOALS) : PASSIVE
      expect(Object.keys(cells).sort()).toEqual([...goals].sort())
      const named = bound === true || oneKey === true
      for (const [goal, each] of Object.entries(cells)) {
        const patterns = each.flatMap(({ patterns: some }) => (some === 'any' ? ['any'] : [...some]))
        const all = goal === 'reach' ? ['any'] : named ? ['IK', 'KK', 'XK'] : ['IK', 'KK', 'NK', 'XK']
        expect(patterns.sort(), goal).toEqual(all)
      }
    })
  }

  test('names are unique, so that every test has a name of its own', () => {
    expect(new Set(attackers.map(({ name }) => name)).size).toBe(attackers.length)
  })
})

describe('the table of a mailbox', () => {
  test('names are unique, also among those of the other table', () => {
    const names = [...attackers, ...MAIL_ATTACKERS].map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
  })
  test('each goal is tried by somebody, and what he needs or uses is told', () => {
    for (const goal of Object.keys(MAIL_GOALS) as MailGoal[]) {
      const cells = MAIL_ATTACKERS.flatMap(({ cells: each }) => each[goal] ?? [])
      expect(cells.length, goal).toBeGreaterThan(1)
      for (const cell of cells) expect((cell.can ? cell.by : cell.needs).length, goal).toBeGreaterThan(0)
    }
  })
})
