// The seam between values and the session that they travel in: what is no data, but stands in a value as a short tagged item
// (spec/rpc.md §5). Leaves out what stands behind it (session-links.ts) and the judging of its bytes (guard-links.ts).
import type { ItemWriter } from './item-writer.js'
import { LINK_TAG, MAJOR } from './value-tags.js'

/** A step into an answer: member of an object, index of an array. */
export type PathKey = string | number

/** To be written in the place of a value: what a promise has given meanwhile. */
export interface Substitute {
  readonly instead: unknown
}

/** Writes what is no plain data. */
export interface LinkWriter {
  /** @param value - neither plain data nor a container.
   * @returns false when it cannot travel, with nothing written. Throws `Refusal` when it could, but not now. */
  write(value: object, to: ItemWriter): boolean | Substitute
}

/** Builds what links stand for. Never throws: what is wrong is noted, and the value is given up once it is read. */
export interface LinkReader {
  /** @param isProxied - the sender passes its calls on. */
  mine(id: number, isProxied: boolean): unknown
  yours(id: number): unknown
  answer(call: number, path: readonly PathKey[]): unknown
  stream(id: number, isBytes: boolean): unknown
  capability(text: string): unknown
}

/** A reference by its number. */
export function writeReference(to: ItemWriter, tag: 'mine' | 'passedOn' | 'yours', id: number): void {
  to.head(MAJOR.tag, LINK_TAG[tag])
  to.head(MAJOR.unsigned, id)
}

/** An answer that is still to come, or a member of it. */
export function writeAnswer(to: ItemWriter, call: number, path: readonly PathKey[]): void {
  to.head(MAJOR.tag, LINK_TAG.answer)
  to.head(MAJOR.array, 1 + path.length)
  to.head(MAJOR.unsigned, call)
  for (const key of path) {
    if (typeof key === 'number') to.head(MAJOR.unsigned, key)
    else to.text(key)
  }
}

/** A stream that the sender feeds. */
export function writeStream(to: ItemWriter, id: number, isBytes: boolean): void {
  to.head(MAJOR.tag, LINK_TAG.stream)
  to.head(MAJOR.array, 2)
  to.head(MAJOR.unsigned, id)
  to.head(MAJOR.unsigned, isBytes ? 1 : 0)
}

/** A capability with its secret. */
export function writeCapability(to: ItemWriter, text: string): void {
  to.head(MAJOR.tag, LINK_TAG.capability)
  to.text(text)
}
