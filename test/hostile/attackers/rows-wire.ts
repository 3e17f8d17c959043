// Rows of the table of attackers: those on the wire, who have no capability.
import {
  anonymous,
  callerHidden,
  can,
  cannot,
  costsFirstDhs,
  EVERY,
  message1Sealed,
  NAMED,
  NO_KEY,
  notTheCaller,
  notTheService,
  objectHidden,
  restSealed,
  SEALED,
  SILENCE,
  UNHEARD,
  unreachable,
} from './cells.js'
import type { Attacker } from './table.js'

const WHY_XK = "XK's caller key is in message 3, under both ephemeral keys"

export const WIRE: readonly Attacker[] = [
  {
    name: 'passive observer',
    powers: ['recording'],
    active: false,
    who: 'Sees every byte, and does not know which service this is. He sends nothing; if he does, he is a replayer or a stranger.',
    cells: {
      message1: [message1Sealed()],
      rest: [restSealed()],
      caller: [
        anonymous,
        cannot(['XK'], ['publicKey', 'dhSecrets'], NO_KEY, WHY_XK),
        cannot(
          ['IK', 'KK'],
          ['staticKey'],
          NO_KEY,
          'her key is encrypted to the static key (IK) or not sent (KK)',
        ),
      ],
      object: [objectHidden()],
    },
  },
  {
    name: 'passive observer with the public key',
    powers: ['recording', 'publicKey'],
    active: false,
    who: 'Sees every byte, and recognises hellos to this service by mac1.',
    cells: {
      message1: [message1Sealed()],
      rest: [restSealed()],
      caller: [
        anonymous,
        cannot(['XK'], ['dhSecrets'], NO_KEY, WHY_XK),
        cannot(
          ['IK', 'KK'],
          ['staticKey'],
          NO_KEY,
          'her key is encrypted to the static key (IK) or not sent (KK)',
        ),
      ],
      object: [objectHidden()],
    },
  },
  {
    name: 'quantum computer, later',
    powers: ['recording', 'publicKey', 'dhSecrets'],
    active: false,
    who: 'Keeps a recording until every Diffie-Hellman key in it can be broken; HMAC and the AEAD hold.',
    cells: {
      message1: [
        can(
          EVERY,
          ['recording', 'publicKey', 'dhSecrets'],
          'message 1 is under Diffie-Hellman alone: the PSK comes later',
        ),
      ],
      rest: [cannot(EVERY, ['capability'], SEALED, 'the rest is under the PSK as well')],
      caller: [
        anonymous,
        can(
          NAMED,
          ['recording', 'publicKey', 'dhSecrets'],
          "IK's key is in message 1; XK's stands in message 3 before the PSK; KK: he tries the keys that he knows",
        ),
      ],
      object: [can(EVERY, ['recording', 'publicKey', 'dhSecrets'], 'the locator stands in message 1')],
    },
  },
  {
    name: 'stranger',
    powers: [],
    active: true,
    who: 'Found the port. Callers may be sent to him (a lying directory), and he sends what he likes.',
    cells: {
      message1: [cannot(EVERY, ['recording', 'staticKey'], UNHEARD, 'he has heard nothing')],
      rest: [cannot(EVERY, ['recording', 'dhSecrets', 'capability'], UNHEARD, 'he has heard nothing')],
      caller: callerHidden(['staticKey'], NAMED, UNHEARD),
      object: [objectHidden(['staticKey'], EVERY, UNHEARD)],
      compute: [
        cannot(EVERY, ['publicKey'], '0 DH', 'without the public key he cannot make mac1: one HMAC, no DH'),
      ],
      actCaller: notTheCaller(),
      reach: [unreachable()],
      actService: [notTheService(['staticKey', 'capability'])],
    },
  },
  {
    name: 'stranger with the public key',
    powers: ['publicKey'],
    active: true,
    who: 'Knows which service this is, for instance from a capability that was printed without its secret.',
    cells: {
      message1: [cannot(EVERY, ['recording', 'staticKey'], UNHEARD, 'he has heard nothing')],
      rest: [cannot(EVERY, ['recording', 'dhSecrets', 'capability'], UNHEARD, 'he has heard nothing')],
      caller: callerHidden(['staticKey'], NAMED, UNHEARD),
      object: [objectHidden(['staticKey'], EVERY, UNHEARD)],
      compute: [costsFirstDhs(['publicKey'])],
      actCaller: notTheCaller(),
      reach: [unreachable()],
      actService: [notTheService(['staticKey', 'capability'])],
    },
  },
  {
    name: 'replayer of a hello',
    powers: ['recording'],
    active: true,
    who: 'Sends again what he has heard, to the service and to the caller.',
    cells: {
      message1: [message1Sealed()],
      rest: [restSealed()],
      caller: callerHidden(),
      object: [objectHidden()],
      compute: [
        cannot(
          EVERY,
          ['restart'],
          '0 DH',
          'the service remembers the ephemeral keys of proven hellos: no DH',
        ),
      ],
      actCaller: notTheCaller(),
      reach: [unreachable()],
      actService: [notTheService(['staticKey', 'capability'])],
    },
  },
  {
    name: 'replayer to a restarted service',
    powers: ['recording', 'restart'],
    active: true,
    who: 'The same, when the memory of ephemeral keys is gone.',
    cells: {
      message1: [message1Sealed()],
      rest: [restSealed()],
      caller: callerHidden(),
      object: [objectHidden()],
      compute: [
        can(
          EVERY,
          ['recording', 'restart'],
          'the hello is genuine, so message 2 is made; he cannot read it',
          {
            NK: 2,
            XK: 2,
            IK: 4,
            KK: 4,
          },
        ),
      ],
      actCaller: [
        cannot(
          ['NK'],
          ['capability'],
          'session/protocol',
          'the first record is under a fresh ephemeral key of the service',
        ),
        cannot(
          ['IK', 'KK'],
          ['capability', 'callerKey'],
          'session/protocol',
          'the first record is under a fresh ephemeral key of the service',
        ),
        cannot(['XK'], ['capability', 'callerKey'], SILENCE, 'so is message 3'),
      ],
      reach: [unreachable('session/protocol')],
      actService: [notTheService(['staticKey', 'capability'])],
    },
  },
]
