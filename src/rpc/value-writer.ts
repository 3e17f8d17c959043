// Writes plain data as CBOR, and refuses everything else at the caller, with the path to it (spec/rpc.md §5).
// What it writes is what guard.ts passes: same bounds, one encoding for each key. Getters are read once; a failure
// leaves the sink as it was. Leaves out the wording of refusals (value-refusal.ts).
import {
  VALUE_HASHED_NUMBERS_MAX,
  VALUE_KEY_MAX_BYTES,
  VALUE_MAX_DEPTH,
  VALUE_MAX_ITEMS,
  VALUE_OBJECT_MEMBERS_MAX,
} from '../limits.js'
import type { ByteSink } from './byte-sink.js'
import { ItemWriter } from './item-writer.js'
import type { LinkWriter } from './value-links.js'
import { BudgetExceeded, NotYet, Refusal, refusalError, refuseInstance, type Trail } from './value-refusal.js'
import { HEAD, MAJOR, TAG } from './value-tags.js'

/** Node's Buffer is a Uint8Array with a prototype of its own; elsewhere there is none. */
const bufferPrototype: unknown = (globalThis as { Buffer?: { prototype: unknown } }).Buffer?.prototype

const NO_TRAIL: Trail = { parents: [], steps: [], depth: 0 }

/** Writes one value at a time; a getter that writes another value needs another writer. */
export class ValueWriter {
  readonly #to = new ItemWriter()
  #links: LinkWriter | undefined
  #depth = 0
  #items = 0
  #hashedNumbers = 0
  readonly #parents: (object | undefined)[] = new Array<object | undefined>(VALUE_MAX_DEPTH).fill(undefined)
  readonly #steps: (string | number)[] = new Array<string | number>(VALUE_MAX_DEPTH).fill(0)

  /** Append `value` to `sink`.
   * @param name - what the path in an error starts with.
   * @param links - writes what is no data; without it, that is refused.
   * @throws `rpc/bad_value` with nothing appended; what `links` throws, if it is no Refusal. */
  write(sink: ByteSink, value: unknown, name: string, links: LinkWriter | undefined): void {
    if (sink.locked) throw refusalError(new Refusal('a getter that makes a call itself'), name, NO_TRAIL)
    sink.locked = true
    this.#to.begin(sink)
    this.#depth = 0
    this.#items = 0
    this.#hashedNumbers = 0
    this.#links = links
    try {
      this.#item(value)
      this.#to.commit()
    } catch (reason) {
      const passes = reason instanceof NotYet || reason instanceof BudgetExceeded
      const error = passes ? reason : refusalError(reason, name, this.#trail())
      this.#parents.fill(undefined)
      throw error
    } finally {
      this.#links = undefined
      sink.locked = false
      this.#to.release()
    }
  }

  #trail(): Trail {
    return { parents: this.#parents, steps: this.#steps, depth: this.#depth }
  }

  #item(value: unknown): void {
    if (++this.#items > VALUE_MAX_ITEMS) throw new Refusal(`more than ${VALUE_MAX_ITEMS} items`)
    switch (typeof value) {
      case 'string':
        this.#to.text(value)
        return
      case 'number':
        this.#to.number(value)
        return
      case 'boolean':
        this.#to.byte(value ? HEAD.true : HEAD.false)
        return
      case 'undefined':
        this.#to.byte(HEAD.undefined)
        return
      case 'bigint':
        this.#to.bigint(value)
        return
      case 'object':
        if (value === null) this.#to.byte(HEAD.null)
        else this.#object(value)
        return
      case 'function':
        // A path into an answer can be called, and so is a function.
        if (!this.#link(value)) throw new Refusal('a function')
        return
      case 'symbol':
        throw new Refusal('a symbol')
    }
  }

  #object(value: object): void {
    const prototype: unknown = Object.getPrototypeOf(value)
    if (prototype === Object.prototype || prototype === null) this.#plain(value as Record<string, unknown>)
    else if (Array.isArray(value) && prototype === Array.prototype) this.#array(value)
    else if (value instanceof Uint8Array && isBytePrototype(prototype)) this.#to.bytes(value)
    else if (value instanceof Date && prototype === Date.prototype) this.#date(value)
    else if (value instanceof Map && prototype === Map.prototype) this.#map(value)
    else if (value instanceof Set && prototype === Set.prototype) this.#set(value)
    else if (!this.#link(value)) throw refuseInstance(value)
  }

  /** @returns false when `value` cannot travel. */
  #link(value: object): boolean {
    const written = this.#links?.write(value, this.#to) ?? false
    if (typeof written === 'boolean') return written
    this.#item(written.instead)
    return true
  }

  #plain(value: Record<string, unknown>): void {
    const keys = Object.keys(value)
    // An iterable that was written as a literal has no keys; sent as data it would arrive as nothing.
    if (keys.length === 0 && Symbol.asyncIterator in value && this.#link(value)) return
    if (keys.length > VALUE_OBJECT_MEMBERS_MAX) {
      throw new Refusal(`an object of more than ${VALUE_OBJECT_MEMBERS_MAX} members`, 'Send a Map')
    }
    this.#enter(value)
    const level = this.#depth - 1
    this.#to.head(MAJOR.map, keys.length)
    for (const key of keys) {
      this.#steps[level] = key
      this.#key(key)
      this.#item(value[key])
    }
    this.#leave()
  }

  #array(value: readonly unknown[]): void {
    const { length } = value
    this.#enter(value)
    const level = this.#depth - 1
    this.#to.head(MAJOR.array, length)
    for (let i = 0; i < length; i++) {
      this.#steps[level] = i
      const member = value[i]
      if (member === undefined && !Object.hasOwn(value, i)) {
        throw new Refusal('an empty slot of an array', 'Put undefined or null there')
      }
      this.#item(member)
    }
    this.#leave()
  }

  #map(value: ReadonlyMap<unknown, unknown>): void {
    const { size } = value
    this.#enter(value)
    const level = this.#depth - 1
    this.#to.head(MAJOR.tag, TAG.map)
    this.#to.head(MAJOR.map, size)
    let ordinal = 0
    for (const [key, member] of value) {
      this.#steps[level] = ordinal++
      this.#mapKey(key)
      this.#item(member)
    }
    if (ordinal !== size) throw new Refusal('a Map that changes while it is read')
    this.#leave()
  }

  #set(value: ReadonlySet<unknown>): void {
    const { size } = value
    this.#enter(value)
    const level = this.#depth - 1
    this.#to.head(MAJOR.tag, TAG.set)
    this.#to.head(MAJOR.array, size)
    let ordinal = 0
    for (const member of value) {
      this.#steps[level] = ordinal++
      this.#count(member)
      this.#item(member)
    }
    if (ordinal !== size) throw new Refusal('a Set that changes while it is read')
    this.#leave()
  }

  #enter(container: object): void {
    if (this.#depth >= VALUE_MAX_DEPTH) {
      if (this.#parents.includes(container)) {
        throw new Refusal('an object that contains itself', undefined, true)
      }
      throw new Refusal(`more than ${VALUE_MAX_DEPTH} levels of nesting`)
    }
    this.#parents[this.#depth++] = container
  }

  #leave(): void {
    this.#parents[--this.#depth] = undefined
  }

  #key(key: string): void {
    if (++this.#items > VALUE_MAX_ITEMS) throw new Refusal(`more than ${VALUE_MAX_ITEMS} items`)
    if (key === '__proto__') throw new Refusal('the key __proto__')
    if (this.#to.text(key) > VALUE_KEY_MAX_BYTES) {
      throw new Refusal(`a key of more than ${VALUE_KEY_MAX_BYTES} bytes`)
    }
  }

  #mapKey(key: unknown): void {
    if (typeof key === 'string') this.#key(key)
    else if (typeof key === 'object' && key !== null) throw new Refusal('a Map key that is an object')
    else {
      this.#count(key)
      this.#item(key)
    }
  }

  /** Count a member of a Set or a key of a Map that the receiver must hash without a secret. */
  #count(hashed: unknown): void {
    if (typeof hashed !== 'number' && typeof hashed !== 'bigint') return
    if (++this.#hashedNumbers <= VALUE_HASHED_NUMBERS_MAX) return
    throw new Refusal(
      `more than ${VALUE_HASHED_NUMBERS_MAX} numbers in Sets and as keys of Maps`,
      'Send an array, and make the Set or Map of it where it arrives',
    )
  }

  #date(value: Date): void {
    const ms = value.getTime()
    if (Number.isNaN(ms)) throw new Refusal('an invalid Date')
    this.#to.head(MAJOR.tag, TAG.date)
    this.#to.number(ms)
  }
}

function isBytePrototype(prototype: unknown): boolean {
  return prototype === Uint8Array.prototype || (prototype === bufferPrototype && prototype !== undefined)
}
