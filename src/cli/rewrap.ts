// `noisecap rewrap`: other readers for a sealed file, by one of its readers. Chunks pass as they are.
// Leaves out the headers (src/seal/rewrap.ts).
import type { Command } from 'commander'
import { Rewrapper, rewrapStream } from '../seal/index.js'
import { type Context, several } from './input.js'
import { outputFile, standardOutput } from './output-file.js'
import { checkNotStopped, withProgress } from './progress.js'
import { openInput } from './seal.js'
import { type KeyOptions, readAnyKey, readPublicKeys } from './sealing-parties.js'
import { UsageError } from './usage-error.js'

const SEALED_MODE = 0o666

interface Options extends KeyOptions {
  readonly key: string
  readonly reader?: readonly string[]
  readonly dropOwn?: true
  readonly output?: string
  readonly inPlace?: true
  readonly force?: true
}

/** Add the command to `program`. */
export function addRewrap(program: Command, context: Context): Command {
  return program
    .command('rewrap <file>')
    .description('seal a sealed file of pattern N to other readers, without opening it')
    .requiredOption('--key <file>', 'key file of one of its readers')
    .option('--passphrase-file <file>', 'passphrase of the key file')
    .option('-r, --reader <key>', 'public key of a reader to add; may be repeated', several)
    .option('--drop-own', 'leave out the reader of the key file')
    .option('-o, --output <file>', 'where to; - is standard output')
    .option('--in-place', 'replace the file itself, in one step')
    .option('--force', 'overwrite what is there')
    .action(async (file: string, options: Options) => {
      await rewrap(context, file, options)
    })
}

async function rewrap(context: Context, file: string, options: Options): Promise<void> {
  const { reader = [], dropOwn = false, output: named, inPlace = false, force = false } = options
  if ((named !== undefined) === inPlace)
    throw new UsageError('Cannot rewrap: expected either --output or --in-place')
  if (reader.length === 0 && !dropOwn)
    throw new UsageError('Cannot rewrap: expected a reader to add, or --drop-own', 'Add one with --reader')
  const add = readPublicKeys(reader, '--reader')
  const { pair } = await readAnyKey(options.key, options)
  using key = pair
  await using input = await openInput(file, 'rewrap')
  const path = named ?? file
  const stop = context.io.stopSignal()
  await using output =
    path === '-'
      ? standardOutput(context, false)
      : await outputFile(path, { force: force || inPlace, mode: SEALED_MODE })
  const rewrapper = new Rewrapper({ key, add, dropOwn })
  await withProgress(context, 'rewrapping', input, stop, async (advance) => {
    for await (const piece of rewrapStream(input.createReadStream({ autoClose: false }), rewrapper)) {
      await output.write([piece])
      advance(piece.length)
    }
  })
  checkNotStopped(stop)
  await output.commit()
  if (output.path === undefined) return
  context.output.result([], { file: output.path })
  context.output.note(`rewrapped into ${output.path}`)
}
