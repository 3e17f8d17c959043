// docs/threat-model.md from the table of attackers: the same data that names the tests. Written by
// `npx tsx scripts/threat-model.ts`; test/hostile/threat-model.test.ts fails where page and table differ.
import { mailboxPart } from './mailbox-page.js'
import type { Shown } from './shown.js'
import { type Attacker, type Cell, FAMILIES, GOALS, type Goal, POWERS, type Power } from './table.js'

const ASSUMPTIONS: readonly string[] = [
  'X25519, ChaCha20-Poly1305, BLAKE2b, SHA-256 and HMAC hold; random numbers are random. The rows say what is left when Diffie-Hellman falls.',
  'Every attacker sees and controls the network as far as his row says, knows all code, and knows the public keys of clients and the paths of objects. The public key of a service is known to who was told it.',
  'Hosts, the runtime and the code of handlers are honest. Clocks are right within 60 seconds.',
  'A service that is restarted forgets the ephemeral keys that it has seen, and nothing else that matters here.',
]

/** What is not protected, or less than one might think. */
export const UNPROTECTED: readonly Shown[] = [
  {
    what: '**Which service is called** shows to who knows its public key: mac1 is made with it. To others it does not, save by address and port.',
    test: [
      'hostile/attackers-more.test.ts',
      'is recognised by who knows the public key of its service, and by nobody else',
    ],
  },
  {
    what: '**Traffic analysis.** Who talks to whom, when, and the length of every record show. Only handshake payloads are padded.',
    test: [
      'session/handshake.test.ts',
      'hellos of capabilities with and without caveats have the same length',
    ],
  },
  {
    what: '**Broken hosts.** Who reads the memory of a process reads its keys and all that it does; wiping is best effort.',
  },
  {
    what: '**Message 1** is under the static key of the service only: no forward secrecy, see the thief of the static key.',
    test: [
      'hostile/noise-grades.test.ts',
      'message 1 is as in %s without it: whoever has the static key later reads it',
    ],
  },
  {
    what: '**A hello is replayed to a restarted service** and gets a message 2 that the replayer cannot read; he cannot write the first record, and nothing runs before that.',
    test: [
      'hostile/attackers-service.test.ts',
      'a whole recorded session, replayed to a restarted service, runs nothing',
    ],
  },
  {
    what: "**XK tells the caller's key to whoever has the static key and answers her**, before the PSK: the capability is not needed for that. A recording does not show it.",
    test: [
      'hostile/noise-grades.test.ts',
      'XKpsk3: who answers with the responder’s key is told her key before the PSK',
    ],
  },
  {
    what: '**KK hellos are linkable within a day**: the tag of one client with one capability stays the same till midnight UTC.',
    test: [
      'hostile/attackers-more.test.ts',
      'links the hellos of one client with one capability within a day, to anybody who watches',
    ],
  },
  {
    what: 'They are not linkable across days, capabilities and clients.',
    test: ['hostile/attackers-more.test.ts', 'links neither days, nor capabilities, nor clients'],
  },
  {
    what: '**Who holds the very capability recognises KK callers** among those whose keys he knows: the ancestor who made it, another holder of the same one, a thief of it, a thief of the book of contacts.',
    test: [
      'hostile/attackers-more.test.ts',
      'is recognised on any day by a thief of the book of contacts, who can greet with none of it',
    ],
  },
  {
    what: '**Capabilities that are shown in one session are linked**: the service learns that they are in one hand. Partitions keep them apart.',
    test: [
      'integration/shared-sessions.test.ts',
      'different keys, patterns, partitions and budgets have sessions of their own',
    ],
  },
  {
    what: '**An ancestor** can do all that he handed on, and use the narrower capability itself where he knows its caveats, unless it is bound to a key.',
    test: [
      'hostile/attackers-more.test.ts',
      'is used by an ancestor like by its holder, unless it is bound to the holder’s key',
    ],
  },
  {
    what: '**A quantum computer, later**, reads message 1 of a recording, and the key of XK callers; the rest stays under the PSK as long as that stays secret. Whoever shares the capability and has such a computer reads all.',
    test: ['hostile/noise-grades.test.ts', 'from its token on, every key without the PSK opens nothing'],
  },
  {
    what: '**Who knows the public key costs the service one Diffie-Hellman a hello** (two with IK and KK), within 20 a second for each address.',
    test: [
      'hostile/session.test.ts',
      'an unproven hello costs its address a token, a proven one gives it back',
    ],
  },
]

/** The order of families on the page. */
const FAMILY_NAMES = {
  wire: 'On the wire',
  holders: 'Holders of a capability',
  thieves: 'Thieves of keys',
  between: 'In between',
} as const satisfies Record<keyof typeof FAMILIES, string>

const goals = Object.keys(GOALS) as readonly Goal[]

/** The whole page. */
export function threatModelPage(): string {
  return `${[
    ...INTRODUCTION,
    ...ASSUMPTIONS.map((assumption) => `- ${assumption}`),
    '',
    '## The table',
    ...LEGEND,
    ...matrix(),
    '',
    '## Not protected',
    ...UNPROTECTED.map(({ what, test }) => `- ${what}${test === undefined ? '' : ` (\`test/${test[0]}\`)`}`),
    '',
    ...Object.entries(FAMILIES).flatMap(([family, attackers]) => [
      `## ${FAMILY_NAMES[family as keyof typeof FAMILIES]}`,
      `Tests: \`test/hostile/attackers-${family}.test.ts\`.`,
      '',
      ...attackers.flatMap(section),
    ]),
    ...mailboxPart(),
    ...GRADES,
  ].join('\n')}\n`
}

const INTRODUCTION = [
  '<!-- Made by `npx tsx scripts/threat-model.ts` from test/hostile/attackers; a test fails where the two differ. -->',
  '# Threat model',
  '',
  'Who can do what to a session, and why. Each cell of the table below is a test that runs the attack with exactly the knowledge of its row, against',
  'the real handshake: "can" succeeds with what is named and fails without any part of it; "cannot" ends where the page says, and succeeds as soon as',
  'the attacker gets what he would need. The tests are named `attacker › goal › can|cannot (pattern)`. Nobody outside of the project has reviewed any',
  'of it yet ([SECURITY.md](../SECURITY.md)). A second, smaller table is about [mailboxes](#a-mailbox).',
  '',
  'The caller holds a capability of `notes/ada`, and calls with NK (anonymous), XK, IK or KK (with a key of hers; [spec/session.md](../spec/session.md) §2).',
  '',
  '## Assumptions',
]

const LEGEND = [
  '**can**: with every pattern; with a list, with those only. –: cannot. An empty cell is not tried: who listens only, sends nothing.',
  '"Read the rest" is all from message 2 on, of a recording; "make the service compute" is a Diffie-Hellman at least; "act as the caller" is to be taken',
  'for her key, or with NK for her capability; "reach the caller\'s object" is to call it in one\'s own name.',
  '',
]

function matrix(): readonly string[] {
  const rows = Object.values(FAMILIES)
    .flat()
    .map(
      (attacker) =>
        `| ${attacker.name} | ${goals.map((goal) => verdict(attacker.cells[goal])).join(' | ')} |`,
    )
  return [
    `| who | ${goals.map((goal) => GOALS[goal]).join(' | ')} |`,
    `| --- |${' --- |'.repeat(goals.length)}`,
    ...rows,
  ]
}

function verdict(cells: readonly Cell[] | undefined): string {
  if (cells === undefined) return ''
  const able = cells.filter((cell) => cell.can)
  if (able.length === 0) return '–'
  return able.length === cells.length ? '**can**' : `**can**: ${able.map(patternsOf).join(', ')}`
}

function patternsOf({ patterns }: Cell): string {
  return patterns === 'any' ? 'any pattern' : patterns.join(', ')
}

function section(attacker: Attacker): readonly string[] {
  const cells = goals.flatMap((goal) => (attacker.cells[goal] ?? []).map((cell) => line(goal, cell)))
  return [
    `### ${capital(attacker.name)}`,
    `${attacker.who} Has: ${powersText(attacker.powers) || 'nothing'}.`,
    '',
    '| goal | patterns | | why | enough, or needed besides |',
    '| --- | --- | --- | --- | --- |',
    ...cells,
    '',
  ]
}

function line(goal: Goal, cell: Cell): string {
  const cost = cell.can && cell.dhs !== undefined ? ` (${dhsText(cell.dhs)})` : ''
  const powers = cell.can
    ? powersText(cell.by)
    : cell.needs === 'never'
      ? 'nothing helps'
      : powersText(cell.needs)
  return `| ${GOALS[goal]} | ${patternsOf(cell)} | ${cell.can ? '**can**' : 'cannot'} | ${cell.why}${cost} | ${powers} |`
}

function dhsText(dhs: NonNullable<Extract<Cell, { can: true }>['dhs']>): string {
  return `Diffie-Hellmans: ${Object.entries(dhs)
    .map(([pattern, count]) => `${pattern} ${count}`)
    .join(', ')}`
}

const powersText = (powers: readonly Power[]): string => powers.map((power) => POWERS[power]).join('; ')
const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

const GRADES = [
  '## Noise grades',
  'The payload and identity grades that Noise rev 34 §7.7 and §7.8 give to NK, XK, IK, KK, N, X and K (`spec/vectors/noise-security.json`,',
  '[spec/noise-profile.md](../spec/noise-profile.md) §11) are measured by attack as well, message by message, with and without the PSK:',
  '`test/hostile/noise-grades.test.ts`. Destination 5, source 2 and identity 8 are shown negatively: the attacks that would succeed at the grade below fail,',
  'and a control shows that the attacker reads or forges once he has the key that the grade says he needs.',
]
