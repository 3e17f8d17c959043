// `noisecap mint`: a capability from a service's key file, on standard output. Leaves out minting (src/capability/mint.ts).
import { type Command, Option } from 'commander'
import { readServiceKey } from '../capability/files.js'
import { mint, USES, type Use } from '../capability/index.js'
import { type Context, readPassphrase, several } from './input.js'
import { describeCapability } from './inspect.js'
import {
  addRestrictionOptions,
  type RestrictionOptions,
  readClaims,
  readRestrictions,
} from './restriction-options.js'

interface Options extends RestrictionOptions {
  readonly key: string
  readonly passphraseFile?: string
  readonly object: string
  readonly use: Use
  readonly claim?: readonly string[]
  readonly at?: readonly string[]
  readonly label?: string
}

/** Add the command to `program`. */
export function addMint(program: Command, { output }: Context): Command {
  const command = program
    .command('mint')
    .description('print a new capability for an object of the service')
    .requiredOption('--key <file>', 'key file of the service')
    .option('--passphrase-file <file>', 'passphrase of the key file')
    .requiredOption('--object <path>', 'path under which the service offers the object, such as notes/ada')
    .addOption(new Option('--use <use>', 'what it is good for').choices(USES).default('call'))
    .option('--claim <name=value>', 'what the service states for good; may be repeated', several)
  return addRestrictionOptions(command)
    .option('--at <location>', 'where the service listens; may be repeated', several)
    .option('--label <text>', 'name for people')
    .action(async (options: Options) => {
      const { object, use, claim = [], label, at } = options
      const restrictions = readRestrictions(options)
      const claims = readClaims(claim)
      const passphrase = await readPassphrase(options.passphraseFile)
      using key = await readServiceKey(options.key, { passphrase })
      using capability = mint(key, { object, use, claims }, restrictions, { label, locations: at })
      const text = capability.export()
      output.result([text], { capability: text, ...describeCapability(capability) })
    })
}
