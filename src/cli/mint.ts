// `noisecap mint`: a capability from a service's key file, on standard output. Leaves out minting (src/capability/mint.ts).
import type { Command } from 'commander'
import { readServiceKey } from '../capability/files.js'
import { mint } from '../capability/index.js'
import { type Context, type RestrictionOptions, readPassphrase, readRestrictions, several } from './input.js'
import { describeCapability } from './inspect.js'

interface Options extends RestrictionOptions {
  readonly key: string
  readonly passphraseFile?: string
  readonly object: string
  readonly at?: readonly string[]
  readonly label?: string
}

/** Add the command to `program`. */
export function addMint(program: Command, { output }: Context): Command {
  return program
    .command('mint')
    .description('print a new capability for an object of the service')
    .requiredOption('--key <file>', 'key file of the service')
    .option('--passphrase-file <file>', 'passphrase of the key file')
    .requiredOption('--object <path>', 'path under which the service offers the object, such as notes/ada')
    .option('--methods <names>', 'methods that may be called, with commas between')
    .option('--expires-in <duration>', 'life from now, such as 90s, 15m, 1h, 7d')
    .option('--holder <key>', 'public key of the one client that may use it, hexadecimal or base64url')
    .option('--via <text>', 'word for the audit trail')
    .option('--at <location>', 'where the service listens; may be repeated', several)
    .option('--label <text>', 'name for people')
    .action(async (options: Options) => {
      const restrictions = readRestrictions(options)
      const passphrase = await readPassphrase(options.passphraseFile)
      using key = await readServiceKey(options.key, { passphrase })
      const hints = { label: options.label, locations: options.at }
      using capability = mint(key, { object: options.object }, restrictions, hints)
      const text = capability.export()
      output.result([text], { capability: text, ...describeCapability(capability) })
    })
}
