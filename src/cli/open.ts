// `noisecap open`: a sealed file, or standard input, for whoever has the key; or a part of it. Output to a file appears under its
// name only when all of it proved authentic. Leaves out what is accepted (sealing-parties.ts).
import type { FileHandle } from 'node:fs/promises'
import type { Command } from 'commander'
import { base64urlEncode } from '../bytes.js'
import {
  type Acceptance,
  openLog,
  openRange,
  openStream,
  type Provenance,
  SealReader,
  type StreamOpenOptions,
  streamOpener,
} from '../seal/index.js'
import { type Advance, openFile, optimizeCipher } from './file-chunks.js'
import { type Context, several } from './input.js'
import { outputFile, type SealOutput, standardOutput } from './output-file.js'
import { checkNotStopped, withProgress } from './progress.js'
import { counted, openInput, SEALED_SUFFIX } from './seal.js'
import { type AcceptOptions, readAcceptances, readAnyKey } from './sealing-parties.js'
import { UsageError } from './usage-error.js'

/** For its owner alone: it was secret until now. */
const OPENED_MODE = 0o600
/** Longest beginning of a stream: header, position and chunk size (spec/seal.md §8, §12), bytes. */
const BEGINNING_MAX_BYTES = 8_197

interface Options extends AcceptOptions {
  readonly key: string
  readonly output?: string
  readonly force?: true
  readonly context?: string
  readonly range?: string
  readonly log?: true
}

/** Who sealed the segments of what was opened. */
type Origins = readonly Provenance[]

/** Add the command to `program`. */
export function addOpen(program: Command, context: Context): Command {
  return program
    .command('open [file]')
    .description('open a sealed file, or standard input')
    .requiredOption('--key <file>', 'key file of the reader')
    .option('--passphrase-file <file>', 'passphrase of the key file')
    .option(
      '-o, --output <file>',
      'where to (default: <file> without .sealed; standard output for standard input; - is standard output)',
    )
    .option('--force', 'overwrite what is there')
    .option('--context <text>', 'what it was sealed for')
    .option('--range <bytes>', 'only from the first to the last byte of such as 0-99; 100- is the rest')
    .option('--log', 'read all segments of a log')
    .option(
      '--writer <key>',
      'public key of a writer that is accepted, and no other; may be repeated',
      several,
    )
    .option(
      '--object <path>',
      'object of capabilities that are accepted, and no other; may be repeated',
      several,
    )
    .option('--revocations <file>', 'revocation file of the service (default: <key file>.revoked)')
    .action(async (file: string | undefined, options: Options) => {
      await openSealed(context, file === '-' ? undefined : file, options)
    })
}

async function openSealed(context: Context, file: string | undefined, options: Options): Promise<void> {
  optimizeCipher(context.io)
  const range = options.range === undefined ? undefined : readRange(options.range)
  if (range !== undefined && (file === undefined || options.log)) {
    throw new UsageError('Cannot open range: expected a file of one segment, got standard input or a log')
  }
  const { pair, service } = await readAnyKey(options.key, options)
  using _key = service ?? pair
  await using accepted = await readAcceptances(service, options)
  await using input = file === undefined ? undefined : await openInput(file, 'open')
  using reader = new SealReader({ keys: pair, accept: accepted.accept })
  const stop = context.io.stopSignal()
  await using output = await outputOf(context, file, options)
  const how: StreamOpenOptions = { context: options.context }
  const job = { context, input, reader, how, output, stop }
  const from =
    range !== undefined
      ? await openPart({ ...job, advance: () => undefined }, range)
      : await withProgress(context, 'opening', input, stop, (advance) =>
          openAll({ ...job, advance }, options.log === true),
        )
  checkNotStopped(stop)
  await output.commit()
  if (output.path !== undefined) {
    context.output.result([], { file: output.path, from: from.map(originJson) })
    context.output.note(`opened into ${output.path}`)
  }
  for (const text of new Set(from.map(originText))) context.output.note(text)
}

interface Job {
  readonly context: Context
  readonly input: FileHandle | undefined
  readonly reader: SealReader<Acceptance>
  readonly how: StreamOpenOptions
  readonly output: SealOutput
  readonly advance: Advance
  readonly stop: AbortSignal
}

async function openPart(
  { input, reader, how, output }: Job,
  range: { readonly start: number; readonly end: number },
): Promise<Origins> {
  const stream = await openRange(input!, reader, range, how) // a range is of a file
  for await (const piece of stream) await output.write([piece])
  return [stream.from]
}

async function openAll(job: Job, isLog: boolean): Promise<Origins> {
  const { input, context, reader, how, output } = job
  if (input !== undefined && (await input.stat()).isFile()) return openRegular(job, input, isLog)
  const source = counted(
    input?.createReadStream({ autoClose: false }) ?? context.io.stdin,
    job.advance,
    job.stop,
  )
  if (!isLog) {
    const stream = await openStream(source, reader, { ...how, lend: true })
    for await (const piece of stream) await output.write([piece])
    return [stream.from]
  }
  const from: Provenance[] = []
  for await (const segment of openLog(source, reader, { ...how, lend: true })) {
    for await (const piece of segment) await output.write([piece])
    from.push(segment.from)
  }
  return from
}

/** A file that can be read anywhere: the quick way. */
async function openRegular(
  { reader, how, output, advance }: Job,
  input: FileHandle,
  isLog: boolean,
): Promise<Origins> {
  const from: Provenance[] = []
  const { size } = await input.stat()
  let after: Uint8Array | undefined
  let position = 0
  do {
    const beginning = new Uint8Array(BEGINNING_MAX_BYTES)
    const { bytesRead } = await input.read(beginning, 0, BEGINNING_MAX_BYTES, position)
    using opener = streamOpener(reader, beginning.subarray(0, bytesRead), { ...how, after })
    from.push(opener.from)
    position = await openFile(input, position + opener.preludeBytes, opener, output, advance)
    after = opener.tail
    if (!isLog && position < size) {
      throw new UsageError(
        'Cannot open: expected the end of the file after the last chunk, got further bytes',
        'If it is a log to which segments were appended, open it with --log',
      )
    }
  } while (position < size)
  return from
}

async function outputOf(context: Context, file: string | undefined, options: Options): Promise<SealOutput> {
  const path = options.output ?? defaultOutput(file)
  if (path === '-') return standardOutput(context, true)
  return outputFile(path, { force: options.force === true, mode: OPENED_MODE })
}

function defaultOutput(file: string | undefined): string {
  if (file === undefined) return '-'
  if (file.endsWith(SEALED_SUFFIX) && file.length > SEALED_SUFFIX.length)
    return file.slice(0, -SEALED_SUFFIX.length)
  throw new UsageError(
    `Cannot open ${file}: expected a name that ends in ${SEALED_SUFFIX}, or --output`,
    'Name a file with --output; - is standard output',
  )
}

/** First and last byte, as in `0-99`, or `100-`. */
function readRange(text: string): { readonly start: number; readonly end: number } {
  const [, first, last] = /^(\d{1,15})-(\d{0,15})$/.exec(text) ?? []
  const start = Number(first)
  const end = last === undefined || last === '' ? Number.MAX_SAFE_INTEGER : Number(last) + 1
  if (first !== undefined && start < end) return { start, end }
  throw new UsageError('Cannot read --range: expected the first and the last byte, such as 0-99 or 100-')
}

function originText(from: Provenance): string {
  const { pattern } = from
  const who = 'writer' in from ? `by the writer ${base64urlEncode(from.writer)}` : 'by nobody in particular'
  const under = 'capability' in from ? `, under a capability for ${from.capability.grant.object}` : ''
  return `sealed ${who}${under} (pattern ${pattern})`
}

function originJson(from: Provenance): Record<string, unknown> {
  return {
    pattern: from.pattern,
    ...('writer' in from && { writer: base64urlEncode(from.writer) }),
    ...('capability' in from && { object: from.capability.grant.object, ids: from.capability.ids }),
  }
}
