// Serves what the other side asks of the session itself, which are no calls on an object: PRESENT, BEFRIEND and SAVE
// (spec/rpc.md §3). Leaves out calls (dispatch.ts) and asking these (session-requests.ts).
import type { Capability, Restrictions } from '../capability/index.js'
import type { Exported, Exports } from './exports.js'
import type { FailureReason } from './failure.js'
import { type Presentation, readPresentation } from './presentation.js'
import { decodeRestrictions } from './save-request.js'
import type { FieldReader } from './wire.js'

/** What a service makes of requests; what is left out is refused. */
export interface RequestHandlers {
  /** A further capability, shown inside the session. Throws {@link Failure} unless it is genuine and in force.
   * @returns its export. */
  readonly present?: (presentation: Presentation) => number | Promise<number>
  /** Remember the client as a contact for the capability of this export. Throws {@link Failure} when it may not. */
  readonly befriend?: (exported: Exported) => Promise<void>
  /** A capability for the object of this export. Throws {@link Failure} when there is none to give. */
  readonly save?: (exported: Exported, restrictions: Restrictions) => Capability
}

/** What requests need of the serving half. */
export interface ServedRequestsHost {
  readonly exports: Exports
  /** Read the id of a request.
   * @throws WireError when it is in use. */
  claim(reader: FieldReader): number
  /** Whether one more may run; if not, it was refused. */
  hasRoom(id: number): boolean
  refuse(id: number, reason: FailureReason, message?: string): void
  /** Answer with what `run` gives. */
  answer(id: number, what: string, run: () => unknown): void
}

/** Requests of the other side. Each throws WireError for an id in use or bytes that are no such request. */
export class ServedRequests {
  readonly #handlers: RequestHandlers
  readonly #host: ServedRequestsHost

  constructor(handlers: RequestHandlers, host: ServedRequestsHost) {
    this.#handlers = handlers
    this.#host = host
  }

  /** Serve PRESENT: answered with the number of an export. */
  present(reader: FieldReader): void {
    const host = this.#host
    const id = host.claim(reader)
    const presentation = readPresentation(reader)
    const { present } = this.#handlers
    if (present === undefined) host.refuse(id, 'unimplemented')
    else if (host.hasRoom(id)) host.answer(id, 'present', () => present(presentation))
  }

  /** Serve BEFRIEND: answered with undefined. */
  befriend(reader: FieldReader): void {
    const host = this.#host
    const id = host.claim(reader)
    const exported = host.exports.find(reader.varint())
    const { befriend } = this.#handlers
    if (befriend === undefined) host.refuse(id, 'unimplemented')
    else if (exported === undefined) host.refuse(id, 'not_found', 'there is no such reference')
    else if (host.hasRoom(id)) host.answer(id, 'befriend', () => befriend(exported))
  }

  /** Serve SAVE: answered with a capability. */
  save(reader: FieldReader, bytes: Uint8Array): void {
    const host = this.#host
    const id = host.claim(reader)
    const exported = host.exports.find(reader.varint())
    const { save } = this.#handlers
    if (exported === undefined) host.refuse(id, 'not_found', 'there is no such reference')
    else if (save === undefined) host.refuse(id, 'failed_precondition', 'objects of this side have no name')
    else if (host.hasRoom(id)) {
      const asked = bytes.slice(reader.at, reader.end)
      host.answer(id, 'save', () => save(exported, decodeRestrictions(asked)))
    }
  }
}
