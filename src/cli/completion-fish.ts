// The completion script for fish: one `complete` a command, option and operand, no files unless they are meant.
// Leaves out the tree (command-tree.ts).
import type { CommandNode, OptionNode, ValueKind } from './command-tree.js'

/** The script, line by line. */
export function fishCompletion({ name, options, commands }: CommandNode): readonly string[] {
  const complete = `complete -c ${name}`
  const first = `-n __${name}_first`
  return [
    `# fish completion for ${name}`,
    `function __${name}_first`,
    '  test (count (commandline -opc)) -eq 1',
    'end',
    `function __${name}_in`,
    '  set -l words (commandline -opc)',
    '  test (count $words) -gt 1; and test $words[2] = $argv[1]',
    'end',
    `${complete} -f`,
    ...options.map((option) => `${complete} ${first} ${flagsOf(option)}`),
    ...commands.map((command) => `${complete} ${first} -a ${command.name} -d ${quoted(command.description)}`),
    ...commands.flatMap((command) => {
      const here = `${complete} -n '__${name}_in ${command.name}'`
      return [
        ...command.options.map((option) => `${here} ${flagsOf(option)}`),
        ...command.operands
          .map((operand) => `${here} ${offered(operand)}`.trimEnd())
          .filter((line) => line !== here),
      ]
    }),
  ]
}

/** Such as `-l key -r -F -d 'key file of the service'`. */
function flagsOf({ names, description, value }: OptionNode): string {
  const flags = names.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`))
  const given =
    value === undefined ? [] : value.kind === 'file' ? ['-r -F'] : [`-x ${offered(value)}`.trimEnd()]
  return [...flags, ...given, `-d ${quoted(description)}`].join(' ')
}

function offered(value: ValueKind): string {
  switch (value.kind) {
    case 'file':
      return '-F'
    case 'words':
      return `-a ${quoted(value.words.join(' '))}`
    case 'text':
      return ''
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll(/['\\]/g, '\\$&')}'`
}
