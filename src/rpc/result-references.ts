// References in what a handler or a source gave and that never left: they are let go (docs/ownership.md). Such a value may be
// anything, also a Proxy or an object with getters that throw: nothing here may fail because of it.
// Leaves out values that were sent, whose references session-links.ts counts.
import { VALUE_MAX_DEPTH } from '../limits.js'
import { isReference, releaseStub } from './stub.js'

/** Let go of the references in `value`. Never throws. */
export function releaseIn(value: unknown, depth = 0): void {
  if (typeof value !== 'object' || value === null || depth > VALUE_MAX_DEPTH) return
  try {
    if (isReference(value)) void releaseStub(value)
    else if (Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype)
      for (const member of Object.values(value)) releaseIn(member, depth + 1)
  } catch {
    // Whatever it is, no reference of ours can be reached in it.
  }
}
