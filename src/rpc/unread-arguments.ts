// Arguments of calls that never run: what they bring is let go all the same, since their sender would hold its references and
// feed its streams until the session ends (spec/rpc.md §4). Leaves out why a call does not run (dispatch.ts).
import { letGo } from './answers.js'
import { OPEN_AUTHORITY } from './exports.js'
import { bringsLinks } from './guard-links.js'
import type { SessionLinks } from './session-links.js'
import { judgeSessionValue, readSessionValue } from './values.js'

/** Let go of what `bytes[start, end)` brings, if it is a value at all. */
export function letGoUnread(bytes: Uint8Array, start: number, end: number, links: SessionLinks): void {
  try {
    judgeSessionValue(bytes, start, end)
  } catch {
    return
  }
  if (!bringsLinks()) return
  readSessionValue(bytes, start, links.beginRead(OPEN_AUTHORITY, undefined))
  if (links.arrived !== undefined) letGo(links.arrived)
}
