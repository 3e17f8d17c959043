// Rows of the table of attackers: those who stand between two honest parties and turn their words against them.
import {
  callerHidden,
  cannot,
  costsFirstDhs,
  message1Sealed,
  NAMED,
  notTheCaller,
  notTheService,
  objectHidden,
  restSealed,
  SILENCE,
  unreachable,
} from './cells.js'
import type { Attacker } from './table.js'

const DIRECTIONS = 'each direction has a key of its own, and every message its place in the handshake hash'

export const BETWEEN: readonly Attacker[] = [
  {
    name: 'relay between two services',
    powers: ['recording', 'publicKey', 'elsewhere'],
    active: true,
    who: 'Runs a service that the same caller uses with the same key, and passes on what she sends it, and what the other service says.',
    cells: {
      message1: [message1Sealed()],
      rest: [restSealed()],
      caller: callerHidden(),
      object: [objectHidden()],
      compute: [costsFirstDhs(['publicKey'])],
      actCaller: notTheCaller(),
      reach: [unreachable()],
      actService: [notTheService(['staticKey', 'capability'])],
    },
  },
  {
    name: 'reflection of own messages',
    powers: ['recording', 'through'],
    active: true,
    who: 'Sends every message back to its sender. Otherwise he knows what a replayer knows.',
    cells: {
      actCaller: [
        cannot(['NK'], ['capability'], 'session/protocol', DIRECTIONS),
        cannot(['XK'], ['capability', 'callerKey'], SILENCE, DIRECTIONS),
        cannot(['IK', 'KK'], ['capability', 'callerKey'], 'session/protocol', DIRECTIONS),
      ],
      actService: [notTheService(['staticKey', 'capability'])],
    },
  },
  {
    name: 'reflection, one key on both sides',
    powers: ['recording', 'through'],
    active: true,
    oneKey: true,
    who: "The same, where the caller's key is the service's: two instances of one service call each other.",
    cells: {
      actCaller: [
        cannot(['XK'], ['capability', 'callerKey'], SILENCE, DIRECTIONS),
        cannot(['IK', 'KK'], ['capability', 'callerKey'], 'session/protocol', DIRECTIONS),
      ],
      actService: [notTheService(['callerKey', 'capability'], NAMED)],
    },
  },
]
