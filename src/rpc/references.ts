// What a program does with a reference besides calling it: functions, so that stubs have no names but the interface's
// (docs/ownership.md). Leaves out stubs themselves (stub.ts).
import type { NoisecapError } from '../errors.js'
import { callerOf, duplicateStub } from './stub.js'

/** A reference of your own to the same object, to be disposed by you: what keeps one that came as an argument beyond its
 * call, and what to return of an object that others hold too.
 * @throws TypeError for anything but a reference. */
export function keep<T extends object>(reference: T): T {
  return duplicateStub(reference)
}

/** Tell once why a reference can no longer be called: its capability was revoked or expired, or its connection was lost. An
 * object that `connect` gave re-dials, and is told of refusals only. Nothing is told after disposal.
 * @throws TypeError for anything but a reference. */
export function onBroken(reference: object, tell: (error: NoisecapError) => void): void {
  callerOf(reference).whenBroken?.(tell)
}
