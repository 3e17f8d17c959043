// One person's notes in a file, one line of JSON each. An ordinary class: it knows nothing of capabilities or networks.
import { appendFile, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Note, Notes } from './notes.js'

const MAX_NOTES = 1_000

/** The handlers of `Notes` for one owner. */
export class Notebook {
  readonly #path: string
  readonly #notes: Note[]
  #writing: Promise<unknown> = Promise.resolve()

  private constructor(path: string, notes: Note[]) {
    this.#path = path
    this.#notes = notes
  }

  /** The notebook of `owner` in `directory`; empty when there is no file yet. */
  static async open(directory: string, owner: string): Promise<Notebook> {
    // An owner is a segment of an object path, which may be `..`; encoded and with a suffix it is a plain file name.
    const path = join(directory, `${encodeURIComponent(owner)}.jsonl`)
    const lines = (await readIfThere(path)).split('\n').filter((line) => line !== '')
    const notes = lines.map((line) => JSON.parse(line) as { text: string; at: string })
    return new Notebook(
      path,
      notes.map(({ text, at }) => ({ text, at: new Date(at) })),
    )
  }

  /** Notes are written one after another; each is on disk before its writer hears of it. */
  add({ text }: { text: string }): Promise<number> {
    const added = this.#writing.then(async () => {
      if (this.#notes.length >= MAX_NOTES) throw Notes.failure('add', 'full', { max: MAX_NOTES })
      const note = { text, at: new Date() }
      await appendFile(this.#path, `${JSON.stringify(note)}\n`, { mode: 0o600 })
      return this.#notes.push(note)
    })
    this.#writing = added.catch(() => {})
    return added
  }

  list(): Note[] {
    return this.#notes
  }
}

async function readIfThere(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return ''
    throw error
  }
}
