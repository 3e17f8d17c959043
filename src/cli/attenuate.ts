// `noisecap attenuate`: a capability that may do less, offline. Leaves out the chain (src/capability/link.ts).
import type { Command } from 'commander'
import { type Context, type RestrictionOptions, readCapability, readRestrictions } from './input.js'
import { describeCapability } from './inspect.js'
import { UsageError } from './usage-error.js'

interface Options extends RestrictionOptions {
  readonly capabilityFile?: string
  readonly final?: true
}

/** Add the command to `program`. */
export function addAttenuate(program: Command, context: Context): Command {
  return program
    .command('attenuate [capability]')
    .description('print a capability that may do less than the given one')
    .option('--capability-file <file>', 'read the capability from this file; - is standard input')
    .option('--methods <names>', 'methods that remain callable, with commas between')
    .option('--expires-in <duration>', 'life from now, such as 90s, 15m, 1h, 7d')
    .option('--holder <key>', 'public key of the one client that may use it, hexadecimal or base64url')
    .option('--via <text>', 'word for the audit trail')
    .option('--final', 'nobody can narrow it any further')
    .action(async (argument: string | undefined, options: Options) => {
      const restrictions = readRestrictions(options)
      const narrows = Object.keys(restrictions).length > 0
      if (!narrows && !options.final) {
        throw new UsageError(
          'Cannot narrow capability: expected --methods, --expires-in, --holder, --via or --final, got none of them',
        )
      }
      using given = await readCapability(context, { argument, capabilityFile: options.capabilityFile })
      using narrowed = narrows ? given.attenuate(restrictions) : given.withLabel(given.label)
      using result = options.final ? narrowed.finalize() : narrowed.withLabel(narrowed.label)
      const text = result.export()
      context.output.result([text], { capability: text, ...describeCapability(result) })
    })
}
