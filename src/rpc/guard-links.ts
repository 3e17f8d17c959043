// The part of the guard for what belongs to a session: references, answers, streams, capabilities (spec/rpc.md §5). Each has
// one short form that is read here as a whole, so that the scan never enters it, and notes the answers that a value needs.
// Leaves out what the numbers stand for (value-links.ts).
import { CAPABILITY_TEXT_MAX_CHARS, PIPELINE_PATH_MAX_KEYS, VALUE_KEY_MAX_BYTES } from '../limits.js'
import { isUtf8 } from './guard-utf8.js'
import { LINK_TAG, MAJOR } from './value-tags.js'

/** Why a link cannot be passed over. */
export const LINK_REFUSED = -1
const ID_MAX = 0x7fff_ffff
const SAFE_HEAD_BYTES = 5

// The head just read; there is never a second scan.
let at = 0
let argument = 0
/** Answers that the value refers to, as far as anybody may care. */
const answers: number[] = []
let bringsSomething = false

/** Forget the links of the value before. */
export function resetLinks(): void {
  // Most values have none, and setting a length costs as much as judging a small value.
  if (answers.length > 0) answers.length = 0
  bringsSomething = false
}

/** Whether the value that was judged last brings references or streams, which its sender holds or feeds until told. */
export function bringsLinks(): boolean {
  return bringsSomething
}

/** Calls whose answers the value that was judged last refers to; borrowed until the next one. */
export function answersNeeded(): readonly number[] {
  return answers
}

/** Whether `tag` is that of a link. */
export function isLinkTag(tag: number): boolean {
  return tag >= LINK_TAG.mine && tag <= LINK_TAG.passedOn
}

/** Judge what stands behind `tag`.
 * @returns the position behind it, or {@link LINK_REFUSED}. */
export function passLink(tag: number, bytes: Uint8Array, start: number, end: number): number {
  at = start
  bringsSomething ||= tag === LINK_TAG.mine || tag === LINK_TAG.stream
  const ok =
    tag === LINK_TAG.answer
      ? passAnswer(bytes, end)
      : tag === LINK_TAG.stream
        ? passStream(bytes, end)
        : tag === LINK_TAG.capability
          ? passText(bytes, end, 3 * CAPABILITY_TEXT_MAX_CHARS)
          : passId(bytes, end)
  return ok ? at : LINK_REFUSED
}

/** A head of `major` with an argument of up to four bytes. */
function passHead(major: number, bytes: Uint8Array, end: number): boolean {
  if (at >= end) return false
  const head = bytes[at++]!
  const info = head & 0x1f
  if (head >> 5 !== major || info > 26) return false
  argument = info
  if (info < 24) return true
  const size = 1 << (info - 24)
  if (size >= SAFE_HEAD_BYTES || size > end - at) return false
  argument = 0
  for (let i = 0; i < size; i++) argument = argument * 256 + bytes[at++]!
  return true
}

function passId(bytes: Uint8Array, end: number): boolean {
  return passHead(MAJOR.unsigned, bytes, end) && argument <= ID_MAX
}

function passText(bytes: Uint8Array, end: number, maxBytes: number): boolean {
  if (!passHead(MAJOR.text, bytes, end) || argument > maxBytes || argument > end - at) return false
  const start = at
  at += argument
  return isUtf8(bytes, start, at)
}

/** Call, then up to eight keys: text for a member of an object, a number for one of an array. */
function passAnswer(bytes: Uint8Array, end: number): boolean {
  if (!passHead(MAJOR.array, bytes, end)) return false
  const count = argument
  if (count < 1 || count > 1 + PIPELINE_PATH_MAX_KEYS || !passId(bytes, end)) return false
  answers.push(argument)
  for (let i = 1; i < count; i++) {
    const isText = at < end && bytes[at]! >> 5 === MAJOR.text
    if (!(isText ? passText(bytes, end, VALUE_KEY_MAX_BYTES) : passId(bytes, end))) return false
  }
  return true
}

function passStream(bytes: Uint8Array, end: number): boolean {
  return (
    passHead(MAJOR.array, bytes, end) &&
    argument === 2 &&
    passId(bytes, end) &&
    passHead(MAJOR.unsigned, bytes, end) &&
    argument <= 1
  )
}
