// The completion script for bash, 3.2 and later. File names are left to readline, which knows about quotes and directories:
// an empty answer lets it complete them, and `compopt +o default` (bash 4) keeps it from doing so where none belongs.
// Leaves out the tree (command-tree.ts).
import type { CommandNode, OptionNode, ValueKind } from './command-tree.js'

/** The script, line by line. */
export function bashCompletion({ name, options, commands }: CommandNode): readonly string[] {
  const names = commands.map((command) => command.name)
  return [
    `# bash completion for ${name}`,
    `_${name}_options() {`,
    '  options= valued=',
    '  case $1 in',
    `    '') options=${quoted(namesOf(options))} ;;`,
    ...commands.map(({ name: command, options: own }) => {
      const valued = own.filter(({ value }) => value !== undefined)
      return `    ${command}) options=${quoted(namesOf(own))} valued=${quoted(namesOf(valued))} ;;`
    }),
    '  esac',
    '}',
    `_${name}() {`,
    `  local word="\${COMP_WORDS[COMP_CWORD]}" command= operands=0 pending= options valued words= i each`,
    `  _${name}_options ''`,
    '  for ((i = 1; i < COMP_CWORD; i++)); do',
    `    each="\${COMP_WORDS[i]}"`,
    '    if [[ -n $pending ]]; then',
    '      [[ $each == = ]] || pending= # bash cuts --option=value at the =',
    '    elif [[ $each == -* ]]; then',
    '      [[ " $valued " == *" $each "* ]] && pending=$each',
    '    elif [[ -z $command ]]; then',
    '      command=$each',
    `      _${name}_options "$command"`,
    '    else',
    '      operands=$((operands + 1))',
    '    fi',
    '  done',
    '  [[ -n $pending && $word == = ]] && word=',
    '  COMPREPLY=()',
    '  if [[ -n $pending ]]; then',
    '    case "$command $pending" in',
    ...commands.flatMap((command) =>
      command.options.flatMap(({ names: flags, value }) =>
        value === undefined ? [] : flags.flatMap((flag) => branch(`${command.name} ${flag}`, value)),
      ),
    ),
    '    esac',
    '  elif [[ $word == -* ]]; then',
    '    words=$options',
    '  elif [[ -z $command ]]; then',
    `    words=${quoted(names)}`,
    '  else',
    '    case "$command $operands" in',
    ...commands.flatMap((command) =>
      command.operands.flatMap((operand, index) => branch(`${command.name} ${index}`, operand)),
    ),
    '      *) words=$options ;;',
    '    esac',
    '  fi',
    '  compopt +o default 2>/dev/null',
    '  COMPREPLY=($(compgen -W "$words" -- "$word"))',
    '}',
    `complete -o default -F _${name} ${name}`,
  ]
}

/** Nothing for a value that nobody can guess. */
function branch(pattern: string, value: ValueKind): string[] {
  switch (value.kind) {
    case 'file':
      return [`      '${pattern}') return ;;`]
    case 'words':
      return [`      '${pattern}') words=${quoted(value.words)} ;;`]
    case 'text':
      return []
  }
}

function namesOf(options: readonly OptionNode[]): readonly string[] {
  return options.flatMap(({ names }) => names)
}

function quoted(words: readonly string[]): string {
  return `'${words.join(' ')}'`
}
