// Rows of the table of attackers: those who stole a key.
import {
  anonymous,
  callerHidden,
  can,
  cannot,
  costsFirstDhs,
  costsHandshake,
  EVERY,
  message1Sealed,
  NAMED,
  NO_KEY,
  notTheCaller,
  notTheService,
  objectHidden,
  restSealed,
  SILENCE,
  unreachable,
} from './cells.js'
import type { Attacker } from './table.js'

const OPENS =
  "message 1 is encrypted to the service's static key alone; KK: he tries the client keys that he knows"
const POSING =
  'she tells it to whoever has the static key and answers her: with XK in message 3, before the PSK'

export const THIEVES: readonly Attacker[] = [
  {
    name: "thief of the caller's key",
    powers: ['recording', 'publicKey', 'callerKey'],
    active: true,
    who: "Has the caller's key pair, but none of her capabilities.",
    cells: {
      message1: [message1Sealed()],
      rest: [restSealed()],
      caller: callerHidden(),
      object: [objectHidden()],
      compute: [costsFirstDhs(['publicKey'])],
      actCaller: [cannot(EVERY, ['capability'], SILENCE, 'a key is nobody without a capability')],
      reach: [unreachable()],
      actService: [notTheService(['staticKey', 'capability'])],
    },
  },
  {
    name: 'thief of the static key who listens',
    powers: ['recording', 'staticKey'],
    active: false,
    who: 'Has the static key without the root secrets, and recordings.',
    cells: {
      message1: [can(EVERY, ['recording', 'staticKey'], OPENS)],
      rest: [restSealed()],
      caller: [
        anonymous,
        cannot(['XK'], ['dhSecrets'], NO_KEY, "XK's caller key is in message 3, under both ephemeral keys"),
        can(
          ['IK', 'KK'],
          ['recording', 'staticKey'],
          "IK's key is in message 1; KK: he tries the keys that he knows",
        ),
      ],
      object: [can(EVERY, ['recording', 'staticKey'], 'the locator stands in message 1')],
    },
  },
  {
    name: 'thief of the static key who listens to a bound caller',
    powers: ['recording', 'staticKey'],
    active: false,
    bound: true,
    who: "The same, where the capability has a holder caveat for the caller's key.",
    cells: {
      message1: [can(NAMED, ['recording', 'staticKey'], OPENS)],
      rest: [{ ...restSealed(), patterns: NAMED }],
      caller: [
        cannot(
          ['XK'],
          ['capability'],
          NO_KEY,
          'the commitment to her key stands in message 1, its salt in message 3',
        ),
        can(['IK', 'KK'], ['recording', 'staticKey'], 'as without the caveat'),
      ],
      object: [can(NAMED, ['recording', 'staticKey'], 'the locator stands in message 1')],
    },
  },
  {
    name: 'thief of the static key who answers',
    powers: ['recording', 'staticKey'],
    active: true,
    who: 'The same, when callers reach him instead of the service.',
    cells: {
      message1: [can(EVERY, ['recording', 'staticKey'], OPENS)],
      rest: [restSealed()],
      caller: [anonymous, can(NAMED, ['staticKey'], POSING)],
      object: [can(EVERY, ['staticKey'], 'the locator stands in message 1')],
      compute: [costsFirstDhs(['staticKey'])],
      actCaller: notTheCaller(),
      reach: [unreachable()],
      actService: [notTheService(['capability'])],
    },
  },
  {
    name: 'thief of the static key who holds the capability',
    powers: ['recording', 'staticKey', 'capability'],
    active: true,
    who: "Has the static key, and the caller's capability or one that hers was narrowed from.",
    cells: {
      message1: [can(EVERY, ['recording', 'staticKey'], OPENS)],
      rest: [restSealed(['dhSecrets'])],
      caller: [anonymous, can(NAMED, ['staticKey'], POSING)],
      object: [can(EVERY, ['staticKey'], 'the locator stands in message 1')],
      compute: [
        can(
          EVERY,
          ['capability'],
          'a capability that proves itself is answered; he can pose as a contact in message 1',
          {
            NK: 2,
            XK: 3,
            IK: 4,
            KK: 4,
          },
        ),
      ],
      actCaller: [
        can(['NK'], ['capability'], 'an anonymous caller is her capability'),
        cannot(['XK'], ['callerKey'], 'not as the caller', 'message 3 in her name needs her secret key (se)'),
        cannot(
          ['IK'],
          ['callerKey'],
          'message 2 does not open, not as the caller',
          'message 1 in her name he can make (ss), but message 2 and every record need her secret key (se)',
        ),
        cannot(
          ['KK'],
          ['callerKey'],
          'message 2 does not open',
          'message 1 in her name he can make (ss), but message 2 and every record need her secret key (se)',
        ),
      ],
      reach: [can('any', ['capability'], 'a capability is a bearer secret, unless it is bound')],
      actService: [
        can(EVERY, ['staticKey', 'capability'], 'to holders of that capability he is the service'),
      ],
    },
  },
  {
    name: 'thief of every long-term secret who listens',
    powers: ['recording', 'staticKey', 'root', 'capability', 'callerKey'],
    active: false,
    who: 'Gets, after a session is over, the key file of the service and all that the caller keeps.',
    cells: {
      message1: [can(EVERY, ['recording', 'staticKey'], OPENS)],
      rest: [
        cannot(
          EVERY,
          ['dhSecrets'],
          'does not open',
          'the ephemeral keys are gone: forward secrecy towards both',
        ),
      ],
      caller: [
        anonymous,
        cannot(['XK'], ['dhSecrets'], NO_KEY, "XK's caller key is in message 3, under both ephemeral keys"),
        can(['IK'], ['recording', 'staticKey'], "IK's key is in message 1"),
        can(['KK'], ['recording', 'capability'], 'by the tag, or by message 1'),
      ],
      object: [can(EVERY, ['recording', 'staticKey'], 'the locator stands in message 1')],
    },
  },
  {
    name: 'thief of the root secrets',
    powers: ['recording', 'root'],
    active: true,
    who: 'Has the root secrets and the public key, without the static key.',
    cells: {
      message1: [message1Sealed()],
      rest: [restSealed(['dhSecrets'])],
      caller: callerHidden(),
      object: [objectHidden()],
      compute: [costsHandshake(['root'])],
      actCaller: [
        can(['NK'], ['root'], 'he mints a capability of any object; only the grant id differs'),
        cannot(
          ['XK', 'IK'],
          ['callerKey'],
          'not as the caller',
          'the service sees the key that was proven, his own',
        ),
        cannot(['KK'], ['callerKey', 'capability'], SILENCE, 'contacts are found by the very capability'),
      ],
      reach: [can('any', ['root'], 'he mints a capability of any object')],
      actService: [notTheService(['staticKey'])],
    },
  },
  {
    name: 'thief of the key file',
    powers: ['recording', 'staticKey', 'root'],
    active: true,
    who: 'Has both, as they lie in one file. From then on he is the service.',
    cells: {
      message1: [can(EVERY, ['recording', 'staticKey'], OPENS)],
      rest: [cannot(EVERY, ['dhSecrets'], 'does not open', 'the ephemeral keys are gone: forward secrecy')],
      caller: [anonymous, can(NAMED, ['staticKey'], POSING)],
      object: [can(EVERY, ['staticKey'], 'the locator stands in message 1')],
      compute: [
        can(
          EVERY,
          ['root'],
          'he mints what he likes; with the static key he can pose as a contact in message 1',
          {
            NK: 2,
            XK: 3,
            IK: 4,
            KK: 4,
          },
        ),
      ],
      actCaller: [
        can(['NK'], ['root'], 'he mints a capability of any object'),
        cannot(['XK'], ['callerKey'], 'not as the caller', 'message 3 in her name needs her secret key (se)'),
        cannot(
          ['IK'],
          ['callerKey'],
          'message 2 does not open, not as the caller',
          'message 2 and every record need her secret key (se)',
        ),
        cannot(
          ['KK'],
          ['callerKey'],
          'message 2 does not open',
          'message 2 and every record need her secret key (se)',
        ),
      ],
      reach: [can('any', ['root'], 'he mints a capability of any object')],
      actService: [can(EVERY, ['staticKey', 'root'], 'he computes the PSK from the locator in message 1')],
    },
  },
]
