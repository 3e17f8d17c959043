// What is used of IndexedDB, with promises: one store of values by name. Typed here because the library is compiled for
// hosts that have no DOM. Leaves out what is kept (store.ts).
import { NoisecapError } from '../errors.js'

interface Request<T> {
  readonly result: T
  readonly error: unknown
  onsuccess: (() => void) | null
  onerror: (() => void) | null
  onblocked?: (() => void) | null
  onupgradeneeded?: (() => void) | null
}
interface ObjectStore {
  get(key: string): Request<unknown>
  add(value: unknown, key: string): Request<unknown>
  put(value: unknown, key: string): Request<unknown>
  delete(key: string): Request<unknown>
  getAllKeys(): Request<readonly unknown[]>
}
interface Database {
  createObjectStore(name: string): unknown
  transaction(
    name: string,
    mode: 'readonly' | 'readwrite',
    options?: object,
  ): { objectStore(name: string): ObjectStore }
  close(): void
}
interface Factory {
  open(name: string, version: number): Request<Database>
}

const STORE = 'values'

/** Values by name, as structured clones. */
export class NamedValues {
  readonly #database: Database

  private constructor(database: Database) {
    this.#database = database
  }

  /** @throws `browser/store` where there is no IndexedDB, or it may not be used. */
  static async open(name: string): Promise<NamedValues> {
    const { indexedDB } = globalThis as { readonly indexedDB?: Factory }
    if (indexedDB === undefined) throw storeError('this host has no IndexedDB')
    const request = indexedDB.open(name, 1)
    request.onupgradeneeded = () => void request.result.createObjectStore(STORE)
    return new NamedValues(await done(request))
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
    // A key that is reported kept must survive a crash.
    const options = mode === 'readwrite' ? { durability: 'strict' } : {}
    return this.#database.transaction(STORE, mode, options).objectStore(STORE)
  }
}

function done<T>(request: Request<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(storeError('IndexedDB refused', request.error))
    request.onblocked = () => reject(storeError('another tab holds an older version open'))
  })
}

export function storeError(reason: string, cause?: unknown): NoisecapError {
  return new NoisecapError('browser/store', `Cannot use the store of this browser: ${reason}`, {
    ...(cause === undefined ? {} : { cause }),
    hint: 'A private window or a full disk may be why; without the store, keep keys for the time of the page alone',
  })
}
