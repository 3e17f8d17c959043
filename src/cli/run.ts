// One run of the command: arguments in, exit code out. 0 done, 1 the operation failed, 2 bad usage or malformed input.
// Every failure of every command ends here, as one error on standard error.
// Leaves out the commands, one file each.
import { Readable } from 'node:stream'
import { Command, CommanderError } from 'commander'
import { addAttenuate } from './attenuate.js'
import { addBox } from './box.js'
import { addCall } from './call.js'
import { type CommandNode, commandTree } from './command-tree.js'
import { addCompletion } from './completion.js'
import { addDoctor } from './doctor.js'
import { viewFailure } from './failure.js'
import type { Context } from './input.js'
import { addInspect } from './inspect.js'
import type { Io } from './io.js'
import { addKeygen } from './keygen.js'
import { addMint } from './mint.js'
import { addOpen } from './open.js'
import { Output } from './output.js'
import { addPublish } from './publish.js'
import { addReceive } from './receive.js'
import { addRelay } from './relay.js'
import { addResolve } from './resolve.js'
import { addRevoke } from './revoke.js'
import { addRewrap } from './rewrap.js'
import { addSeal } from './seal.js'
import { addSend } from './send.js'
import { addServe } from './serve.js'
import { packageVersion } from './version.js'

const COMMANDS = [
  addKeygen,
  addMint,
  addAttenuate,
  addInspect,
  addServe,
  addCall,
  addRevoke,
  addResolve,
  addPublish,
  addSeal,
  addOpen,
  addRewrap,
  addRelay,
  addBox,
  addSend,
  addReceive,
  addDoctor,
  addCompletion,
]

/** Run one command.
 * @param argv - arguments without the names of node and the script.
 * @returns the exit code; never rejects. */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  // Errors of parsing come before the option is known.
  const output = new Output(io, argv.includes('--json'))
  const program = createProgram({ io, output })
  try {
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
export function describeProgram(): CommandNode {
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
  }
  return commandTree(createProgram({ io: silent, output: new Output(silent, false) }))
}

function createProgram(context: Context): Command {
  const { io, output } = context
  const program = new Command('noisecap')
    .description('Capabilities over the Noise Protocol Framework: mint, narrow, serve, call, revoke, seal')
    .version(packageVersion())
    .configureHelp({ subcommandTerm: (command) => command.name(), commandUsage: usageOf })
    .exitOverride()
    .configureOutput({ writeOut: io.stdout, writeErr: io.stderr, outputError: () => undefined })
    .hook('preAction', (_program, command) => {
      output.json = command.opts()['json'] === true
    })
    .addHelpText('after', '\nA capability is read from standard input, --capability-file or NOISECAP.')
  for (const add of COMMANDS) add(program, context).option('--json', 'machine-readable output')
  return program
}

/** What must be given stands in the usage line. */
function usageOf(command: Command): string {
  const required = command.options.filter(({ mandatory }) => mandatory).map(({ flags }) => flags)
  const names = command.parent === null ? [] : [command.parent.name()]
  return [...names, command.name(), ...required, command.usage()].join(' ')
}
