// A progress bar at a terminal, on standard error; nothing anywhere else. Leaves out what progresses.
import type { FileHandle } from 'node:fs/promises'
import type { SingleBar } from 'cli-progress'
import type { Context } from './input.js'

const UNIT_NAMES = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const
const UNIT = 1_024
const NEVER = new AbortController().signal

/** What draws, loaded where something is drawn. */
type Bar = typeof SingleBar | undefined

async function loadBar({ io, output }: Context): Promise<Bar> {
  return io.progress === undefined || output.json ? undefined : (await import('cli-progress')).SingleBar
}

/** Draws how far a file has come. */
class Progress implements Disposable {
  readonly #bar: SingleBar | undefined
  readonly #stop: AbortSignal
  #done = 0

  /** @param total - bytes; undefined where nobody knows, as with a pipe: then nothing is drawn.
   * @param stop - aborted when the user wants no more. */
  constructor(bar: Bar, { io }: Context, action: string, total: number | undefined, stop: AbortSignal) {
    this.#stop = stop
    if (bar === undefined || io.progress === undefined || total === undefined || total === 0) return
    this.#bar = new bar({
      stream: io.progress,
      format: `${action} [{bar}] {percentage}% {value} of {total} {eta_formatted} left`,
      formatValue: (value, _options, type) =>
        type === 'value' || type === 'total' ? sizeText(value) : `${value}`,
      clearOnComplete: true,
      hideCursor: true,
      etaBuffer: 50,
    })
    this.#bar.start(total, 0)
  }

  /** `bytes` more are done.
   * @throws an error once the user has asked to stop. */
  advance(bytes: number): void {
    checkNotStopped(this.#stop)
    this.#done += bytes
    this.#bar?.update(this.#done)
  }

  [Symbol.dispose](): void {
    this.#bar?.stop()
  }
}

/** Run `work` with a progress bar for the bytes of `input`, gone by the time that anything else is printed. */
export async function withProgress<T>(
  context: Context,
  action: string,
  input: FileHandle | undefined,
  stop: AbortSignal,
  work: (advance: (bytes: number) => void) => Promise<T>,
): Promise<T> {
  const stats = await input?.stat()
  const total = stats?.isFile() ? stats.size : undefined
  using progress = new Progress(await loadBar(context), context, action, total, stop)
  try {
    return await work((bytes) => progress.advance(bytes))
  } catch (error) {
    throw stop.aborted ? stopped() : error
  }
}

/** Before an output is kept: what ended because the user stopped, as a pipe whose writer got the same signal, may be the beginning of
 * something longer.
 * @throws an error once the user has asked to stop. */
export function checkNotStopped(stop: AbortSignal): void {
  if (stop.aborted) throw stopped()
}

function stopped(): Error {
  return new Error('Stopped before the end; no file was left behind')
}

/** Draws how far uploads have come, one bar each. */
export class UploadProgress implements Disposable {
  readonly #bars: Bar
  readonly #context: Context
  #bar: Progress | undefined
  #id = ''
  #before = 0

  private constructor(bars: Bar, context: Context) {
    this.#bars = bars
    this.#context = context
  }

  static async create(context: Context): Promise<UploadProgress> {
    return new UploadProgress(await loadBar(context), context)
  }

  /** So much of that message is at the relay. */
  at({
    id,
    sentBytes,
    totalBytes,
  }: {
    readonly id: string
    readonly sentBytes: number
    readonly totalBytes: number
  }): void {
    if (id !== this.#id) {
      this[Symbol.dispose]()
      this.#id = id
      this.#before = 0
      this.#bar = new Progress(this.#bars, this.#context, 'sending', totalBytes, NEVER)
    }
    this.#bar?.advance(sentBytes - this.#before)
    this.#before = sentBytes
    if (sentBytes === totalBytes) this[Symbol.dispose]()
  }

  [Symbol.dispose](): void {
    this.#bar?.[Symbol.dispose]()
    this.#bar = undefined
  }
}

/** Bytes for people. */
export function sizeText(bytes: number): string {
  let size = bytes
  let unit = 0
  while (size >= UNIT && unit < UNIT_NAMES.length - 1) {
    size /= UNIT
    unit += 1
  }
  return `${unit === 0 ? size : size.toFixed(1)} ${UNIT_NAMES[unit]}`
}
