// The table of attackers: who has what, and what he can and cannot do with it. One source for the names of the tests
// (test/hostile/attackers-*.test.ts), for what they expect, and for docs/threat-model.md (page.ts).
// Leaves out how the attacks work (knowledge.ts, reading.ts, approaching.ts, answering.ts). The rows are in rows-*.ts.
import type { PatternName } from '../../../src/capability/index.js'
import { BETWEEN } from './rows-between.js'
import { HOLDERS } from './rows-holders.js'
import { THIEVES } from './rows-thieves.js'
import { WIRE } from './rows-wire.js'

/** What an attacker may have; the text completes "he has" and "he would need". */
export const POWERS = {
  recording: 'all bytes of a session of the caller',
  publicKey: 'the public key of the service',
  staticKey: 'the static key of the service',
  root: 'the root secrets of the service',
  capability: "the caller's capability",
  parent: "the capability that he narrowed to make the caller's",
  child: "a capability narrowed from the caller's",
  own: 'a capability of the same object, in force',
  revoked: 'a capability of the same object, revoked',
  expired: 'a capability of the same object, expired',
  other: 'a capability of another object',
  callerKey: "the caller's secret key",
  dhSecrets: 'the secret of every Diffie-Hellman key of the session',
  restart: 'a service that was restarted since',
  through: 'the caller dialling the service through him',
  elsewhere: 'a hello of the same caller to a service of his own',
} as const
/** Name of a power. */
export type Power = keyof typeof POWERS

/** What attackers are after; the order is that of the columns. */
export const GOALS = {
  message1: 'read message 1',
  rest: 'read the rest',
  caller: 'learn the caller',
  object: 'learn the object',
  compute: 'make the service compute',
  actCaller: 'act as the caller',
  reach: "reach the caller's object",
  actService: 'act as the service',
} as const
/** Name of a goal. */
export type Goal = keyof typeof GOALS

/** One cell of the table, for some patterns or for all of them; where the pattern plays no part `any`. */
export type Cell =
  | {
      readonly can: true
      readonly patterns: readonly PatternName[] | 'any'
      /** Exactly this is enough, and each of it is needed. */
      readonly by: readonly Power[]
      readonly why: string
      /** Diffie-Hellmans at the service, by pattern. */
      readonly dhs?: Readonly<Partial<Record<PatternName, number>>>
    }
  | {
      readonly can: false
      readonly patterns: readonly PatternName[] | 'any'
      /** With this in addition he could, and each of it is needed; `never`: with nothing. */
      readonly needs: readonly Power[] | 'never'
      /** Where the attack ends. */
      readonly because: string
      readonly why: string
    }

/** One row. */
export interface Attacker {
  readonly name: string
  readonly powers: readonly Power[]
  /** Whether he answers callers and sends to the service, or listens only. */
  readonly active: boolean
  /** The caller's capability is bound to her key. */
  readonly bound?: boolean
  /** The caller's key is the service's. */
  readonly oneKey?: boolean
  /** For the page: who this is. */
  readonly who: string
  readonly cells: Readonly<Partial<Record<Goal, readonly Cell[]>>>
}

/** All rows by family: one test file each. */
export const FAMILIES = {
  wire: WIRE,
  holders: HOLDERS,
  thieves: THIEVES,
  between: BETWEEN,
} as const satisfies Record<string, readonly Attacker[]>
