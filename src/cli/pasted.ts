// Finding one capability in pasted text: a line of a log, a message of a chat, a shell history. Whoever revokes a leaked
// capability has it as it was found. Leaves out parsing it (src/capability/capability-uri.ts).
import { CAPABILITY_SCAN_PATTERN, Capability } from '../capability/index.js'
import { NoisecapError } from '../errors.js'
import { UsageError } from './usage-error.js'

/** Room for a page of a log; the search takes time with its square. */
export const PASTED_MAX_BYTES = 65_536

/** What was found. */
export interface Pasted {
  readonly capability: Capability
  /** Characters that stood around it, white space at both ends not counted. */
  readonly around: number
}

const REDACTED = /noisecap:\/\/[^\s#]*#\[redacted\]/

/** The one capability in `text`, which may stand there more than once.
 * @throws UsageError unless there is exactly one, `capability/malformed` for one that is damaged. */
export function findPasted(text: string): Pasted {
  const trimmed = text.trim()
  // A terminal may have broken it into lines: the checksum tells whether putting them together was right.
  const joined = trimmed.replaceAll(/\s+/g, '')
  const found = new Set(allMatches(trimmed).map(withoutMarkUp))
  if (found.size > 1) {
    throw new UsageError(
      `Cannot read capability: expected one in the text, got ${found.size} different ones`,
      'Give one at a time',
    )
  }
  for (const candidate of [...found, ...allMatches(joined)]) {
    const capability = parseOrUndefined(candidate)
    if (capability !== undefined) {
      return {
        capability,
        around: (trimmed.includes(candidate) ? trimmed : joined).length - candidate.length,
      }
    }
  }
  const [damaged] = found
  if (damaged !== undefined) Capability.parse(damaged) // throws, and says what is wrong
  throw nothingFound(trimmed)
}

function allMatches(text: string): string[] {
  return [...text.matchAll(new RegExp(CAPABILITY_SCAN_PATTERN, 'g'))].map(([match]) => match)
}

/** `_noisecap://…_` is emphasis in some chats, and `_` may also belong to the secret. */
function withoutMarkUp(match: string): string {
  const bare = match.replace(/[-_]+$/, '')
  return parseOrUndefined(match) === undefined && parseOrUndefined(bare) !== undefined ? bare : match
}

function parseOrUndefined(text: string): Capability | undefined {
  try {
    return Capability.parse(text)
  } catch (error) {
    if (error instanceof NoisecapError) return undefined
    throw error
  }
}

function nothingFound(text: string): Error {
  if (REDACTED.test(text)) {
    return new UsageError(
      'Cannot read capability: expected one with its secret, got the form that is shown in its place',
      'It names the service only; a capability is told from others by what follows the #',
    )
  }
  if (text.includes('noisecap:')) {
    return new NoisecapError(
      'capability/malformed',
      'Cannot read capability: expected noisecap://<key hash>…#<secret> within the text, got only a part of it',
    )
  }
  return new UsageError(
    `Cannot read capability: expected an id of 32 hexadecimal digits or a capability, got ${text.length} other characters`,
  )
}
