// `noisecap resolve`: where connect would dial, and who said so. Takes a capability, since the key hash alone does not open
// location records: they are sealed under the public key. Leaves out the order of resolvers (src/resolve/resolver.ts).
import type { Command } from 'commander'
import { defaultRegistryDirectory, FileRegistry } from '../resolve/file.js'
import { hintResolver, resolveFirst } from '../resolve/index.js'
import { type Context, readCapability } from './input.js'

interface Options {
  readonly capabilityFile?: string
  readonly hints: boolean
}

/** Add the command to `program`. */
export function addResolve(program: Command, context: Context): Command {
  return program
    .command('resolve [capability]')
    .description('print the locations of the service of a capability, and who was asked')
    .option('--capability-file <file>', 'read the capability from this file; - is standard input')
    .option('--no-hints', 'pass over the locations in the capability itself')
    .action(async (argument: string | undefined, { capabilityFile, hints }: Options) => {
      using capability = await readCapability(context, { argument, capabilityFile })
      const registry = new FileRegistry({ directory: defaultRegistryDirectory(context.io.env) })
      const useHints = hints && capability.locations.length > 0
      const resolvers = useHints ? [hintResolver(capability.locations), registry] : [registry]
      const { publicKey, keyHash } = capability
      const answer = await resolveFirst(resolvers, keyHash, { publicKey })
      const asked = answer.asked.map(({ resolver, outcome }) => ({ resolver, outcome }))
      const lines = answer.locations.map(({ uri }) => uri)
      context.output.result(lines, { keyHash, resolver: answer.resolver, locations: answer.locations, asked })
      for (const { resolver, outcome } of asked) context.output.note(`asked ${resolver}: ${outcome}`)
    })
}
