// The objects that offers make for one session: one for each grant, however many capabilities of that grant the client
// shows; made when first called, disposed when the last of them has ended (spec/rpc.md §7).
// Leaves out what may be called on them (served-reference.ts).
import type { Target } from './rpc/index.js'

/** One reference's share in an object. */
export interface ObjectUse {
  target(): Target | Promise<Target>
  /** The reference is over; the last one disposes the object. */
  end(): void
}

/** Objects of one session by grant. */
export class ServedObjects {
  readonly #byGrant = new Map<string, SharedObject>()
  readonly #disposeFailed: (error: unknown) => void

  /** @param disposeFailed - told of what an object's disposal throws. */
  constructor(disposeFailed: (error: unknown) => void) {
    this.#disposeFailed = disposeFailed
  }

  /** A share in the object of a grant.
   * @param grantId - with the path of the object.
   * @param make - called once an object is needed and there is none. */
  use(grantId: string, make: () => Promise<Target>): ObjectUse {
    let shared = this.#byGrant.get(grantId)
    if (shared === undefined) {
      shared = new SharedObject(make)
      this.#byGrant.set(grantId, shared)
    }
    const object = shared
    object.users += 1
    return { target: () => object.target(), end: () => this.#end(grantId, object) }
  }

  #end(grantId: string, object: SharedObject): void {
    object.users -= 1
    if (object.users > 0) return
    this.#byGrant.delete(grantId)
    object.dispose().catch(this.#disposeFailed)
  }
}

class SharedObject {
  users = 0
  readonly #make: () => Promise<Target>
  #target: Target | Promise<Target> | undefined

  constructor(make: () => Promise<Target>) {
    this.#make = make
  }

  target(): Target | Promise<Target> {
    this.#target ??= this.#begin()
    return this.#target
  }

  #begin(): Promise<Target> {
    const making = this.#make()
    making.then(
      (target) => {
        this.#target = target
      },
      () => {
        // Whoever called is told; who calls later may find what the maker needs there again.
        this.#target = undefined
      },
    )
    return making
  }

  async dispose(): Promise<void> {
    let target: Target | undefined
    try {
      target = await this.#target
    } catch {
      return // it was never made
    }
    const disposable = target?.object as Partial<Disposable & AsyncDisposable> | undefined
    if (disposable?.[Symbol.asyncDispose] !== undefined) await disposable[Symbol.asyncDispose]?.()
    else disposable?.[Symbol.dispose]?.()
  }
}
