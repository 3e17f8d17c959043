// The part of docs/threat-model.md about mailboxes, from the table of their attackers. Leaves out the rest of the page (page.ts).
import {
  MAIL_ATTACKERS,
  MAIL_GOALS,
  MAIL_POWERS,
  type MailAttacker,
  type MailCell,
  type MailGoal,
  type MailPower,
} from './mailbox-table.js'
import type { Shown } from './shown.js'

/** What a mailbox does not protect, or less than one might think. */
export const MAIL_UNPROTECTED: readonly Shown[] = [
  {
    what: '**The relay sees sizes, times and places**: which alias is used, when and from which address, the size class and the pattern of each message.',
    test: ['mailbox/envelope.test.ts', 'lengths show the size class alone'],
  },
  {
    what: '**The relay orders the messages of different senders as it likes**, and nothing shows that. Within the series of one sender the numbers show it.',
    test: [
      'hostile/attackers-mailbox-more.test.ts',
      'reorders what different senders sent, and nothing shows it',
    ],
  },
  {
    what: '**The relay holds messages back.** A gap in the series of a sender shows it once a later one has come; that the last ones are missing shows nowhere.',
    test: [
      'hostile/attackers-mailbox-more.test.ts',
      'drops a message, and a gap shows it if a later one comes',
    ],
  },
  {
    what: '**A message to a group is bound to the group and its reader, not to a box**: a relay can have it taken in every box where that reader takes that group.',
    test: [
      'hostile/attackers-mailbox-more.test.ts',
      'has a message to a group taken in each box of the reader that takes the group',
    ],
  },
]

const goals = Object.keys(MAIL_GOALS) as readonly MailGoal[]

/** The lines of that part. */
export function mailboxPart(): readonly string[] {
  return [
    '## A mailbox',
    'Who can do what to a [mailbox](mailbox.md). A writer sends one message with pattern X to a box of a reader, who has another box at the same relay and',
    'accepts N and X of anybody. All of it runs: relay, store in memory, sessions, inbox with a seen-set. Everybody knows the public keys of reader and writer.',
    'The tests are named `attacker › goal › can|cannot`, and show what those above show. Tests: `test/hostile/attackers-mailbox.test.ts`.',
    '',
    '–: cannot. An empty cell is not tried, mostly because another row or column says the same. "Have a message taken twice" is the very message of the writer;',
    '"be taken for another writer" is for her key.',
    '',
    `| who | ${goals.map((goal) => MAIL_GOALS[goal]).join(' | ')} |`,
    `| --- |${' --- |'.repeat(goals.length)}`,
    ...MAIL_ATTACKERS.map(
      ({ name, cells }) => `| ${name} | ${goals.map((goal) => verdict(cells[goal])).join(' | ')} |`,
    ),
    '',
    'Not protected:',
    ...MAIL_UNPROTECTED.map(
      ({ what, test }) => `- ${what}${test === undefined ? '' : ` (\`test/${test[0]}\`)`}`,
    ),
    '',
    ...MAIL_ATTACKERS.flatMap(section),
  ]
}

function verdict(cell: MailCell | undefined): string {
  if (cell === undefined) return ''
  return cell.can ? '**can**' : '–'
}

function section({ name, who, powers, cells }: MailAttacker): readonly string[] {
  const lines = goals.flatMap((goal) => {
    const cell = cells[goal]
    return cell === undefined ? [] : [line(goal, cell)]
  })
  return [
    `### ${name.charAt(0).toUpperCase()}${name.slice(1)}`,
    `${who} Has: ${powersText(powers)}.`,
    '',
    '| goal | | why | enough, or needed besides |',
    '| --- | --- | --- | --- |',
    ...lines,
    '',
  ]
}

function line(goal: MailGoal, cell: MailCell): string {
  const powers = powersText(cell.can ? cell.by : cell.needs)
  return `| ${MAIL_GOALS[goal]} | ${cell.can ? '**can**' : 'cannot'} | ${cell.why} | ${powers} |`
}

const powersText = (powers: readonly MailPower[]): string =>
  powers.map((power) => MAIL_POWERS[power]).join('; ')
