// What this side asks of the session itself, which are no calls on an object: PRESENT, BEFRIEND and SAVE (spec/rpc.md §3).
// Leaves out calls (calling.ts) and serving these (served-requests.ts).
import { Capability, type Restrictions } from '../capability/index.js'
import type { NoisecapError } from '../errors.js'
import { disconnected, noCapabilityInAnswer } from './call-errors.js'
import type { Imports } from './imports.js'
import { saveRefused } from './introductions.js'
import { defineMethod, type MethodDefinition } from './method-definition.js'
import type { Outbox } from './outbox.js'
import { type Presentation, writePresentation } from './presentation.js'
import { Question, type QuestionOwner } from './question.js'
import type { QuestionTable } from './question-table.js'
import type { RemoteReference } from './remote-reference.js'
import { encodeRestrictions } from './save-request.js'
import { decodeValue } from './values.js'
import { type FieldReader, OP, WireError, writeBytes, writeVarint } from './wire.js'

const PRESENT = defineMethod('present')
const BEFRIEND = defineMethod('befriend')
const SAVE = defineMethod('capabilityOf')
/** So that a target fits a varint. */
const EXPORT_ID_MAX = 0x7fff_ffff

/** What requests need of the calling half. */
export interface RequestHost {
  readonly owner: QuestionOwner
  readonly questions: QuestionTable
  readonly outbox: Outbox
  readonly imports: Imports
  /** Where the other side was dialled. */
  readonly locations: readonly string[]
  /** Why the session is over; undefined while it is not. */
  over(): NoisecapError | undefined
}

/** Requests of one side. */
export class SessionRequests {
  readonly #host: RequestHost

  constructor(host: RequestHost) {
    this.#host = host
  }

  /** Show a further capability of the same service: one HMAC, no DH.
   * @returns a reference to its object; rejects with a {@link CallError} whose `failureName` says which caveat denies. */
  async present(presentation: Presentation): Promise<RemoteReference> {
    return (await this.#request(OP.present, PRESENT, presentation)) as RemoteReference // see readPresented
  }

  /** Whether the answer to `question` is to be read by {@link readPresented}. */
  isPresent(question: Question): boolean {
    return question.method === PRESENT
  }

  /** The reference that an answer to PRESENT gives: there before the next message is read, which may already break it.
   * @throws WireError unless it is the number of a new export. */
  readPresented(reader: FieldReader, bytes: Uint8Array): RemoteReference {
    const { imports } = this.#host
    let exportId: unknown
    try {
      exportId = decodeValue(bytes, reader.at, reader.end)
    } catch {
      throw new WireError('export is not a value')
    }
    if (
      typeof exportId !== 'number' ||
      !Number.isSafeInteger(exportId) ||
      exportId < 0 ||
      exportId > EXPORT_ID_MAX
    )
      throw new WireError('export is not a number')
    if (imports.find(exportId) !== undefined) throw new WireError('export is in use')
    const reference = imports.arrive(exportId, undefined)
    if (reference === undefined) throw new WireError('more exports than announced')
    return reference
  }

  /** Ask the other side to remember this one as a contact, for the capability of an export. */
  async befriend(exportId: number): Promise<void> {
    await this.#request(OP.befriend, BEFRIEND, exportId)
  }

  /** Ask the host of an export for a capability for its object. */
  async save(exportId: number, restrictions: Restrictions): Promise<Capability> {
    const asked = encodeRestrictions(restrictions)
    let answer: unknown
    try {
      answer = await this.#request(OP.save, SAVE, exportId, asked)
    } catch (error) {
      throw saveRefused(error)
    }
    if (!(answer instanceof Capability)) throw noCapabilityInAnswer()
    return answer.withLocations(this.#host.locations)
  }

  #request(
    op: number,
    method: MethodDefinition,
    input: Presentation | number,
    value?: Uint8Array,
  ): Promise<unknown> {
    const { owner, questions, outbox } = this.#host
    const over = this.#host.over()
    if (over !== undefined) return Promise.reject(disconnected(method.name, false, over))
    const question = new Question(owner, method, undefined, undefined)
    questions.enqueue(question, () => {
      const { sink, mark } = outbox.beginMessage(op)
      question.id = questions.add(question)
      writeVarint(sink, question.id)
      if (typeof input === 'number') writeVarint(sink, input)
      else writePresentation(sink, input)
      if (value !== undefined) writeBytes(sink, value)
      outbox.endMessage(mark)
    })
    return question.promise()
  }
}
