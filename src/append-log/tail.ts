// Reading a log piece by piece and remembering how far it was read, so that an append costs its own bytes only.
// Memory stays flat whatever the file's size. Leaves out the grammar (grammar.ts) and when to read (log-file.ts).
import { DamagedLog, decodeLines, type LogFormat } from './grammar.js'

/** An open file, as far as a log needs it. */
export interface LogSource {
  read(
    into: Uint8Array,
    intoOffset: number,
    length: number,
    position: number,
  ): Promise<{ readonly bytesRead: number }>
  stat(options: { bigint: true }): Promise<FileState>
}

/** By what a change of a file is noticed. */
export interface FileState {
  readonly size: bigint
  readonly mtimeNs: bigint
}

interface Position extends FileState {
  /** Where the first line starts that was not whole. */
  readonly offset: number
  readonly line: number
  readonly unfinished: boolean
}

const PIECE_BYTES = 262_144
// One character for each byte; every grammar is ASCII, so that anything else is refused there.
const decoder = new TextDecoder('latin1')

/** How far one log has been read. */
export class LogTail {
  readonly #format: LogFormat
  readonly #maxBytes: number
  #position: Position | undefined
  #torn = 0

  /** @param maxBytes - a larger file is refused before any of it is read. */
  constructor(format: LogFormat, maxBytes: number) {
    this.#format = format
    this.#maxBytes = maxBytes
  }

  /** Bytes of the file when it was read last. */
  get size(): number {
    return Number(this.#position?.size ?? 0)
  }

  /** Whether the last line is not whole: torn, or still being written. */
  get unfinished(): boolean {
    return this.#position?.unfinished === true
  }

  /** Records that crashes cut off, an unfinished last line included. */
  get torn(): number {
    return this.#torn + (this.unfinished ? 1 : 0)
  }

  /** What must be read of a file in that state: nothing, what was appended, or, where it was touched in place, all. */
  due(state: FileState): 'nothing' | 'appended' | 'all' {
    const seen = this.#position
    if (seen === undefined || state.size < seen.size) return 'all'
    if (state.size > seen.size) return 'appended'
    return state.mtimeNs === seen.mtimeNs ? 'nothing' : 'all'
  }

  /** Bodies of all records.
   * @throws DamagedLog, the system's errors, or Error when the file is too large. */
  readAll(source: LogSource): Promise<readonly string[]> {
    this.#position = undefined
    this.#torn = 0
    return this.readAppended(source)
  }

  /** Bodies of the records behind the part that was read; throws as {@link readAll}. */
  async readAppended(source: LogSource): Promise<readonly string[]> {
    const { size, mtimeNs } = await source.stat({ bigint: true })
    if (size > BigInt(this.#maxBytes)) {
      throw new Error(`expected at most ${this.#maxBytes} bytes, got ${size}`)
    }
    const end = Number(size)
    const bodies: string[] = []
    let { offset, line } = this.#position ?? (await readHeader(source, this.#format.header))
    let unfinished = false
    for (let last = false; !last; ) {
      const text = await readText(source, offset, Math.min(PIECE_BYTES, end - offset))
      last = offset + text.length >= end
      const piece = decodeLines(this.#format, text, line, last)
      bodies.push(...piece.bodies)
      this.#torn += piece.torn
      offset += piece.consumed
      line += piece.lines
      unfinished = piece.unfinished
    }
    this.#position = { offset, line, unfinished, size, mtimeNs }
    return bodies
  }
}

async function readHeader(source: LogSource, header: string): Promise<{ offset: number; line: number }> {
  if ((await readText(source, 0, header.length)) !== header) throw new DamagedLog(1)
  return { offset: header.length, line: 2 }
}

async function readText(source: LogSource, position: number, length: number): Promise<string> {
  if (length < 0) throw new Error('the file became shorter')
  const bytes = new Uint8Array(length)
  const { bytesRead } = await source.read(bytes, 0, length, position)
  if (bytesRead < length) throw new Error('the file became shorter')
  return decoder.decode(bytes)
}
