// The calls of one side that are open: ids within the other side's budget, those that wait for room, and those whose answers
// nobody needs any more (spec/rpc.md §4, §8). Leaves out what is asked (calling.ts).
import { IdTable } from './id-table.js'
import type { Question } from './question.js'
import type { RemoteReference } from './remote-reference.js'

/** Answers that nobody asked for and nothing is built on any more, before the oldest is let go: so that a loop of
 * `a.open().read()` needs no garbage collector, and `const note = a.open()` can be called more than once. */
const IDLE_ANSWERS_MAX = 128

/** Open calls of one side. */
export class QuestionTable {
  readonly #byId: IdTable<Question>
  readonly #waiting: { readonly question: Question; ask(): void }[] = []
  readonly #idle = new Set<Question>()
  readonly #letGo: (question: Question) => void

  /** @param max - calls that the other side takes at once.
   * @param letGo - called for an answer that nobody needs. */
  constructor(max: number, letGo: (question: Question) => void) {
    this.#byId = new IdTable(max)
    this.#letGo = letGo
  }

  /** Calls without an answer yet. */
  get size(): number {
    return this.#byId.size + this.#waiting.length
  }

  /** Whether the next call has to wait. */
  get isFull(): boolean {
    return this.#byId.isFull
  }

  /** Give `question` an id; it has room. */
  add(question: Question): number {
    return this.#byId.add(question)
  }

  find(id: number): Question | undefined {
    return this.#byId.find(id)
  }

  /** Free `id`. */
  take(id: number): Question | undefined {
    return this.#byId.take(id)
  }

  /** Call `ask` once there is room for `question`: now, or later, in order. */
  enqueue(question: Question, ask: () => void): void {
    if (this.#byId.isFull) this.#waiting.push({ question, ask })
    else ask()
  }

  /** Ask as many waiting questions as the budget allows; one that cannot be written makes room for the next. */
  askWaiting(): void {
    while (this.#waiting.length > 0 && !this.#byId.isFull) {
      const next = this.#waiting.shift()
      if (next?.question.settled === false) next.ask()
    }
  }

  /** Note whether nobody needs the answer of `question`. */
  setIdle(question: Question, isIdle: boolean): void {
    if (!isIdle) {
      if (this.#idle.size > 0) this.#idle.delete(question)
      return
    }
    this.#idle.delete(question)
    this.#idle.add(question)
    if (this.#idle.size <= IDLE_ANSWERS_MAX) return
    const [oldest] = this.#idle
    if (oldest !== undefined) this.#letGo(oldest)
  }

  /** Every open call on a reference. */
  on(reference: RemoteReference): Question[] {
    const found = this.#waiting.map(({ question }) => question)
    for (const [, question] of this.#byId.entries()) found.push(question)
    return found.filter(({ target }) => target === reference)
  }

  /** Give every call up. */
  takeAll(): { readonly question: Question; readonly isAsked: boolean }[] {
    this.#idle.clear()
    const asked = this.#byId.takeAll().map((question) => ({ question, isAsked: true }))
    return [...asked, ...this.#waiting.splice(0).map(({ question }) => ({ question, isAsked: false }))]
  }
}
