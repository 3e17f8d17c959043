// The links of a capability as `inspect` draws them and `revoke` names them: what each means in words, its id as far as
// somebody knows it, and what else ends with it. A holder knows the id of the last link only (spec/capability.md §8).
// Leaves out asking the service's key (authority.ts) and the drawing (inspect.ts).
import type { Capability, CaveatView } from '../capability/index.js'

/** One link: 0 is the grant, each further one a caveat. */
export interface Link {
  readonly link: number
  readonly type: 'grant' | CaveatView['type']
  /** What it says, in words. */
  readonly meaning: string
  /** Whether it denies at this time, as an expiry in the past does. */
  readonly denies: boolean
  /** Left out where it is not known. */
  readonly id?: string | undefined
}

const RELATIVE = new Intl.RelativeTimeFormat('en')
const UNITS = [
  ['year', 31_557_600],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
] as const

/** All links of `capability`.
 * @param ids - those of all links, from the service; without, those that a holder knows.
 * @param now - Unix seconds. */
export function linksOf(capability: Capability, ids: readonly string[] | undefined, now: number): Link[] {
  const last = capability.caveats.length
  const own = capability.ids()
  const idOf = (link: number): string | undefined => {
    if (ids !== undefined) return ids[link]
    if (link === last && !capability.final) return own.at(-1)
    return link === 0 && capability.kid === 0 ? own[0] : undefined
  }
  const grant: Link = {
    link: 0,
    type: 'grant',
    meaning: grantMeaning(capability),
    denies: false,
    id: idOf(0),
  }
  const caveats = capability.caveats.map((caveat, index): Link => {
    const link = index + 1
    return { link, type: caveat.type, ...caveatMeaning(caveat, now), id: idOf(link) }
  })
  return [grant, ...caveats]
}

/** What ends with link `chosen`, and what does not, in words. */
export function consequences(capability: Capability, chosen: number): string {
  const last = capability.caveats.length
  const lives =
    chosen === 0
      ? ''
      : `; ${chosen === 1 ? 'link 0' : `links 0 to ${chosen - 1}`} and what else was narrowed from there live on`
  if (chosen === 0) {
    const of = capability.object === undefined ? 'this pair' : `this grant of ${capability.object}`
    return `it ends every capability of ${of}: the one first handed out, and all that was narrowed from it by anybody`
  }
  if (chosen < last)
    return `it ends this capability, the one that link ${chosen} made, and all others narrowed from that${lives}`
  const parent = capability.final ? ', the one that it was made final of' : ''
  return `it ends this capability${parent}, and all that was narrowed from it${lives}`
}

function grantMeaning({ kid, use, object }: Capability): string {
  if (kid === 0 || object === undefined)
    return 'pair registered by hand; what it is good for, only the service knows'
  return `${use} ${object}, minted under root ${kid}`
}

function caveatMeaning(
  caveat: CaveatView,
  now: number,
): { readonly meaning: string; readonly denies: boolean } {
  const always = (meaning: string) => ({ meaning, denies: false })
  switch (caveat.type) {
    case 'expires':
      return { meaning: `${time(caveat.at)}, ${relative(caveat.at - now)}`, denies: caveat.at <= now }
    case 'notBefore':
      return { meaning: `${time(caveat.at)}, ${relative(caveat.at - now)}`, denies: caveat.at > now }
    case 'methods':
      return always(`only ${caveat.methods.join(', ')}`)
    case 'holder':
      return always(`only with the client key behind commitment ${caveat.commitment.slice(0, 16)}…`)
    case 'patterns':
      return always(`only in handshakes ${caveat.patterns.join(', ')}`)
    case 'via':
      return always(`${JSON.stringify(caveat.label)} for the audit trail; proves nothing`)
    case 'claims':
      return always(`only if the service itself accepts ${claimsText(caveat.claims)}`)
    case 'object':
      return always(`stands for ${caveat.object} from here on, if the service wrote this itself`)
    case 'unknown':
      return always(`type ${caveat.code}, from a newer version: a service that does not know it denies`)
  }
}

/** Claims on one line. */
export function claimsText(claims: Capability['claims']): string {
  return Object.entries(claims)
    .map(([name, value]) => `${name} = ${JSON.stringify(value)}`)
    .join(', ')
}

/** A moment as ISO 8601, or as Unix seconds where that calendar ends. */
function time(unixSeconds: number): string {
  const date = new Date(unixSeconds * 1_000)
  if (Number.isNaN(date.getTime())) return `Unix second ${unixSeconds}`
  return date.toISOString().replace('.000Z', 'Z')
}

/** Such as `in 59 minutes` or `3 days ago`, cut off to whole units. */
function relative(seconds: number): string {
  const found = UNITS.find(([, size]) => Math.abs(seconds) >= size)
  const [unit, size] = found ?? (['second', 1] as const)
  return RELATIVE.format(Math.trunc(seconds / size), unit)
}
