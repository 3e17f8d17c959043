// The service of the rows of references: steps that lead to each other, and notes that are opened and let go of; or the
// client that opens notes.
import { connect, Service } from 'noisecap'
import { type Memory, memoryInUse } from '../suite/memory.js'
import { obey } from '../suite/orders.js'
import { Notes, Step } from './references.js'

/** What a parent may ask. */
export type ReferencesOrder =
  | { readonly do: 'serve' }
  | { readonly do: 'mint'; readonly at: string }
  | { readonly do: 'connect'; readonly capability: string }
  | { readonly do: 'open'; readonly calls: number }
  | { readonly do: 'weigh' }

/** What a process weighs, and the notes of it that are alive. */
export interface Weight extends Memory {
  readonly notes: number
}

const OUTSTANDING = 256
let alive = 0

class StepObject {
  readonly #value: number
  constructor(value: number) {
    this.#value = value
  }
  value(): number {
    return this.#value
  }
  next(): StepObject {
    return new StepObject(this.#value + 1)
  }
}

class NoteObject implements Disposable {
  readonly #id: number
  constructor(id: number) {
    this.#id = id
    alive += 1
  }
  text(): string {
    return `note ${this.#id}`
  }
  [Symbol.dispose](): void {
    alive -= 1
  }
}

const service = Service.create(undefined, { announcers: [] })
const steps = service.offer('steps', Step, () => new StepObject(0))
const notes = service.offer('notes', Notes, () => ({ open: (id) => new NoteObject(id) }))
let dial: Awaited<ReturnType<typeof connectNotes>> | undefined

const connectNotes = (capability: string) => connect(capability, Notes, { resolvers: [] })

async function open(calls: number): Promise<void> {
  if (dial === undefined) throw new Error('Cannot open notes: not connected')
  const root = dial
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < calls) {
      const id = next++
      using note = await root.open(id)
      if (id % 1_000 === 0 && (await note.text()) !== `note ${id}`)
        throw new Error('Cannot count references: the answer is wrong')
    }
  }
  await Promise.all(Array.from({ length: OUTSTANDING }, worker))
}

obey(async (asked: ReferencesOrder): Promise<unknown> => {
  switch (asked.do) {
    case 'serve':
      return service.listen('tcp://127.0.0.1:0')
    case 'mint':
      return {
        steps: steps.mint({}, { at: [asked.at] }).export(),
        notes: notes.mint({}, { at: [asked.at] }).export(),
      }
    case 'connect':
      dial = await connectNotes(asked.capability)
      return true
    case 'open':
      return open(asked.calls)
    case 'weigh':
      return { ...(await memoryInUse()), notes: alive }
  }
})
