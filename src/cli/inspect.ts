// `noisecap inspect`: all that a capability says about itself, save for its secret. Offline: whether the service still
// honours it, only a session tells.
import type { Command } from 'commander'
import { base64urlEncode } from '../bytes.js'
import type { Capability, CaveatView } from '../capability/index.js'
import { type Context, readCapability } from './input.js'
import { table } from './output.js'

/** What may be shown of a capability, as JSON; `object`, `use` and `label` are left out where there is none. */
export function describeCapability(capability: Capability) {
  const { keyHash, publicKey, kid, object, use, label, locations, claims, caveats, final } = capability
  const about = { keyHash, publicKey: base64urlEncode(publicKey), kid, object, use, label, locations }
  return { ...about, claims: { ...claims }, caveats, ids: capability.ids(), final }
}

/** Add the command to `program`. */
export function addInspect(program: Command, context: Context): Command {
  return program
    .command('inspect [capability]')
    .description('show what a capability says, never its secret')
    .option('--capability-file <file>', 'read the capability from this file; - is standard input')
    .action(async (argument: string | undefined, options: { readonly capabilityFile?: string }) => {
      using capability = await readCapability(context, { argument, ...options })
      const about = describeCapability(capability)
      context.output.result(describeForPeople(about), about)
    })
}

function describeForPeople(about: ReturnType<typeof describeCapability>): string[] {
  const unknown = 'known to the service only'
  const rows: [string, string][] = [
    ['key hash', about.keyHash],
    ['public key', about.publicKey],
    ['root', about.kid === 0 ? 'none, registered by hand' : String(about.kid)],
    ['object', about.object ?? unknown],
    ['use', about.use ?? unknown],
  ]
  if (about.label !== undefined) rows.push(['label', about.label])
  for (const location of about.locations) rows.push(['location', location])
  for (const [name, value] of Object.entries(about.claims)) rows.push(['claim', `${name} = ${quoted(value)}`])
  for (const caveat of about.caveats) rows.push(['caveat', describeCaveat(caveat)])
  for (const id of about.ids) rows.push(['id', id])
  rows.push(['final', about.final ? 'yes, it cannot be narrowed' : 'no'])
  return table(rows)
}

function describeCaveat(caveat: CaveatView): string {
  switch (caveat.type) {
    case 'expires':
      return `expires ${time(caveat.at)}${caveat.at * 1_000 <= Date.now() ? ' (past)' : ''}`
    case 'notBefore':
      return `not before ${time(caveat.at)}${caveat.at * 1_000 > Date.now() ? ' (to come)' : ''}`
    case 'methods':
      return `methods ${caveat.methods.join(', ')}`
    case 'holder':
      return `holder of the client key committed to by ${caveat.commitment}`
    case 'patterns':
      return `patterns ${caveat.patterns.join(', ')}`
    case 'via':
      return `via ${caveat.label}`
    case 'claims':
      return `claims ${Object.entries(caveat.claims)
        .map(([name, value]) => `${name} = ${quoted(value)}`)
        .join(', ')}`
    case 'unknown':
      return `unknown type ${caveat.code}, from a newer version`
  }
}

function quoted(value: string | number | boolean): string {
  return JSON.stringify(value)
}

/** A moment as ISO 8601, or as Unix seconds where that calendar ends. */
function time(unixSeconds: number): string {
  const date = new Date(unixSeconds * 1_000)
  return Number.isNaN(date.getTime()) ? `at Unix second ${unixSeconds}` : date.toISOString()
}
