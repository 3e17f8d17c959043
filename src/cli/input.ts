// What commands read: capabilities (argument, file, NOISECAP or standard input), passphrases, keys, lists and durations.
// Errors name what was expected and never quote what may be secret. Leaves out JSON input (json-value.ts).
import { createReadStream } from 'node:fs'
import { base64urlDecode, hexDecode } from '../bytes.js'
import { Capability, durationSeconds, type Restrictions } from '../capability/index.js'
import { asPublicKey, type PublicKey } from '../crypto/index.js'
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
}

/** Options by which a user restricts a capability. */
export interface RestrictionOptions {
  readonly methods?: string
  readonly expiresIn?: string
  readonly holder?: string
  readonly via?: string
}

/** The capability that a command works on. */
export async function readCapability(context: Context, source: CapabilitySource): Promise<Capability> {
  return Capability.parse(await readCapabilityText(context, source))
}

/** Its text: the argument, else `--capability-file`, else NOISECAP, else standard input. The variable comes before
 * standard input because reading an open pipe that nobody writes to would wait for ever. */
export async function readCapabilityText(
  { io, output }: Context,
  { argument, capabilityFile }: CapabilitySource,
): Promise<string> {
  if (argument !== undefined) {
    if (looksLikeCapability(argument)) {
      output.warn(
        'the capability is an argument, which other users can see in the process list; use standard input, --capability-file or NOISECAP',
      )
    }
    return argument
  }
  if (capabilityFile !== undefined && capabilityFile !== '-') {
    return (await readTextFile(capabilityFile, 'capability file')).trim()
  }
  const variable = io.env['NOISECAP']
  if (capabilityFile === undefined && variable !== undefined && variable !== '') return variable
  const text = io.stdin.isTTY === true ? '' : (await collect(io.stdin, 'standard input')).trim()
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

/** Restrictions as the library takes them. */
export function readRestrictions({ methods, expiresIn, holder, via }: RestrictionOptions): Restrictions {
  return {
    ...(methods !== undefined && { methods: readNames(methods, '--methods') }),
    ...(expiresIn !== undefined && { expiresIn: readDuration(expiresIn, '--expires-in') }),
    ...(holder !== undefined && { holder: readPublicKey(holder) }),
    ...(via !== undefined && { via }),
  }
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

function readNames(text: string, option: string): readonly string[] {
  const names = text.split(',').map((name) => name.trim())
  if (names.every((name) => name !== '')) return names
  throw new UsageError(`Cannot read ${option}: expected names with commas between, got an empty one`)
}

function readPublicKey(text: string): PublicKey {
  try {
    return asPublicKey(/^[0-9a-fA-F]{64}$/.test(text) ? hexDecode(text) : base64urlDecode(text))
  } catch {
    throw new UsageError(
      `Cannot read --holder: expected a public key of 64 hexadecimal digits or 43 characters of base64url, got ${text.length} characters`,
      'noisecap keygen --client prints the public key of a new client key',
    )
  }
}

async function readTextFile(path: string, what: string): Promise<string> {
  try {
    return await collect(createReadStream(path), `${what} ${path}`)
  } catch (error) {
    if (error instanceof UsageError) throw error
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    const why = code === 'ENOENT' ? 'no such file or directory' : String(code ?? 'failed')
    throw new UsageError(`Cannot read ${what} ${path}: ${why}`)
  }
}

async function collect(chunks: AsyncIterable<Uint8Array | string>, what: string): Promise<string> {
  const parts: Buffer[] = []
  let length = 0
  for await (const chunk of chunks) {
    const part = Buffer.from(chunk)
    length += part.length
    if (length > INPUT_MAX_BYTES) {
      throw new UsageError(`Cannot read ${what}: expected at most ${INPUT_MAX_BYTES} bytes, got more`)
    }
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}
