// `noisecap resolve`: where connect would dial, and who said so. Takes a capability, since the key hash alone does not open
// location records: they are sealed under the public key. Leaves out the order of resolvers (src/resolve/resolver.ts).
import type { Command } from 'commander'
import { NoisecapError } from '../errors.js'
import { hintResolver, resolveFirst } from '../resolve/index.js'
import { addDirectoryOptions, type DirectoryOptions, directories } from './directories.js'
import { type Context, readCapability } from './input.js'

interface Options extends DirectoryOptions {
  readonly capabilityFile?: string
  readonly hints: boolean
}

/** Add the command to `program`. */
export function addResolve(program: Command, context: Context): Command {
  return addDirectoryOptions(program.command('resolve [capability]'))
    .description('print the locations of the service of a capability, and who was asked')
    .option('--capability-file <file>', 'read the capability from this file; - is standard input')
    .option('--no-hints', 'pass over the locations in the capability itself')
    .action(async (argument: string | undefined, { capabilityFile, hints, ...where }: Options) => {
      using capability = await readCapability(context, { argument, capabilityFile })
      const useHints = hints && capability.locations.length > 0
      const resolvers = directories(context, where)
      if (useHints) resolvers.unshift(hintResolver(capability.locations))
      const { publicKey, keyHash } = capability
      const answer = await resolveFirst(resolvers, keyHash, { publicKey })
      const asked = answer.asked.map(({ resolver, outcome, error }) => ({
        resolver,
        outcome,
        ...(error instanceof NoisecapError && { reason: error.message }),
      }))
      const lines = answer.locations.map(({ uri }) => uri)
      context.output.result(lines, { keyHash, resolver: answer.resolver, locations: answer.locations, asked })
      for (const { resolver, outcome, reason } of asked) {
        context.output.note(`asked ${resolver}: ${outcome}${reason === undefined ? '' : ` (${reason})`}`)
      }
    })
}
