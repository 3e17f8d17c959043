// Text of a revocation file: a first line, then one line a revocation, each with its own checksum; spec/capability.md §8.
// Made for several appending processes and crashes between any two bytes: a torn record is told from a damaged one.
// Pure. Leaves out files and watching (revocation-file.ts).
import { hexEncode, label, utf8 } from '../bytes.js'
import { sha256 } from './sha256.js'

/** First line of the file. */
export const LOG_HEADER = 'noisecap revocations v1\n'
/** Written after a torn record by whoever appends next: says that it was seen and that nothing is missing. */
export const TORN_MARK = '~torn~'

const CHECKSUM_LABEL = label('noisecap/v1 revocation')
const ID_CHARS = 32
const CHECKSUM_CHARS = 16
const RECORD = /^([0-9a-f]{32}) (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ) ([0-9a-f]{16})$/
/** Record without its line end, characters. */
const RECORD_CHARS = ID_CHARS + 1 + 20 + 1 + CHECKSUM_CHARS

/** A log that cannot be trusted; `line` counts from 1. */
export class DamagedLog extends Error {
  readonly line: number

  constructor(line: number) {
    super(`damaged in line ${line}`)
    this.line = line
  }

  override get name(): string {
    return 'DamagedLog'
  }
}

/** What a piece of the log says. */
export interface LogPiece {
  /** Ids in the order in which they were revoked, 32 hexadecimal digits each. */
  readonly ids: readonly string[]
  /** Records that a crash cut off; none of them was ever acknowledged. */
  readonly torn: number
  /** Line ends. */
  readonly lines: number
  /** Characters up to and including the last line end: where the next piece starts. */
  readonly consumed: number
  /** Whether an unfinished line follows, which may be torn or still being written. */
  readonly unfinished: boolean
}

/** One record with its line end.
 * @param id - 32 hexadecimal digits, lower case.
 * @param unixSeconds - when; for people only. */
export function encodeRecord(id: string, unixSeconds: number): string {
  const body = `${id} ${new Date(unixSeconds * 1000).toISOString().slice(0, 19)}Z`
  return `${body} ${checksum(body)}\n`
}

/** Read a piece of the log that starts at the start of a line.
 * @param firstLine - its number, for the error.
 * @param last - whether the file ends with this piece; otherwise what follows its last line end is left for the next one.
 * @throws {@link DamagedLog} when a line is neither a record nor what a crash leaves of one. */
export function decodeRecords(text: string, firstLine: number, last: boolean): LogPiece {
  const ids: string[] = []
  let torn = 0
  let start = 0
  let line = firstLine
  for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start), line++) {
    const found = decodeLine(text.slice(start, end), line)
    ids.push(...found.ids)
    torn += found.torn
    start = end + 1
  }
  const rest = text.slice(start)
  if (last) {
    // A record without its line end is whole: it counts, whether it will be finished or not.
    if (isRecord(unmarked(rest))) ids.push(rest.slice(0, ID_CHARS))
    else if (unmarked(rest).length >= RECORD_CHARS) throw new DamagedLog(line)
  } else if (start === 0) throw new DamagedLog(line)
  return { ids, torn, lines: line - firstLine, consumed: start, unfinished: rest !== '' }
}

/** A line holds a record. Before it may stand what a crash left of another, shorter than a record, since the process that
 * appended could not know; with the mark after it, such a remainder may also stand alone. */
function decodeLine(line: string, number: number): { ids: readonly string[]; torn: number } {
  const content = unmarked(line)
  const last = content.slice(-RECORD_CHARS)
  if (isRecord(last)) {
    const id = last.slice(0, ID_CHARS)
    const before = unmarked(content.slice(0, -RECORD_CHARS))
    if (before === '') return { ids: [id], torn: 0 }
    if (before.length < RECORD_CHARS) return { ids: [id], torn: 1 }
    if (isRecord(before)) return { ids: [before.slice(0, ID_CHARS), id], torn: 0 }
  } else if (line.includes(TORN_MARK) && content.length < RECORD_CHARS) {
    return { ids: [], torn: content === '' ? 0 : 1 }
  }
  throw new DamagedLog(number)
}

/** `line` without the marks at its end, the last of which a crash may have cut off too. */
function unmarked(line: string): string {
  return line.replace(/~[~torn]*$/, '')
}

function isRecord(text: string): boolean {
  const match = RECORD.exec(text)
  return match !== null && checksum(`${match[1]} ${match[2]}`) === match[3]
}

function checksum(body: string): string {
  return hexEncode(sha256(CHECKSUM_LABEL, utf8(body))).slice(0, CHECKSUM_CHARS)
}
