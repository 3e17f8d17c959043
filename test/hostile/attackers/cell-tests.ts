// The tests of one family of attackers: one for each cell and pattern, named `attacker › goal › can|cannot (pattern)`.
// A "can" succeeds with exactly the powers that it names and fails without any of them; a "cannot" ends where the table
// says, succeeds with what the table says is missing, and still fails without any part of that. So none passes by accident.
import { describe, expect, test } from 'vitest'
import type { PatternName } from '../../../src/capability/index.js'
import { poseAsService } from './answering.js'
import { actAsCaller, costInDhs, reachObject } from './approaching.js'
import { type Knowledge, knowledgeOf } from './knowledge.js'
import { failure, type Outcome, SUCCESS } from './outcome.js'
import { callerFromRecording, objectFromRecording, readMessage1, readTheRest } from './reading.js'
import { OBJECT, Scene, sameKey } from './scene.js'
import { type Attacker, type Cell, FAMILIES, GOALS, type Goal, POWERS, type Power } from './table.js'

/** An attack for each goal: everything that the knowledge allows. */
const ATTACKS: Readonly<Record<Goal, (k: Knowledge, scene: Scene) => Outcome>> = {
  message1: readMessage1,
  rest: readTheRest,
  caller: (k, scene) => {
    const listening = callerFromRecording(k, scene)
    if (listening.ok || !k.active) return listening
    const { caller } = poseAsService(k, scene)
    return caller !== undefined && sameKey(caller, scene.callerKey?.publicKey) ? SUCCESS : listening
  },
  object: (k, scene) => {
    const listening = objectFromRecording(k, scene)
    if (listening.ok || !k.active) return listening
    return poseAsService(k, scene).object === OBJECT ? SUCCESS : listening
  },
  compute: (k, scene) => (costInDhs(k, scene) > 0 ? SUCCESS : failure('0 DH')),
  actCaller: actAsCaller,
  reach: reachObject,
  actService: (k, scene) => poseAsService(k, scene).outcome,
}

/** Where the pattern plays no part, one that every attacker row has. */
const ANY: PatternName = 'IK'
const EVERYTHING = Object.keys(POWERS) as readonly Power[]

/** Attack with exactly these powers, in a fresh scene. */
async function attempt(
  attacker: Attacker,
  goal: Goal,
  pattern: PatternName,
  powers: readonly Power[],
): Promise<Outcome> {
  const scene = new Scene(pattern, attacker)
  return ATTACKS[goal](await knowledgeOf(scene, new Set(powers), attacker.active), scene)
}

const without = (powers: readonly Power[], power: Power) => powers.filter((each) => each !== power)

async function checkCan(
  attacker: Attacker,
  goal: Goal,
  pattern: PatternName,
  cell: Extract<Cell, { can: true }>,
): Promise<void> {
  expect(attacker.powers).toEqual(expect.arrayContaining([...cell.by]))
  expect(await attempt(attacker, goal, pattern, attacker.powers)).toEqual(SUCCESS)
  expect(await attempt(attacker, goal, pattern, cell.by)).toEqual(SUCCESS)
  for (const power of cell.by) {
    expect(await attempt(attacker, goal, pattern, without(cell.by, power)), `without ${power}`).not.toEqual(
      SUCCESS,
    )
  }
  if (cell.dhs !== undefined) {
    const scene = new Scene(pattern, attacker)
    const k = await knowledgeOf(scene, new Set(attacker.powers), attacker.active)
    expect(costInDhs(k, scene)).toBe(cell.dhs[pattern])
  }
}

async function checkCannot(
  attacker: Attacker,
  goal: Goal,
  pattern: PatternName,
  { because, needs }: Extract<Cell, { can: false }>,
): Promise<void> {
  expect(await attempt(attacker, goal, pattern, attacker.powers)).toEqual(failure(because))
  if (needs === 'never') {
    // Not even with everything; where the pattern has what he looks for, everything is enough.
    expect((await attempt(attacker, goal, pattern, EVERYTHING)).ok).toBe(false)
    expect(await attempt(attacker, goal, 'IK', EVERYTHING)).toEqual(SUCCESS)
    return
  }
  const enough = [...attacker.powers, ...needs]
  expect(await attempt(attacker, goal, pattern, enough)).toEqual(SUCCESS)
  for (const power of needs) {
    expect(await attempt(attacker, goal, pattern, without(enough, power)), `without ${power}`).not.toEqual(
      SUCCESS,
    )
  }
}

/** Declare the tests of one family; loops and not `each`, whose names are quoted and cut. */
export function testFamily(family: keyof typeof FAMILIES): void {
  for (const attacker of FAMILIES[family] as readonly Attacker[]) {
    describe(attacker.name, () => {
      for (const goal of Object.keys(GOALS) as Goal[]) {
        const cells = attacker.cells[goal]
        if (cells !== undefined) describe(GOALS[goal], () => testCells(attacker, goal, cells))
      }
    })
  }
}

function testCells(attacker: Attacker, goal: Goal, cells: readonly Cell[]): void {
  for (const cell of cells) {
    for (const pattern of cell.patterns === 'any' ? (['any'] as const) : cell.patterns) {
      const spoken = pattern === 'any' ? ANY : pattern
      test(`${cell.can ? 'can' : 'cannot'} (${pattern})`, () =>
        cell.can ? checkCan(attacker, goal, spoken, cell) : checkCannot(attacker, goal, spoken, cell))
    }
  }
}
