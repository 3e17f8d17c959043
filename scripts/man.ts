// Writes man/noisecap.1: commands and options from the command line's own tree, the prose from here.
// A test holds the committed page to it (test/cli/man.test.ts); `npm run man` writes it again.
// Generators that were looked at turn Markdown into a page or run --help of an installed program; neither has the tree.
import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { CommandNode, OperandNode, OptionNode } from '../src/cli/command-tree.js'
import { describeProgram } from '../src/cli/run.js'
import { packageVersion } from '../src/cli/version.js'

const PATH = new URL('../man/noisecap.1', import.meta.url)
/** Of the prose below. */
const DATE = '2026-11-28'

/** A paragraph, or a term and what it means. */
type Prose = string | readonly [term: string, meaning: string]

const DESCRIPTION: readonly Prose[] = [
  'A capability is a text that is the permission to use one object of one service: whoever holds it may do what it says. noisecap makes the keys of services and clients, mints capabilities and narrows them, serves a module, calls methods, and revokes. It seals files so that only their readers can open them, and opens them. It runs a relay that keeps messages for who is offline, and sends and receives them.',
  'A capability is read from, in this order: an argument, with a warning, since every user of the machine can see arguments; --capability-file, where - is standard input; the variable NOISECAP; standard input. Only mint, attenuate, relay and box create print one, and addresses of boxes are read alike. No message holds the secret part of one.',
  'Results go to standard output, everything else to standard error. With --json the result is one line of JSON, and so is an error.',
]

const SECTIONS: readonly (readonly [heading: string, prose: readonly Prose[]])[] = [
  [
    'EXIT STATUS',
    [
      ['0', 'Done.'],
      [
        '1',
        'The operation failed: denied, revoked, unreachable, not found, not genuine, or the method failed.',
      ],
      ['2', 'Bad usage or malformed input: arguments, keys, capabilities, locations, files, JSON.'],
    ],
  ],
  [
    'ENVIRONMENT',
    [
      ['NOISECAP', 'The capability that a command works on.'],
      ['NOISECAP_REGISTRY', 'Directory through which services and clients of one machine find each other.'],
      ['NOISECAP_CRYPTO', 'Forces one crypto provider: sodium, node or noble.'],
      ['XDG_STATE_HOME', 'Where the registry lies unless NOISECAP_REGISTRY says otherwise.'],
      ['NO_COLOR', 'Not empty: no colour at a terminal either.'],
    ],
  ],
  [
    'FILES',
    [
      ['FILE.sealed', 'What seal makes of FILE, and open takes.'],
      ['FILE.revoked', 'The revocations of the service whose key file is FILE. Never edit it by hand.'],
      ['~/.local/state/noisecap/registry', 'The registry, unless the environment names another.'],
    ],
  ],
  [
    'EXAMPLES',
    [
      [
        'noisecap seal report.pdf -r KEY',
        'Seal report.pdf into report.pdf.sealed for the owner of a public key.',
      ],
      ['noisecap open report.pdf.sealed --key my.key', 'Open it.'],
      ['noisecap keygen notes.key', 'Make the key of a service, once, where it runs.'],
      [
        'noisecap serve notes.js --key notes.key',
        'Serve what a module offers, at a free port, until Ctrl-C.',
      ],
      [
        'noisecap mint --key notes.key --object notes/ada --methods list --expires-in 1h > ada.cap',
        'Mint a capability to list for an hour.',
      ],
      ['noisecap call list --capability-file ada.cap', 'Call with it.'],
      ['noisecap attenuate --via bob --final < ada.cap', 'Narrow it further, for somebody else.'],
      ['noisecap revoke --key notes.key < leaked.log', 'Revoke a capability that stands somewhere in a log.'],
    ],
  ],
  [
    'SECURITY',
    [
      'Whoever reads a capability may use it: keep its files private, bind what must not be passed on to a client key (--holder), let everything expire. revoke with the key file of the service revokes genuine capabilities only: what a service recognises one by is no secret, and somebody could make up a leak to end what another holds.',
      'Nobody has audited noisecap yet.',
    ],
  ],
]

/** The page in the macros of man(7). */
export function manualPage(program: CommandNode, version: string): string {
  return [
    '.\\" Written by scripts/man.ts: change that, then npm run man.',
    `.TH ${program.name.toUpperCase()} 1 "${DATE}" "${program.name} ${version}" "User Commands"`,
    '.nh', // options and commands shall survive copying
    '.SH NAME',
    `${program.name} \\- ${roff(program.description)}`,
    '.SH SYNOPSIS',
    ...program.commands
      .flatMap((command) => ['.B', `${program.name} ${synopsis(command)}`, '.br'])
      .slice(0, -1),
    '.SH DESCRIPTION',
    ...prose(DESCRIPTION),
    '.SH COMMANDS',
    ...program.commands.flatMap((command) => [
      '.SS',
      synopsis(command),
      `${roff(sentence(command.description))}`,
      ...command.options.filter(({ names }) => !names.includes('--help')).flatMap(optionLines),
    ]),
    '.SH OPTIONS',
    ...program.options.flatMap(optionLines),
    ...SECTIONS.flatMap(([heading, items]) => [`.SH "${heading}"`, ...prose(items)]),
    '',
  ].join('\n')
}

/** `.B` and `.SS` take the next line, which sets its fonts itself. */
function synopsis({ name, options, operands }: CommandNode): string {
  const required = options.filter((option) => option.required).map((option) => flags(option))
  const others = options.length > required.length ? ['[options]'] : []
  return [`\\fB${roff(name)}\\fR`, ...required, ...others, ...operands.map(operandText)].join(' ')
}

function operandText({ name, required }: OperandNode): string {
  const text = `\\fI${roff(name)}\\fR`
  return required ? text : `[${text}]`
}

function optionLines(option: OptionNode): string[] {
  const { description, value, required, fallback } = option
  const words = value?.kind === 'words' ? `: ${value.words.join(', ')}` : ''
  return [
    '.TP',
    flags(option),
    roff(
      sentence(
        `${description}${words}${required ? '; must be given' : ''}${fallback === undefined ? '' : ` (default: ${fallback})`}`,
      ),
    ),
  ]
}

function flags({ names, value }: OptionNode): string {
  const bold = names.map((name) => `\\fB${roff(name)}\\fR`).join(', ')
  return value === undefined ? bold : `${bold} \\fI${roff(value.name)}\\fR`
}

function prose(items: readonly Prose[]): string[] {
  return items.flatMap((item, index) => {
    if (typeof item !== 'string') return ['.TP', `\\fB${roff(item[0])}\\fR`, roff(item[1])]
    return index === 0 ? [roff(item)] : ['.PP', roff(item)]
  })
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}

/** `text` with nothing in it that roff would take for its own; dashes stay dashes, so that options can be copied. */
function roff(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('~', '\\(ti')
    .replaceAll("'", '\\(aq')
    .replaceAll(
      /[^\n -~]/gu,
      (character) => `\\[u${character.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0')}]`,
    )
    .replace(/^\./, '\\&.')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  mkdirSync(new URL('.', PATH), { recursive: true })
  writeFileSync(PATH, manualPage(await describeProgram(), packageVersion()))
}
