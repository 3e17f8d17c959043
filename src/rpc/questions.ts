// The table of outgoing calls: dense ids, used again after the answer (spec/rpc.md §4).
import type { Question } from './question.js'

/** Questions by call id, within the other side's budget. */
export class Questions {
  readonly #max: number
  readonly #byId: (Question | undefined)[] = []
  readonly #free: number[] = []

  constructor(max: number) {
    this.#max = max
  }

  get size(): number {
    return this.#byId.length - this.#free.length
  }

  get isFull(): boolean {
    return this.size >= this.#max
  }

  /** Give `question` an id. */
  add(question: Question): number {
    const id = this.#free.pop() ?? this.#byId.length
    this.#byId[id] = question
    question.id = id
    return id
  }

  /** Free `id`; undefined when nobody has it. */
  take(id: number): Question | undefined {
    const question = this.#byId[id]
    if (question === undefined) return undefined
    this.#byId[id] = undefined
    this.#free.push(id)
    return question
  }

  /** Every question that has an id. */
  *open(): Generator<Question> {
    for (const question of this.#byId) if (question !== undefined) yield question
  }

  /** Free all. */
  takeAll(): Question[] {
    const all = this.#byId.filter((question) => question !== undefined)
    this.#byId.length = 0
    this.#free.length = 0
    return all
  }
}
