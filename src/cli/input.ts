// What commands read: capabilities (argument, file, NOISECAP or standard input), passphrases and durations.
// Errors name what was expected and never quote what may be secret.
// Leaves out restrictions (restriction-options.ts), pasted text (pasted.ts) and JSON input (json-value.ts).
import { createReadStream } from 'node:fs'
import { Capability, durationSeconds } from '../capability/index.js'
import { CAPABILITY_TEXT_MAX_CHARS } from '../limits.js'
import type { Io } from './io.js'
import type { Output } from './output.js'
import { UsageError } from './usage-error.js'

/** Room for a capability and white space around it, or a passphrase; bytes. */
const INPUT_MAX_BYTES = 2 * CAPABILITY_TEXT_MAX_CHARS
const CAPABILITY_SCHEME = 'noisecap:'

/** What a command runs in. */
export interface Context {
  readonly io: Io
  readonly output: Output
}

/** Where a capability may come from. */
export interface CapabilitySource {
  readonly argument?: string | undefined
  readonly capabilityFile?: string | undefined
  /** What is read at most; default room for one capability and white space around it. */
  readonly maxBytes?: number
}

/** The capability that a command works on. */
export async function readCapability(context: Context, source: CapabilitySource): Promise<Capability> {
  const { argument } = source
  if (argument !== undefined && !argument.includes('://')) {
    throw new UsageError(
      `Cannot read capability: expected noisecap://…, got ${argument.length} other characters`,
      'A file that holds one is named with --capability-file',
    )
  }
  return Capability.parse(await readCapabilityText(context, source))
}

/** Its text: the argument, else `--capability-file`, else NOISECAP, else standard input. The variable comes before
 * standard input because reading an open pipe that nobody writes to would wait for ever. */
export async function readCapabilityText(
  { io, output }: Context,
  { argument, capabilityFile, maxBytes = INPUT_MAX_BYTES }: CapabilitySource,
): Promise<string> {
  if (argument !== undefined) {
    if (argument.includes(CAPABILITY_SCHEME)) {
      output.warn(
        'the capability is an argument, which other users can see in the process list; use standard input, --capability-file or NOISECAP',
      )
    }
    return argument
  }
  if (capabilityFile !== undefined && capabilityFile !== '-') {
    return (await readTextFile(capabilityFile, 'capability file', maxBytes)).trim()
  }
  const variable = io.env['NOISECAP']
  if (capabilityFile === undefined && variable !== undefined && variable !== '') return variable
  const text = io.stdin.isTTY === true ? '' : (await collect(io.stdin, 'standard input', maxBytes)).trim()
  if (text !== '') return text
  throw new UsageError(
    'Cannot read capability: expected one on standard input, got none',
    'Pipe it in, name a file with --capability-file, or set NOISECAP',
  )
}

/** Whether an argument is meant as a capability. */
export function looksLikeCapability(argument: string): boolean {
  return argument.trimStart().startsWith(CAPABILITY_SCHEME)
}

/** The passphrase in a file, without the line feed at its end; undefined without a file. */
export async function readPassphrase(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined
  const passphrase = (await readTextFile(path, 'passphrase file')).replace(/\r?\n$/, '')
  if (passphrase !== '') return passphrase
  throw new UsageError(`Cannot read passphrase file ${path}: expected at least one character, got none`)
}

/** Seconds of a duration such as `15m`. */
export function readDuration(text: string, option: string): number {
  try {
    return durationSeconds(text)
  } catch {
    throw new UsageError(
      `Cannot read ${option}: expected a whole number with a unit, such as 90s, 15m, 1h, 7d or 2w, got ${JSON.stringify(text)}`,
    )
  }
}

/** Collects a repeatable option. */
export function several(value: string, previous: readonly string[] | undefined): readonly string[] {
  return [...(previous ?? []), value]
}

/** The text of a small file.
 * @param what - for messages. */
export async function readTextFile(path: string, what: string, maxBytes = INPUT_MAX_BYTES): Promise<string> {
  try {
    return await collect(createReadStream(path), `${what} ${path}`, maxBytes)
  } catch (error) {
    if (error instanceof UsageError) throw error
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    const why = code === 'ENOENT' ? 'no such file or directory' : String(code ?? 'failed')
    throw new UsageError(`Cannot read ${what} ${path}: ${why}`)
  }
}

async function collect(
  chunks: AsyncIterable<Uint8Array | string>,
  what: string,
  maxBytes: number,
): Promise<string> {
  const parts: Buffer[] = []
  let length = 0
  for await (const chunk of chunks) {
    const part = Buffer.from(chunk)
    length += part.length
    if (length > maxBytes) {
      throw new UsageError(`Cannot read ${what}: expected at most ${maxBytes} bytes, got more`)
    }
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}
