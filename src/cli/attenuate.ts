// `noisecap attenuate`: a capability that may do less, offline. Leaves out the chain (src/capability/link.ts).
import type { Command } from 'commander'
import { type Context, readCapability, several } from './input.js'
import { describeCapability } from './inspect.js'
import {
  addRestrictionOptions,
  type RestrictionOptions,
  readClaims,
  readRestrictions,
} from './restriction-options.js'
import { UsageError } from './usage-error.js'

interface Options extends RestrictionOptions {
  readonly capabilityFile?: string
  readonly claim?: readonly string[]
  readonly final?: true
}

/** Add the command to `program`. */
export function addAttenuate(program: Command, context: Context): Command {
  const command = program
    .command('attenuate [capability]')
    .description('print a capability that may do less than the given one')
    .option('--capability-file <file>', 'read the capability from this file; - is standard input')
  return addRestrictionOptions(command)
    .option('--claim <name=value>', 'condition that the service judges itself; may be repeated', several)
    .option('--final', 'nobody can narrow it any further')
    .action(async (argument: string | undefined, options: Options) => {
      const { claim, final = false } = options
      const restrictions = {
        ...readRestrictions(options),
        ...(claim !== undefined && { claims: readClaims(claim) }),
      }
      const narrows = Object.keys(restrictions).length > 0
      if (!narrows && !final) {
        throw new UsageError(
          'Cannot narrow capability: expected a restriction, such as --methods or --expires-in, or --final, got none',
          'noisecap help attenuate lists them',
        )
      }
      using given = await readCapability(context, { argument, capabilityFile: options.capabilityFile })
      using narrowed = narrows ? given.attenuate(restrictions) : given.withLabel(given.label)
      using result = final ? narrowed.finalize() : narrowed.withLabel(narrowed.label)
      const text = result.export()
      context.output.result([text], { capability: text, ...describeCapability(result) })
    })
}
