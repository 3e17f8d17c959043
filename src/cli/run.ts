// One run of the command: arguments in, exit code out. 0 done, 1 the operation failed, 2 bad usage or malformed input.
// Every failure of every command ends here, as one error on standard error.
// Leaves out the commands, one file each.
import { Readable } from 'node:stream'
import { Command, CommanderError } from 'commander'
import { type CommandNode, commandTree } from './command-tree.js'
import { viewFailure } from './failure.js'
import type { Context } from './input.js'
import type { Io } from './io.js'
import { Output } from './output.js'
import { packageVersion } from './version.js'

/** Adds a command to the program. */
type Add = (program: Command, context: Context) => Command

/** Commands in the order of `--help`. Each is loaded when it is wanted: all of them take three times as long to load as Node. */
const COMMANDS: Readonly<Record<string, () => Promise<Add>>> = {
  keygen: async () => (await import('./keygen.js')).addKeygen,
  mint: async () => (await import('./mint.js')).addMint,
  attenuate: async () => (await import('./attenuate.js')).addAttenuate,
  inspect: async () => (await import('./inspect.js')).addInspect,
  serve: async () => (await import('./serve.js')).addServe,
  call: async () => (await import('./call.js')).addCall,
  revoke: async () => (await import('./revoke.js')).addRevoke,
  resolve: async () => (await import('./resolve.js')).addResolve,
  publish: async () => (await import('./publish.js')).addPublish,
  seal: async () => (await import('./seal.js')).addSeal,
  open: async () => (await import('./open.js')).addOpen,
  rewrap: async () => (await import('./rewrap.js')).addRewrap,
  relay: async () => (await import('./relay.js')).addRelay,
  box: async () => (await import('./box.js')).addBox,
  send: async () => (await import('./send.js')).addSend,
  receive: async () => (await import('./receive.js')).addReceive,
  doctor: async () => (await import('./doctor.js')).addDoctor,
  completion: async () => (await import('./completion.js')).addCompletion,
}

/** Run one command.
 * @param argv - arguments without the names of node and the script.
 * @returns the exit code; never rejects. */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  // Errors of parsing come before the option is known.
  const output = new Output(io, argv.includes('--json'))
  try {
    const program = await createProgram({ io, output }, argv[0])
    if (argv.length === 0) {
      io.stderr(program.helpInformation())
      return 2
    }
    await program.parseAsync(argv, { from: 'user' })
    return 0
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0 // --help and --version
    if (error instanceof CommanderError && error.code === 'commander.help') return 2 // it has been printed
    const view = viewFailure(error)
    output.failure(view)
    return view.exitCode
  }
}

/** All commands as data: what the manual page is made of. */
export async function describeProgram(): Promise<CommandNode> {
  const silent: Io = {
    env: {},
    stdin: Readable.from([]),
    stdout: () => undefined,
    stderr: () => undefined,
    writeBytes: async () => undefined,
    toTerminal: false,
    progress: undefined,
    colour: false,
    stopSignal: () => AbortSignal.abort(),
    optimize: () => undefined,
  }
  return commandTree(await createProgram({ io: silent, output: new Output(silent, false) }, undefined))
}

async function createProgram(context: Context, first: string | undefined): Promise<Command> {
  const { io, output } = context
  const program = new Command('noisecap')
    .description('Capabilities over the Noise Protocol Framework: mint, narrow, serve, call, revoke, seal')
    .version(packageVersion())
    // After the name of a command its options alone count: a public key may begin with -V, and is a value there.
    .enablePositionalOptions()
    .configureHelp({ subcommandTerm: (command) => command.name(), commandUsage: usageOf })
    .exitOverride()
    .configureOutput({ writeOut: io.stdout, writeErr: io.stderr, outputError: () => undefined })
    .hook('preAction', (_program, command) => {
      output.json = command.opts()['json'] === true
    })
    .addHelpText('after', '\nA capability is read from standard input, --capability-file or NOISECAP.')
  for (const add of await Promise.all(wanted(first).map((load) => load())))
    add(program, context).option('--json', 'machine-readable output')
  return program
}

/** The commands that a run needs.
 * @param first - its first argument: where it names a command, that one; all to list them, to find what a mistyped one was meant
 * to be, and to complete them. */
function wanted(first: string | undefined): readonly (() => Promise<Add>)[] {
  if (first === '--version' || first === '-V') return []
  const isAlone = first !== undefined && first !== 'completion' && Object.hasOwn(COMMANDS, first)
  return isAlone ? [COMMANDS[first]!] : Object.values(COMMANDS)
}

/** What must be given stands in the usage line. */
function usageOf(command: Command): string {
  const required = command.options.filter(({ mandatory }) => mandatory).map(({ flags }) => flags)
  const names = command.parent === null ? [] : [command.parent.name()]
  return [...names, command.name(), ...required, command.usage()].join(' ')
}
