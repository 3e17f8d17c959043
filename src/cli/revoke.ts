// `noisecap revoke`: end a capability, and all that was narrowed from it, in a revocation file. Takes an id, or a capability
// as it was found, text around it included. A service that has the file open takes it in by itself.
// Leaves out finding it in a text (pasted.ts) and the file (src/capability/revocation-file.ts).
import type { Command } from 'commander'
import type { Capability } from '../capability/index.js'
import {
  type AuthorityOptions,
  addAuthorityOptions,
  askKeyFile,
  madeUp,
  openRevocations,
  revocationPath,
} from './authority.js'
import { type Context, readCapabilityText } from './input.js'
import { consequences, type Link, linksOf } from './links.js'
import { findPasted, PASTED_MAX_BYTES } from './pasted.js'
import { UsageError } from './usage-error.js'

interface Options extends AuthorityOptions {
  readonly capabilityFile?: string
  readonly link?: string
  readonly grant?: true
  readonly force?: true
  readonly create?: true
}

/** What to revoke. */
interface Target {
  readonly id: string
  /** What to tell people, in this order. */
  readonly notes: readonly string[]
  /** What to tell programs. */
  readonly machine: object
  /** Ids of the links above, outermost first, as far as they are known. */
  readonly above: readonly Link[]
}

const ID = /^[0-9a-fA-F]{32}$/

/** Add the command to `program`. */
export function addRevoke(program: Command, context: Context): Command {
  const command = program
    .command('revoke [id-or-capability]')
    .description('revoke a capability, also a leaked one, and all that was narrowed from it')
    .option('--capability-file <file>', 'read it from this file, in any text; - is standard input')
  return addAuthorityOptions(command)
    .option('--link <number-or-id>', 'revoke from this link of the capability down (default: its last)')
    .option('--grant', 'revoke from the grant down, the same as --link 0')
    .option('--force', 'also where the secret is made up: revokes the genuine one in its place')
    .option('--create', 'create the revocation file if it is missing')
    .action(async (argument: string | undefined, options: Options) => {
      const file = revocationPath(options)
      if (file === undefined) {
        throw new UsageError(
          'Cannot revoke: expected --key or --revocations, got neither',
          'Run noisecap --help, or noisecap help revoke',
        )
      }
      const { capabilityFile } = options
      const source = { argument, capabilityFile, maxBytes: PASTED_MAX_BYTES }
      const target = await targetOf((await readCapabilityText(context, source)).trim(), options)
      await revoke(context, file, target, options.create === true)
    })
}

async function revoke({ output }: Context, file: string, target: Target, create: boolean): Promise<void> {
  const hint =
    'Check the path: it is <key file>.revoked unless serve was told otherwise; --create makes a new one'
  await using revocations = await openRevocations('revoke', file, create, hint)
  const already = revocations.has(target.id)
  const above = target.above.find(({ id }) => id !== undefined && revocations.has(id))
  await revocations.revoke(target.id)
  output.result([target.id], { revoked: target.id, file, already, ...target.machine })
  if (already) output.note(`it was revoked in ${file} before, nothing changed`)
  else output.note(`revoked in ${file}; the line above is the id`)
  for (const note of target.notes) output.note(note)
  if (above !== undefined)
    output.note(`link ${above.link} above it was revoked before, so that it had ended already`)
}

async function targetOf(text: string, options: Options): Promise<Target> {
  if (!ID.test(text)) return capabilityTarget(text, options)
  if (options.link !== undefined || options.grant || options.force) {
    throw new UsageError('Cannot revoke: expected a capability with --link, --grant or --force, got an id')
  }
  return { id: text.toLowerCase(), notes: [], machine: {}, above: [] }
}

async function capabilityTarget(text: string, options: Options): Promise<Target> {
  const { capability: found, around } = findPasted(text)
  using capability = found
  const answer = await askKeyFile(capability, options)
  if (answer?.genuine === false && !options.force) {
    throw madeUp(
      'revoke',
      'Somebody may want to end what another one holds; --force revokes the genuine capability of this grant and these caveats',
    )
  }
  const links = linksOf(capability, answer?.ids, Date.now() / 1_000)
  const chosen = chooseLink(links, options)
  const notes = [
    ...(around > 0 ? [`found one capability, among ${around} other characters`] : []),
    ...(answer?.genuine === false
      ? ['its secret is made up; the genuine capability in its place was revoked']
      : []),
    ...(answer === undefined ? [uncheckedNote(capability, options)] : []),
    `link ${chosen.link} (${chosen.type}) of links 0 to ${links.length - 1}: ${consequences(capability, chosen.link)}`,
  ]
  const machine = { link: chosen.link, links: links.length, genuine: answer?.genuine, around }
  return { id: chosen.id, notes, machine, above: links.slice(0, chosen.link) }
}

function uncheckedNote({ kid }: Capability, { key }: Options): string {
  if (key !== undefined && kid === 0)
    return 'not checked: its pair was registered by hand, and no key file holds it'
  return 'not checked whether it is genuine: that takes the key file of the service (--key)'
}

/** The link that the options name, which must have a known id. */
function chooseLink(links: readonly Link[], { link: named, grant }: Options): Link & { readonly id: string } {
  if (named !== undefined && grant)
    throw new UsageError('Cannot revoke: expected --link or --grant, got both')
  const last = links.length - 1
  const wanted = grant ? '0' : (named ?? String(last))
  const chosen = links.find(({ link, id }) => String(link) === wanted || id === wanted.toLowerCase())
  if (chosen === undefined) {
    throw new UsageError(
      `Cannot revoke: expected a link from 0 to ${last}, or the id of one of them`,
      'noisecap inspect shows the links, and with --key all of their ids',
    )
  }
  const { id } = chosen
  if (id !== undefined) return { ...chosen, id }
  throw new UsageError(
    chosen.link === last
      ? 'Cannot revoke: a final capability does not tell its ids'
      : `Cannot revoke: only the service can tell the id of link ${chosen.link}`,
    'Name the key file of the service with --key, which computes all ids',
  )
}
