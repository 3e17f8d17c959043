// The command line as data, read from commander's own tree: what completion scripts and the manual page are made of, so that
// neither lags behind the commands. Leaves out how they are written (completion-*.ts, scripts/man.ts).
import type { Argument, Command, Option } from 'commander'

/** What may stand as a value: a file name, one of a few words, or anything. */
export type ValueKind =
  | { readonly kind: 'file' | 'text' }
  | { readonly kind: 'words'; readonly words: readonly string[] }

/** An option. */
export interface OptionNode {
  /** Such as `-h, --help` or `--key <file>`. */
  readonly flags: string
  /** `-h` and `--help`, as far as there are. */
  readonly names: readonly string[]
  readonly description: string
  /** Undefined for an option without a value. */
  readonly value: (ValueKind & { readonly name: string }) | undefined
  readonly repeatable: boolean
  readonly required: boolean
  /** What holds when it is left out. */
  readonly fallback: string | undefined
}

/** An argument that is no option. */
export type OperandNode = ValueKind & { readonly name: string; readonly required: boolean }

/** A command, or the program itself. */
export interface CommandNode {
  readonly name: string
  readonly description: string
  readonly operands: readonly OperandNode[]
  readonly options: readonly OptionNode[]
  readonly commands: readonly CommandNode[]
}

/** Names of values that are files. */
const FILE_NAMES: ReadonlySet<string> = new Set(['file', 'module', 'capability-or-file', 'directory'])

/** `command` and all below, `--help` and the command `help` included. */
export function commandTree(command: Command): CommandNode {
  const help = command.createHelp()
  const commands = help.visibleCommands(command)
  const names = commands.map((each) => each.name())
  return node(
    command,
    commands.map((each) => node(each, [], names)),
  )
}

/** @param siblings - what the operand of `help [command]` may be, which is commander's own and does not say so. */
function node(
  command: Command,
  commands: readonly CommandNode[],
  siblings: readonly string[] = [],
): CommandNode {
  return {
    name: command.name(),
    description: command.description(),
    operands: command.registeredArguments.map((each) =>
      command.name() === 'help' ? { ...operand(each), kind: 'words', words: siblings } : operand(each),
    ),
    options: command.createHelp().visibleOptions(command).map(option),
    commands,
  }
}

function operand(argument: Argument): OperandNode {
  return {
    ...valueKind(argument.name(), argument.argChoices),
    name: argument.name(),
    required: argument.required,
  }
}

function option(given: Option): OptionNode {
  const { flags, short, long, description, required, optional, argChoices, mandatory, defaultValue } = given
  const name = /[<[]([^>\]]+)[>\]]/.exec(flags)?.[1] ?? ''
  return {
    flags,
    names: [short, long].filter((each) => each !== undefined),
    description,
    value: required || optional ? { ...valueKind(name, argChoices), name } : undefined,
    repeatable: description.includes('may be repeated'),
    required: mandatory,
    fallback: typeof defaultValue === 'string' ? defaultValue : undefined,
  }
}

function valueKind(name: string, choices: readonly string[] | undefined): ValueKind {
  if (choices !== undefined) return { kind: 'words', words: choices }
  return { kind: FILE_NAMES.has(name) ? 'file' : 'text' }
}
