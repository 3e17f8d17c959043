// `noisecap inspect`: all that a capability says about itself, save for its secret, as a chain from the grant down. With the
// service's key file also all ids, whether each is revoked, and whether the chain is genuine.
// Offline: whether a service still honours it, only a session tells. Leaves out the words (links.ts).
import { existsSync } from 'node:fs'
import type { Command } from 'commander'
import { base64urlEncode } from '../bytes.js'
import type { Authenticated, Capability } from '../capability/index.js'
import { NoisecapError } from '../errors.js'
import {
  type AuthorityOptions,
  addAuthorityOptions,
  askKeyFile,
  madeUp,
  openRevocations,
  revocationPath,
} from './authority.js'
import { type Line, type Styled, styled } from './colour.js'
import { type Context, readCapability } from './input.js'
import { inspectSealed, isSealedFile } from './inspect-sealed.js'
import { claimsText, type Link, linksOf } from './links.js'
import { table } from './output.js'
import { UsageError } from './usage-error.js'

/** A link with what the revocation file says; undefined where its id or the file is not known. */
type InspectedLink = Link & { readonly revoked?: boolean | undefined }

/** What the service's files say. */
interface Findings {
  readonly links: readonly InspectedLink[]
  readonly genuine: boolean | undefined
  readonly revocations: string | undefined
  /** Why the key file does not know the capability. */
  readonly denied: NoisecapError | undefined
}

/** What may be shown of a capability, as JSON; `object`, `use` and `label` are left out where there is none. */
export function describeCapability(capability: Capability) {
  const { keyHash, publicKey, kid, object, use, label, locations, claims, caveats, final } = capability
  const about = { keyHash, publicKey: base64urlEncode(publicKey), kid, object, use, label, locations }
  return { ...about, claims: { ...claims }, caveats, ids: capability.ids(), final }
}

/** Add the command to `program`. */
export function addInspect(program: Command, context: Context): Command {
  const command = program
    .command('inspect [capability-or-file]')
    .description('draw the chain of a capability, never its secret, or what a sealed file tells everybody')
    .option('--capability-file <file>', 'read the capability from this file; - is standard input')
  return addAuthorityOptions(command).action(
    async (
      argument: string | undefined,
      options: AuthorityOptions & { readonly capabilityFile?: string },
    ) => {
      if (argument !== undefined && (await isSealedFile(argument))) {
        await inspectSealed(context, argument, options)
        return
      }
      if (argument !== undefined && !argument.includes('://')) throw neither(argument)
      using capability = await readCapability(context, { argument, capabilityFile: options.capabilityFile })
      const findings = await findOut(capability, options)
      const { denied, genuine, revocations, links } = findings
      const about = describeCapability(capability)
      const ids = genuine === undefined ? about.ids : links.map(({ id }) => id)
      context.output.result(draw(capability, findings), { ...about, ids, links, genuine, revocations })
      if (denied !== undefined) throw denied
      if (genuine === false) throw madeUp('vouch for capability', 'The ids are those of the genuine one')
    },
  )
}

/** @param argument - names no sealed file and is no capability; not quoted, since it may be a part of one. */
function neither(argument: string): UsageError {
  const file = existsSync(argument)
    ? 'the file of that name is not sealed'
    : `there is no file of that name, which has ${argument.length} characters`
  return new UsageError(
    `Cannot inspect: ${file}, and the name is no capability (noisecap://…)`,
    'A file that holds a capability is named with --capability-file',
  )
}

async function findOut(capability: Capability, options: AuthorityOptions): Promise<Findings> {
  let answer: Authenticated | undefined
  let denied: NoisecapError | undefined
  try {
    answer = await askKeyFile(capability, options)
  } catch (error) {
    if (!(error instanceof NoisecapError) || error.code !== 'capability/denied') throw error
    denied = error
  }
  const path = denied === undefined ? revocationPath(options) : undefined
  const links = linksOf(capability, answer?.ids, Date.now() / 1_000)
  const known = { genuine: answer?.genuine, denied, revocations: path }
  // A service that never ran has no such file yet; one that is named must be there.
  const mayBeMissing = options.revocations === undefined
  if (path === undefined || (mayBeMissing && !existsSync(path)))
    return { ...known, revocations: undefined, links }
  const hint = 'Name it with --revocations: it is <key file>.revoked unless serve was told otherwise'
  await using set = await openRevocations('inspect', path, false, hint)
  const revoked = (id: string | undefined) => (id === undefined ? undefined : set.has(id))
  return { ...known, links: links.map((link) => ({ ...link, revoked: revoked(link.id) })) }
}

function draw(capability: Capability, findings: Findings): Line[] {
  const { keyHash, publicKey, label, locations, final } = capability
  const rows: [string, string][] = [
    ['service', keyHash],
    ['public key', base64urlEncode(publicKey)],
  ]
  if (label !== undefined) rows.push(['label', label])
  for (const location of locations) rows.push(['location', location])
  rows.push(['final', final ? 'yes, it can be used and not narrowed' : 'no, whoever holds it can narrow it'])
  if (findings.genuine !== undefined)
    rows.push(['genuine', findings.genuine ? 'yes' : 'no, its secret is made up'])
  if (findings.revocations !== undefined) rows.push(['revoked', revokedText(findings.links)])
  const unknown = findings.links.some(({ id }) => id === undefined)
  return [
    ...table(rows),
    '',
    ...findings.links.flatMap((link, index) =>
      drawLink(capability, link, index === findings.links.length - 1),
    ),
    ...(unknown && findings.denied === undefined
      ? [[styled('dim', 'Ids of the other links are known to the service: name its key file with --key.')]]
      : []),
  ]
}

function revokedText(links: readonly InspectedLink[]): string {
  const revoked = links.filter((link) => link.revoked).map(({ link }) => link)
  if (revoked.length > 0) return `yes, at link ${revoked.join(', ')}`
  return links.some((link) => link.revoked === undefined) ? 'not at the links whose ids are known' : 'no'
}

/** One link, one line or more: what it says, then its id. */
function drawLink(capability: Capability, link: InspectedLink, isLast: boolean): Line[] {
  const branch = link.link === 0 ? (isLast ? '─' : '┌') : isLast ? '└' : '├'
  const stem = isLast ? ' ' : '│'
  const cell = (mark: string, name: string) => `${mark} ${name.padEnd(14)}`
  const meaning: string | Styled = link.denies ? styled('red', link.meaning) : link.meaning
  const lines: Line[] = [[cell(branch, `${link.link} ${link.type}`), meaning]]
  if (link.link === 0 && Object.keys(capability.claims).length > 0) {
    lines.push(`${cell(stem, '  claims')}${claimsText(capability.claims)}`)
  }
  if (link.id === undefined) return lines
  const state: (string | Styled)[] =
    link.revoked === undefined
      ? []
      : ['  ', link.revoked ? styled('red', 'revoked') : styled('green', 'not revoked')]
  return [...lines, [cell(stem, '  id'), styled('dim', link.id), ...state]]
}
