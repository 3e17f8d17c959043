// Values by name in IndexedDB: one object store of structured clones. Leaves out what the values are (store.ts).
import { NoisecapError } from '../errors.js'
import {
  answered,
  type Database,
  DURABLE,
  type ObjectStore,
  openDatabase,
  type Request,
} from '../indexed-db.js'

const STORE = 'values'

/** Values by name, as structured clones. */
export class NamedValues {
  readonly #database: Database

  private constructor(database: Database) {
    this.#database = database
  }

  /** @throws `browser/store` where there is no IndexedDB, or it may not be used. */
  static async open(name: string): Promise<NamedValues> {
    try {
      return new NamedValues(await openDatabase(name, [STORE]))
    } catch (error) {
      throw refused(error)
    }
  }

  get(name: string): Promise<unknown> {
    return done(this.#store('readonly').get(name))
  }

  /** Keep `value` unless there is one.
   * @returns false when there is: another tab may have been faster. */
  async add(name: string, value: unknown): Promise<boolean> {
    const request = this.#store('readwrite').add(value, name)
    try {
      await done(request)
      return true
    } catch (error) {
      if ((request.error as { readonly name?: unknown } | null)?.name === 'ConstraintError') return false
      throw error
    }
  }

  async put(name: string, value: unknown): Promise<void> {
    await done(this.#store('readwrite').put(value, name))
  }

  async delete(name: string): Promise<void> {
    await done(this.#store('readwrite').delete(name))
  }

  async names(): Promise<readonly string[]> {
    return (await done(this.#store('readonly').getAllKeys())).map(String)
  }

  close(): void {
    this.#database.close()
  }

  #store(mode: 'readonly' | 'readwrite'): ObjectStore {
    return this.#database.transaction(STORE, mode, mode === 'readwrite' ? DURABLE : {}).objectStore(STORE)
  }
}

async function done<T>(request: Request<T>): Promise<T> {
  try {
    return await answered(request)
  } catch (error) {
    throw refused(error)
  }
}

function refused(cause: unknown): NoisecapError {
  return storeError('IndexedDB refused', cause)
}

export function storeError(reason: string, cause?: unknown): NoisecapError {
  return new NoisecapError('browser/store', `Cannot use the store of this browser: ${reason}`, {
    ...(cause === undefined ? {} : { cause }),
    hint: 'A private window or a full disk may be why; without the store, keep keys for the time of the page alone',
  })
}
