// What a program does with a reference besides calling it: functions, so that stubs have no names but the interface's
// (docs/ownership.md). Leaves out stubs themselves (stub.ts).
import type { NoisecapError } from '../errors.js'
import { AnswerCaller } from './reference-promise.js'
import { callerOf, duplicateStub } from './stub.js'

/** A reference of your own to the same object, to be disposed by you: what keeps one that came as an argument beyond its
 * call, and what to return of an object that others hold too.
 * @throws TypeError for anything but a reference. */
export function keep<T extends object>(reference: T): T {
  return duplicateStub(reference)
}

/** Whether calls on a reference are passed on by somebody in between: it was sent by one who holds it from another host. That
 * one can read, alter and refuse every call, and the reference ends with its session; a capability instead is dialled
 * directly (see `capabilityOf`). It is the sender's word: a sender that hides it is as good as the host itself.
 * @param reference - not the promise of one: which it will be is not known before.
 * @throws TypeError for anything but a reference that is there. */
export function isProxied(reference: object): boolean {
  const caller = callerOf(reference)
  if (caller instanceof AnswerCaller)
    throw new TypeError(
      'Cannot tell whether a reference is proxied: expected one that is there, got a promise',
    )
  return (caller.current?.() ?? caller).isProxied === true
}

/** Tell once why a reference can no longer be called: its capability was revoked or expired, or its connection was lost. An
 * object that `connect` gave re-dials, and is told of refusals only. Nothing is told after disposal.
 * @throws TypeError for anything but a reference. */
export function onBroken(reference: object, tell: (error: NoisecapError) => void): void {
  callerOf(reference).whenBroken?.(tell)
}
