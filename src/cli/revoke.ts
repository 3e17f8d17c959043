// `noisecap revoke`: end a capability, and all that was narrowed from it, by its id in a revocation file.
// A service that has the file open takes it in by itself. Leaves out the file (src/capability/revocation-file.ts).
import { access } from 'node:fs/promises'
import type { Command } from 'commander'
import { RevocationFile } from '../capability/files.js'
import { Capability } from '../capability/index.js'
import { type Context, looksLikeCapability, readCapabilityText } from './input.js'
import { UsageError } from './usage-error.js'

interface Options {
  readonly revocations: string
  readonly capabilityFile?: string
  readonly create?: true
}

/** Add the command to `program`. */
export function addRevoke(program: Command, context: Context): Command {
  return program
    .command('revoke [id-or-capability]')
    .description('revoke a capability and all that was narrowed from it')
    .requiredOption('--revocations <file>', 'revocation file of the service, usually <key file>.revoked')
    .option('--capability-file <file>', 'read the capability from this file; - is standard input')
    .option('--create', 'create the revocation file if it is missing')
    .action(async (argument: string | undefined, options: Options) => {
      const text = await readCapabilityText(context, { argument, capabilityFile: options.capabilityFile })
      const id = idOf(text)
      const file = options.revocations
      await using revocations = await openFile(file, options.create === true)
      await revocations.revoke(id)
      context.output.result([id], { revoked: id, file })
      context.output.note(`revoked in ${file}; the line above is the id`)
    })
}

/** A mistyped path must not look like a revocation that holds: a missing file is an error unless it shall be created. */
async function openFile(file: string, create: boolean): Promise<RevocationFile> {
  if (!create) {
    await access(file).catch(() => {
      throw new UsageError(
        `Cannot revoke: no such revocation file, or not readable: ${file}`,
        'Check the path: it is <key file>.revoked unless serve was told otherwise; --create makes a new one',
      )
    })
  }
  return RevocationFile.open(file, { create })
}

function idOf(text: string): string {
  if (/^[0-9a-fA-F]{32}$/.test(text)) return text.toLowerCase()
  if (!looksLikeCapability(text)) {
    throw new UsageError(
      `Cannot revoke: expected an id of 32 hexadecimal digits or a capability, got ${text.length} other characters`,
    )
  }
  using capability = Capability.parse(text)
  const id = capability.ids().at(-1)
  if (id !== undefined) return id
  throw new UsageError(
    'Cannot revoke: a final capability does not tell its ids',
    'Revoke the capability from which it was made, or its id',
  )
}
