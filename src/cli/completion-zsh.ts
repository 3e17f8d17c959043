// The completion script for zsh, on `_arguments`. Works both sourced after compinit and as a file `_noisecap` in fpath.
// Leaves out the tree (command-tree.ts).
import type { CommandNode, OperandNode, OptionNode, ValueKind } from './command-tree.js'

/** The script, line by line. */
export function zshCompletion({ name, options, commands }: CommandNode): readonly string[] {
  return [
    `#compdef ${name}`,
    `_${name}() {`,
    '  local curcontext="$curcontext" state line ret=1',
    '  typeset -A opt_args',
    '  local -a commands=(',
    ...commands.map((command) => `    ${quoted(`${command.name}:${command.description}`)}`),
    '  )',
    ...argumentsCall('  ', '-C', [
      ...options.map(optionSpec),
      quoted('1: :->command'),
      quoted('*:: :->arguments'),
    ]),
    '  case $state in',
    '    command)',
    `      _describe -t commands '${name} command' commands && ret=0`,
    '      ;;',
    '    arguments)',
    '      case $words[1] in',
    ...commands.flatMap(({ name: command, options: own, operands }) => [
      `        ${command})`,
      ...argumentsCall('          ', '-s', [...own.map(optionSpec), ...operands.map(operandSpec)]),
      '          ;;',
    ]),
    '      esac',
    '      ;;',
    '  esac',
    '  return ret',
    '}',
    `if [[ $funcstack[1] == _${name} ]]; then _${name} "$@"; else compdef _${name} ${name}; fi`,
  ]
}

function argumentsCall(indent: string, flag: string, specs: readonly string[]): string[] {
  return [
    `${indent}_arguments ${flag} \\`,
    ...specs.map((spec) => `${indent}  ${spec} \\`),
    `${indent}  && ret=0`,
  ]
}

/** Such as `'--key=[key file of the service]:file:_files'`. */
function optionSpec({ names, description, value, repeatable }: OptionNode): string {
  const about = `[${escaped(description)}]`
  const given = value === undefined ? '' : `:${escaped(value.name)}:${action(value)}`
  const ending = value === undefined ? '' : '='
  const spell = (flag: string) => (flag.startsWith('--') ? `${flag}${ending}` : flag)
  const exclude = repeatable ? '*' : names.length > 1 ? `(${names.join(' ')})` : ''
  if (names.length === 1) return quoted(`${exclude}${spell(names[0] ?? '')}${about}${given}`)
  return `${quoted(exclude)}{${names.map(spell).join(',')}}${quoted(`${about}${given}`)}`
}

function operandSpec(operand: OperandNode, index: number): string {
  const separator = operand.required ? ':' : '::'
  return quoted(`${index + 1}${separator}${escaped(operand.name)}:${action(operand)}`)
}

function action(value: ValueKind): string {
  switch (value.kind) {
    case 'file':
      return '_files'
    case 'words':
      return `(${value.words.join(' ')})`
    case 'text':
      return ' '
  }
}

function escaped(text: string): string {
  return text.replaceAll(/[[\]:\\]/g, '\\$&')
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
