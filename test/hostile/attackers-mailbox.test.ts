// The table of attackers of a mailbox: one test for each cell, named `attacker › goal › can|cannot`. A "can" succeeds with
// exactly the powers that it names and fails without any of them; a "cannot" ends where the table says, succeeds with what the
// table says is missing, and still fails without any part of that. So none passes by accident.
import { describe, expect, test } from 'vitest'
import { MAIL_ATTACKS } from './attackers/mailbox-attacks.js'
import { mailKnowledgeOf } from './attackers/mailbox-knowledge.js'
import { MailScene } from './attackers/mailbox-scene.js'
import {
  MAIL_ATTACKERS,
  MAIL_GOALS,
  type MailCell,
  type MailGoal,
  type MailPower,
} from './attackers/mailbox-table.js'
import { failure, type Outcome, SUCCESS } from './attackers/outcome.js'

/** Attack with exactly these powers, in fresh scenes. */
function attempt(goal: MailGoal, powers: readonly MailPower[]): Promise<Outcome> {
  const has = new Set(powers)
  return MAIL_ATTACKS[goal](async () => {
    const scene = await MailScene.open(!has.has('noSeen'))
    return { scene, k: await mailKnowledgeOf(scene, has) }
  })
}

/** Without any one of `each`, `powers` are not enough. */
async function checkNeeded(
  goal: MailGoal,
  powers: readonly MailPower[],
  each: readonly MailPower[],
): Promise<void> {
  for (const power of each) {
    const fewer = powers.filter((other) => other !== power)
    expect(await attempt(goal, fewer), `without ${power}`).not.toEqual(SUCCESS)
  }
}

async function check(powers: readonly MailPower[], goal: MailGoal, cell: MailCell): Promise<void> {
  if (cell.can) {
    expect(powers).toEqual(expect.arrayContaining([...cell.by]))
    expect(await attempt(goal, powers)).toEqual(SUCCESS)
    expect(await attempt(goal, cell.by)).toEqual(SUCCESS)
    await checkNeeded(goal, cell.by, cell.by)
    return
  }
  expect(await attempt(goal, powers)).toEqual(failure(cell.because))
  const enough = [...powers, ...cell.needs]
  expect(await attempt(goal, enough)).toEqual(SUCCESS)
  await checkNeeded(goal, enough, cell.needs)
}

for (const { name, powers, cells } of MAIL_ATTACKERS) {
  describe(name, () => {
    for (const goal of Object.keys(MAIL_GOALS) as MailGoal[]) {
      const cell = cells[goal]
      if (cell === undefined) continue
      describe(MAIL_GOALS[goal], () => {
        test(cell.can ? 'can' : 'cannot', () => check(powers, goal, cell))
      })
    }
  })
}
