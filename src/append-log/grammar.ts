// Text of an append-only log: a first line, then records of one length, a line each, each with its own checksum
// (spec/capability.md §8, spec/session.md §4). Made for several appending processes and crashes between any two bytes: a
// torn record is told from a damaged one. Pure. Leaves out what records say, files and watching (log-file.ts).
import { hexEncode, label, utf8 } from '../bytes.js'
import { primitives } from '../crypto/index.js'

/** Written after a torn record by whoever appends next: says that it was seen and that nothing is missing. */
export const TORN_MARK = '~torn~'

const CHECK_CHARS = 16

/** What tells one kind of log from another. */
export interface LogFormat {
  /** First line, with its line end. */
  readonly header: string
  /** Label of the checksum, without its zero byte. */
  readonly checkLabel: string
  /** All that a record may say before its checksum; ASCII. */
  readonly body: RegExp
  /** Length of each body, characters. */
  readonly bodyChars: number
}

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
  /** Bodies of the records, in order. An unfinished but whole last one is here, and again in the piece that follows. */
  readonly bodies: readonly string[]
  /** Records that a crash cut off; none of them was ever acknowledged. */
  readonly torn: number
  /** Line ends. */
  readonly lines: number
  /** Characters up to and including the last line end: where the next piece starts. */
  readonly consumed: number
  /** Whether an unfinished line follows, which may be torn or still being written. */
  readonly unfinished: boolean
}

/** One record with its line end. */
export function encodeLine(format: LogFormat, body: string): string {
  return `${body} ${checksum(format, body)}\n`
}

/** A moment as records tell it, 20 characters; for people only. */
export function utcText(unixSeconds: number): string {
  return `${new Date(unixSeconds * 1000).toISOString().slice(0, 19)}Z`
}

/** Read a piece of the log that starts at the start of a line.
 * @param firstLine - its number, for the error.
 * @param last - whether the file ends with this piece; otherwise what follows its last line end is left for the next one.
 * @throws {@link DamagedLog} when a line is neither a record nor what a crash leaves of one. */
export function decodeLines(format: LogFormat, text: string, firstLine: number, last: boolean): LogPiece {
  const bodies: string[] = []
  let torn = 0
  let start = 0
  let line = firstLine
  for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start), line++) {
    const found = decodeLine(format, text.slice(start, end), line)
    bodies.push(...found.bodies)
    torn += found.torn
    start = end + 1
  }
  const rest = text.slice(start)
  if (last) {
    // A record without its line end is whole: it counts, whether it will be finished or not.
    if (isRecord(format, unmarked(rest))) bodies.push(bodyOf(format, rest))
    else if (unmarked(rest).length >= recordChars(format)) throw new DamagedLog(line)
  } else if (start === 0) throw new DamagedLog(line)
  return { bodies, torn, lines: line - firstLine, consumed: start, unfinished: rest !== '' }
}

/** A line holds a record. Before it may stand what a crash left of another, shorter than a record, since the process that
 * appended could not know; with the mark after it, such a remainder may also stand alone. */
function decodeLine(
  format: LogFormat,
  line: string,
  number: number,
): { bodies: readonly string[]; torn: number } {
  const chars = recordChars(format)
  const content = unmarked(line)
  const last = content.slice(-chars)
  if (isRecord(format, last)) {
    const body = bodyOf(format, last)
    const before = unmarked(content.slice(0, -chars))
    if (before === '') return { bodies: [body], torn: 0 }
    if (before.length < chars) return { bodies: [body], torn: 1 }
    if (isRecord(format, before)) return { bodies: [bodyOf(format, before), body], torn: 0 }
  } else if (line.includes(TORN_MARK) && content.length < chars) {
    return { bodies: [], torn: content === '' ? 0 : 1 }
  }
  throw new DamagedLog(number)
}

/** `line` without the marks at its end, the last of which a crash may have cut off too. */
function unmarked(line: string): string {
  return line.replace(/~[~torn]*$/, '')
}

function recordChars({ bodyChars }: LogFormat): number {
  return bodyChars + 1 + CHECK_CHARS
}

function bodyOf({ bodyChars }: LogFormat, record: string): string {
  return record.slice(0, bodyChars)
}

function isRecord(format: LogFormat, text: string): boolean {
  const body = bodyOf(format, text)
  return format.body.test(body) && text.slice(format.bodyChars) === ` ${checksum(format, body)}`
}

function checksum({ checkLabel }: LogFormat, body: string): string {
  const hash = primitives().hash('SHA256').hash(label(checkLabel), utf8(body))
  return hexEncode(hash).slice(0, CHECK_CHARS)
}
