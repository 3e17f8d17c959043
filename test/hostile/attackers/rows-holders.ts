// Rows of the table of attackers: those who hold some capability of the service.
import {
  anonymous,
  callerHidden,
  can,
  cannot,
  costsHandshake,
  message1Sealed,
  NO_KEY,
  notTheService,
  objectHidden,
  onlyHimself,
  restSealed,
  SILENCE,
} from './cells.js'
import type { Attacker, Cell, Power } from './table.js'

const KK_TAG = 'with the capability he makes the tag of every client that he knows, and compares'
const WITHOUT_KK = ['NK', 'XK', 'IK'] as const

/** KK names the caller and the object to who has the very capability. */
const recognises = (by: readonly Power[]): { caller: readonly Cell[]; object: readonly Cell[] } => ({
  caller: [
    anonymous,
    cannot(['XK', 'IK'], ['staticKey'], NO_KEY, "her key is encrypted to the service's static key, and more"),
    can(['KK'], by, KK_TAG),
  ],
  object: [objectHidden(['staticKey'], WITHOUT_KK), can(['KK'], by, KK_TAG)],
})

/** A holder whose capability is in force no longer. */
const ended = (state: 'revoked' | 'expired', who: string): Attacker => ({
  name: `${state} holder`,
  powers: ['recording', state],
  active: true,
  who,
  cells: {
    message1: [message1Sealed()],
    rest: [restSealed()],
    caller: callerHidden(),
    object: [objectHidden()],
    compute: [costsHandshake([state])],
    actCaller: [
      cannot(['NK'], ['own'], `session/${state}`, 'the service tells him so, and opens no session'),
      cannot(
        ['XK', 'IK'],
        ['own', 'callerKey'],
        `session/${state}`,
        'the service tells him so, and opens no session',
      ),
      cannot(['KK'], ['capability', 'callerKey'], SILENCE, 'he is no contact'),
    ],
    reach: [cannot('any', ['own'], `session/${state}`, 'the service tells him so, and opens no session')],
    actService: [notTheService(['staticKey', 'capability'])],
  },
})

export const HOLDERS: readonly Attacker[] = [
  ended('revoked', 'Held a capability of the same object; it was revoked.'),
  ended('expired', 'Held a capability of the same object; its time is over.'),
  {
    name: 'other holder of the same service',
    powers: ['recording', 'other'],
    active: true,
    who: 'Holds a capability of another object.',
    cells: {
      message1: [message1Sealed()],
      rest: [restSealed()],
      caller: callerHidden(),
      object: [objectHidden()],
      compute: [costsHandshake(['other'])],
      actCaller: [
        cannot(['NK'], ['capability'], 'another object', 'his capability leads to his object'),
        cannot(
          ['XK', 'IK'],
          ['capability', 'callerKey'],
          'another object',
          'his capability leads to his object',
        ),
        cannot(['KK'], ['capability', 'callerKey'], SILENCE, 'he is no contact'),
      ],
      reach: [cannot('any', ['capability'], 'another object', 'his capability leads to his object')],
      actService: [notTheService(['staticKey', 'capability'])],
    },
  },
  {
    name: 'ancestor',
    powers: ['recording', 'parent'],
    active: true,
    who: 'Narrowed his capability and gave the result to the caller: he can compute hers. Who narrowed it further than that is hidden from him by the salts of the caveats.',
    cells: {
      message1: [message1Sealed()],
      rest: [restSealed(['dhSecrets'])],
      ...recognises(['recording', 'parent']),
      compute: [costsHandshake(['parent'])],
      actCaller: [
        can(['NK'], ['parent'], 'an anonymous caller is her capability, and he can compute it'),
        ...onlyHimself(['callerKey']),
      ],
      reach: [can('any', ['parent'], 'he may do all that he handed on')],
      actService: [notTheService(['staticKey'])],
    },
  },
  {
    name: 'descendant',
    powers: ['recording', 'child'],
    active: true,
    who: "Got a capability that was narrowed from the caller's: to the method list.",
    cells: {
      message1: [message1Sealed()],
      rest: [restSealed()],
      caller: callerHidden(),
      object: [objectHidden()],
      compute: [costsHandshake(['child'])],
      actCaller: [
        cannot(['NK'], ['capability'], 'not as the caller', 'his caveats stay: HMAC cannot be undone'),
        ...onlyHimself(['capability', 'callerKey']),
      ],
      reach: [can('any', ['child'], 'as far as his caveats allow')],
      actService: [notTheService(['staticKey', 'capability'])],
    },
  },
  {
    name: 'thief of the capability',
    powers: ['recording', 'capability'],
    active: true,
    who: "Has a copy of the caller's capability, or was given the same one.",
    cells: {
      message1: [message1Sealed()],
      rest: [restSealed(['dhSecrets'])],
      ...recognises(['recording', 'capability']),
      compute: [costsHandshake(['capability'])],
      actCaller: [
        can(['NK'], ['capability'], 'an anonymous caller is her capability'),
        ...onlyHimself(['callerKey']),
      ],
      reach: [can('any', ['capability'], 'a capability is a bearer secret, unless it is bound')],
      actService: [notTheService(['staticKey'])],
    },
  },
  {
    name: 'thief of a capability that is bound to the caller',
    powers: ['recording', 'capability'],
    active: true,
    bound: true,
    who: "The same, where the capability has a holder caveat for the caller's key. There is no NK then.",
    cells: {
      message1: [{ ...message1Sealed(), patterns: ['XK', 'IK', 'KK'] }],
      rest: [{ ...restSealed(['dhSecrets']), patterns: ['XK', 'IK', 'KK'] }],
      caller: [
        cannot(
          ['XK', 'IK'],
          ['staticKey'],
          NO_KEY,
          "her key is encrypted to the service's static key, and more",
        ),
        can(['KK'], ['recording', 'capability'], KK_TAG),
      ],
      object: [objectHidden(['staticKey'], ['XK', 'IK']), can(['KK'], ['recording', 'capability'], KK_TAG)],
      compute: [
        can(
          ['XK', 'IK', 'KK'],
          ['capability'],
          'a capability that proves itself is answered; KK only for contacts',
          {
            XK: 3,
            IK: 4,
            KK: 2,
          },
        ),
      ],
      actCaller: onlyHimself(['callerKey'], 'holder'),
      reach: [
        cannot(
          'any',
          ['callerKey'],
          'holder, session/denied',
          'another key does not satisfy the caveat, and NK has none',
        ),
      ],
      actService: [notTheService(['staticKey'], ['XK', 'IK', 'KK'])],
    },
  },
]
