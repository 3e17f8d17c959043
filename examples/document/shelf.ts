// The host of all documents: `npx tsx examples/document/shelf.ts`. Prints where it listens, then a capability.
// Documents and lines are ordinary classes: that who calls them, or is called by them, is elsewhere shows nowhere.
import { type CallContext, keep, type Reference, Service } from 'noisecap'
import { type Change, type Line, Shelf, type Watcher } from './document.js'

class LineOf {
  readonly #document: DocumentOf
  readonly #at: number

  constructor(document: DocumentOf, at: number) {
    this.#document = document
    this.#at = at
  }

  text(): string {
    return this.#document.lines[this.#at] ?? ''
  }

  write({ by, text }: { by: string; text: string }): void {
    this.#document.change({ by, line: this.#at, text })
  }

  next(): LineOf {
    return new LineOf(this.#document, this.#at + 1)
  }
}

class DocumentOf {
  static followers = 0
  readonly lines: string[] = []
  readonly #watchers = new Set<Reference<typeof Watcher>>()
  readonly #followers = new Set<(change: Change) => void>()

  line(at: number): LineOf {
    return new LineOf(this, at)
  }

  async quote(line: Reference<typeof Line>): Promise<void> {
    this.change({ by: 'quote', line: this.lines.length, text: await line.text() })
  }

  async append({ by, lines }: { by: string; lines: AsyncIterable<string> }): Promise<number> {
    let count = 0
    for await (const text of lines) {
      this.change({ by, line: this.lines.length, text })
      count += 1
    }
    return count
  }

  /** An argument ends with its call: who wants it for longer keeps a reference of his own. */
  watch(watcher: Reference<typeof Watcher>): void {
    this.#watchers.add(keep(watcher))
  }

  /** Whoever leaves a stream early aborts `signal`: a generator that waits for something else would not hear of it. */
  async *changes(_input: unknown, { signal }: CallContext): AsyncGenerator<Change> {
    const waiting: Change[] = []
    let wake = (): void => {}
    const follow = (change: Change): void => {
      waiting.push(change)
      wake()
    }
    signal.addEventListener('abort', () => wake())
    this.#followers.add(follow)
    DocumentOf.followers += 1
    try {
      while (!signal.aborted) {
        yield* waiting.splice(0)
        if (waiting.length > 0 || signal.aborted) continue
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    } finally {
      this.#followers.delete(follow)
      DocumentOf.followers -= 1
    }
  }

  async *download(): AsyncGenerator<Uint8Array> {
    yield new TextEncoder().encode(this.lines.join('\n'))
  }

  change(change: Change): void {
    this.lines[change.line] = change.text
    for (const follow of this.#followers) follow(change)
    for (const watcher of this.#watchers) {
      watcher.changed(change).catch(() => {
        this.#watchers.delete(watcher) // gone with its session
        watcher[Symbol.dispose]()
      })
    }
  }
}

const documents = new Map<string, DocumentOf>()
const service = Service.create()
const shelf = service.offer('shelf', Shelf, () => ({
  open(title) {
    const document = documents.get(title) ?? new DocumentOf()
    documents.set(title, document)
    return document
  },
  followers: () => DocumentOf.followers,
}))
console.log(await service.listen('tcp://127.0.0.1:0'))
console.log(shelf.mint({}).export())

process.once('SIGTERM', () => void service.close())
