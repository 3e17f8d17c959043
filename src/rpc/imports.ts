// What one side holds of the other in a session: references by the number of the other side's export (spec/rpc.md §4).
// Leaves out what they stand for (remote-reference.ts) and how they arrive (session-links.ts).
import type { Authority } from './exports.js'
import { type ReferenceOwner, RemoteReference } from './remote-reference.js'

/** References by export id. */
export class Imports {
  readonly #owner: ReferenceOwner
  readonly #max: number
  readonly #byId = new Map<number, RemoteReference>()

  /** @param max - as many as the other side says that it exports. */
  constructor(owner: ReferenceOwner, max: number) {
    this.#owner = owner
    this.#max = max
  }

  get size(): number {
    return this.#byId.size
  }

  find(exportId: number): RemoteReference | undefined {
    return this.#byId.get(exportId)
  }

  /** The other side sent a reference; held once more than before.
   * @param authority - under which this side serves calls that go with it.
   * @param isProxied - whether it says that it passes calls on.
   * @returns undefined when it sends more than it has. */
  arrive(exportId: number, authority: Authority | undefined, isProxied = false): RemoteReference | undefined {
    const known = this.#byId.get(exportId)
    if (known !== undefined) {
      known.receive()
      return known
    }
    if (this.#byId.size >= this.#max) return undefined
    const reference = new RemoteReference(this.#owner, exportId, authority, isProxied)
    this.#byId.set(exportId, reference)
    return reference
  }

  /** Nobody holds it any more.
   * @returns whether it was there. */
  forget(exportId: number): boolean {
    return this.#byId.delete(exportId)
  }

  /** The session is over. */
  takeAll(): RemoteReference[] {
    const all = [...this.#byId.values()]
    this.#byId.clear()
    return all
  }
}
