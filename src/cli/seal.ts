// `noisecap seal`: a file, or standard input, sealed to readers. Leaves out who they are (sealing-parties.ts) and where the bytes
// go (output-file.ts).
import { existsSync } from 'node:fs'
import { type FileHandle, open, unlink } from 'node:fs/promises'
import { type Command, Option } from 'commander'
import { base64urlEncode } from '../bytes.js'
import { readTail, SealWriter, type StreamSealOptions, sealStream, streamSealer } from '../seal/index.js'
import { untilAborted } from '../until-aborted.js'
import { type Advance, optimizeCipher, sealFile } from './file-chunks.js'
import { type Context, several } from './input.js'
import { fileError, outputFile, type SealOutput, standardOutput, writeAll } from './output-file.js'
import { checkNotStopped, withProgress } from './progress.js'
import { type KeyOptions, type ReaderOptions, readIdentity, readReaders } from './sealing-parties.js'
import { UsageError } from './usage-error.js'

/** What is added to the name of a sealed file. */
export const SEALED_SUFFIX = '.sealed'
const SEALED_MODE = 0o666

interface Options extends ReaderOptions, KeyOptions {
  readonly output?: string
  readonly append?: true
  readonly force?: true
  readonly context?: string
  readonly pattern?: 'X' | 'K'
}

/** Add the command to `program`. */
export function addSeal(program: Command, context: Context): Command {
  return program
    .command('seal [file]')
    .description('seal a file, or standard input, so that its readers alone can open it')
    .option('-r, --reader <reader>', 'public key, or a capability for seal; may be repeated', several)
    .option('-R, --readers-file <file>', 'file with one reader a line; may be repeated', several)
    .option(
      '-o, --output <file>',
      'where to (default: <file>.sealed; standard output for standard input; - is standard output)',
    )
    .option('--append', 'add a segment to the log that --output names')
    .option('--force', 'overwrite what is there')
    .option('--context <text>', 'what it is for: it opens for nothing else')
    .option('--key <file>', 'key file of the writer, whom readers then learn')
    .addOption(
      new Option('--pattern <name>', 'X carries the key of the writer; K is for readers who know it').choices(
        ['X', 'K'],
      ),
    )
    .option('--passphrase-file <file>', 'passphrase of the key file')
    .action(async (file: string | undefined, options: Options) => {
      await seal(context, file === '-' ? undefined : file, options)
    })
}

async function seal(context: Context, file: string | undefined, options: Options): Promise<void> {
  optimizeCipher(context.io)
  const to = await readReaders(context, options)
  const as = await readIdentity(options)
  using _own = as.pattern === 'N' ? undefined : as.key
  using writer = new SealWriter({ to, as })
  await using input = file === undefined ? undefined : await openInput(file, 'seal')
  const path = options.output ?? (file === undefined ? '-' : `${file}${SEALED_SUFFIX}`)
  const stop = context.io.stopSignal()
  await using log = options.append ? await LogOutput.open(path, options) : undefined
  await using output =
    log ??
    (path === '-'
      ? standardOutput(context, false)
      : await outputFile(path, { force: options.force === true, mode: SEALED_MODE }))
  const how: StreamSealOptions = { context: options.context, after: log?.after }
  const done = await withProgress(context, 'sealing', input, stop, (advance) =>
    sealInto({ context, input, writer, how, output, advance, stop }),
  )
  checkNotStopped(stop)
  await output.commit()
  if (output.path === undefined) return
  context.output.result([], { file: output.path, bytes: done.bytes, tail: base64urlEncode(done.tail) })
  context.output.note(`sealed ${done.bytes} bytes into ${output.path}`)
}

async function sealInto({
  context: { io },
  input,
  writer,
  how,
  output,
  advance,
  stop,
}: {
  readonly context: Context
  readonly input: FileHandle | undefined
  readonly writer: SealWriter
  readonly how: StreamSealOptions
  readonly output: SealOutput
  readonly advance: Advance
  readonly stop: AbortSignal
}): Promise<{ readonly bytes: number; readonly tail: Uint8Array }> {
  let bytes = 0
  const count: Advance = (more) => {
    bytes += more
    advance(more)
  }
  if (input !== undefined && (await input.stat()).isFile()) {
    using sealer = streamSealer(writer, how)
    await sealFile(input, sealer, output, count)
    return { bytes, tail: sealer.tail! } // it has been finished
  }
  const source = counted(input?.createReadStream({ autoClose: false }) ?? io.stdin, count, stop)
  const stream = sealStream(source, writer, { ...how, lend: true })
  for await (const piece of stream) await output.write([piece])
  return { bytes, tail: stream.tail! } // it has been read to its end
}

/** The pieces of a pipe, until the user asks to stop, also while none comes. */
export async function* counted(
  source: AsyncIterable<Uint8Array | string>,
  count: Advance,
  stop: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const pieces = source[Symbol.asyncIterator]()
  try {
    for (;;) {
      const { done, value: piece } = await untilAborted(pieces.next(), stop)
      checkNotStopped(stop)
      if (done === true) return
      const bytes = typeof piece === 'string' ? Buffer.from(piece) : piece
      count(bytes.length)
      yield bytes
    }
  } finally {
    pieces.return?.()?.catch(() => undefined) // a pipe that stays silent never answers
  }
}

/** A log that gets one more segment, or is as it was when that fails. */
class LogOutput implements SealOutput {
  readonly path: string
  /** Tail of its last segment; undefined where it is empty. */
  readonly after: Uint8Array | undefined
  readonly #file: FileHandle
  readonly #size: number
  readonly #isNew: boolean
  #committed = false
  #closed = false

  private constructor(
    path: string,
    file: FileHandle,
    size: number,
    isNew: boolean,
    after: Uint8Array | undefined,
  ) {
    this.path = path
    this.after = after
    this.#file = file
    this.#size = size
    this.#isNew = isNew
  }

  /** The log at `path`, made where there is none. */
  static async open(path: string, { output, force }: Options): Promise<LogOutput> {
    if (output === undefined || output === '-' || force)
      throw new UsageError('Cannot append: expected a log with --output, and no --force')
    const isNew = !existsSync(path)
    const file = await openOr(path, 'a+', 'append to')
    try {
      const { size } = await file.stat()
      const after = size === 0 ? undefined : (await readTail(file)).tail
      return new LogOutput(path, file, size, isNew, after)
    } catch (error) {
      await file.close()
      throw error
    }
  }

  write(parts: readonly Uint8Array[]): Promise<void> {
    return writeAll(this.#file, this.path, parts)
  }

  async commit(): Promise<void> {
    await this.#file.sync()
    this.#committed = true
  }

  /** May be called again: it is both the log and the output. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    if (!this.#committed) await this.#file.truncate(this.#size)
    await this.#file.close()
    if (!this.#committed && this.#isNew) await unlink(this.path)
  }
}

/** An input that is there and can be read. */
export async function openInput(path: string, action: string): Promise<FileHandle> {
  const file = await openOr(path, 'r', action)
  if (!(await file.stat()).isDirectory()) return file
  await file.close()
  throw new UsageError(`Cannot ${action} ${path}: it is a directory`)
}

async function openOr(path: string, flags: string, action: string): Promise<FileHandle> {
  try {
    return await open(path, flags)
  } catch (error) {
    throw fileError(action, path, error)
  }
}
