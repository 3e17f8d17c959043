// What is used of IndexedDB, with promises. Typed here because the library is compiled for hosts that have no DOM.
// Leaves out what is kept: values by name (browser/named-values.ts), entries of a mailbox (mailbox/indexed-db-store.ts).

export interface Request<T> {
  readonly result: T
  readonly error: unknown
  onsuccess: (() => void) | null
  onerror: (() => void) | null
  onblocked?: (() => void) | null
  onupgradeneeded?: (() => void) | null
}

/** Keys here are text, numbers or bytes, which sort as bytes do. */
type Key = string | number | Uint8Array

export interface ObjectStore {
  get(key: Key): Request<unknown>
  add(value: unknown, key: Key): Request<unknown>
  put(value: unknown, key: Key): Request<unknown>
  delete(key: Key): Request<unknown>
  getAll(query?: unknown): Request<readonly unknown[]>
  getAllKeys(query?: unknown): Request<readonly unknown[]>
}

export interface Transaction {
  readonly error: unknown
  oncomplete: (() => void) | null
  onabort: (() => void) | null
  objectStore(name: string): ObjectStore
}

export interface Database {
  createObjectStore(name: string): unknown
  transaction(
    names: string | readonly string[],
    mode: 'readonly' | 'readwrite',
    options?: object,
  ): Transaction
  close(): void
}

interface Factory {
  open(name: string, version: number): Request<Database>
}

/** What is reported kept must survive a crash. */
export const DURABLE = { durability: 'strict' } as const

/** Open a database, made with these object stores if it is not there.
 * @throws what the browser says; Error where there is no IndexedDB, or another tab holds an older version. */
export async function openDatabase(name: string, stores: readonly string[]): Promise<Database> {
  const { indexedDB } = globalThis as { readonly indexedDB?: Factory }
  if (indexedDB === undefined) throw new Error('this host has no IndexedDB')
  const request = indexedDB.open(name, 1)
  request.onupgradeneeded = () => {
    for (const store of stores) request.result.createObjectStore(store)
  }
  return await answered(request)
}

/** The result of a request. Nothing else may be awaited while its transaction goes on. */
export function answered<T>(request: Request<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
    request.onblocked = () => reject(new Error('another tab holds an older version open'))
  })
}

/** Resolves once a transaction is committed. */
export function committed(transaction: Transaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve()
    transaction.onabort = () => reject(transaction.error ?? new Error('the transaction was aborted'))
  })
}
