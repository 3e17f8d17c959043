// The table of attackers of a mailbox: who has what, and what he can and cannot do with it. One source for the names of the
// tests (test/hostile/attackers-mailbox.test.ts), for what they expect, and for docs/threat-model.md (mailbox-page.ts).
// Leaves out how the attacks work (mailbox-attacks.ts).

/** What an attacker of a mailbox may have; the text completes "he has" and "he would need". */
export const MAIL_POWERS = {
  recording: 'all bytes between the sender and the relay',
  cut: 'the cables, which he can cut',
  store: "a copy of the relay's store",
  relay: 'the relay with its store',
  deposit: 'the deposit address that the sender uses',
  own: 'a deposit address of the box, made for him',
  revoked: 'a deposit address of the box, revoked',
  other: 'a deposit address of another box of the reader',
  notify: 'the notify capability',
  collect: 'the collect address',
  writerKey: "the writer's secret key",
  readerKey: "the reader's secret key",
  noSeen: 'a reader that keeps no seen-set',
} as const
/** Name of a power. */
export type MailPower = keyof typeof MAIL_POWERS

/** What they are after; the order is that of the columns. */
export const MAIL_GOALS = {
  read: 'read a message',
  who: 'learn who wrote',
  put: 'put a message in',
  take: 'take messages out',
  twice: 'have a message taken twice',
  moved: 'have it taken in another box',
  writer: 'be taken for another writer',
  arrival: 'learn that something arrived',
  denial: 'keep a message from arriving',
} as const
/** Name of a goal. */
export type MailGoal = keyof typeof MAIL_GOALS

/** One cell. */
export type MailCell =
  | {
      readonly can: true
      /** Exactly this is enough, and each of it is needed. */
      readonly by: readonly MailPower[]
      readonly why: string
    }
  | {
      readonly can: false
      /** With this in addition he could, and each of it is needed. */
      readonly needs: readonly MailPower[]
      /** Where the attack ends. */
      readonly because: string
      readonly why: string
    }

/** One row. */
export interface MailAttacker {
  readonly name: string
  readonly powers: readonly MailPower[]
  /** For the page: who this is. */
  readonly who: string
  readonly cells: Readonly<Partial<Record<MailGoal, MailCell>>>
}

const can = (by: readonly MailPower[], why: string): MailCell => ({ can: true, by, why })
const cannot = (needs: readonly MailPower[], because: string, why: string): MailCell => ({
  can: false,
  needs,
  because,
  why,
})

/** Reasons as the attacks give them. */
export const MAIL_ENDS = {
  unseen: 'no envelope shows',
  sealed: 'does not open',
  nowhere: 'nowhere to put it',
  toolless: 'nothing to take it with',
  duplicate: 'duplicate',
  seen: 'dropped as seen',
  himself: 'not as the writer',
  silence: 'silence',
  blind: 'nothing to tell by',
  arrived: 'it arrived',
} as const
const END = MAIL_ENDS
/** What a relay says of a method that the object of a capability does not have. */
const NO_METHOD = 'rpc/unimplemented'
const ALTERED = 'seal/altered'
const REVOKED = 'session/revoked'

const SEALED = "it is sealed to the reader's key"
const WRITER_SEALED = "the writer's key is inside the seal, and the relay is not told it"
const NOT_COLLECT = 'only the collect address has methods that show or remove messages'
const OWN_KEY = 'pattern X proves the key that sealed, his own'
const FILLS = 'he fills the box; the sender is told so and waits until there is room'
const COUNTS = 'the box tells its limit: he fills it, and counts how many fewer it took'

/** All rows. */
export const MAIL_ATTACKERS: readonly MailAttacker[] = [
  {
    name: 'listener on the wire who can cut it',
    powers: ['recording', 'cut'],
    who: 'Sees every byte between the sender and the relay, sends it again, and can end connections.',
    cells: {
      read: cannot(['store', 'readerKey'], END.unseen, `the session hides the envelope, and ${SEALED}`),
      who: cannot(['store', 'readerKey'], END.unseen, `the session is anonymous, and ${WRITER_SEALED}`),
      twice: cannot(['relay', 'noSeen'], END.silence, 'a session that is sent again is not answered'),
      arrival: can(['recording'], 'lengths and times show a deposit'),
      denial: can(['cut'], 'what does not reach the relay waits in the outbox'),
    },
  },
  {
    name: "thief of the relay's store",
    powers: ['store'],
    who: 'Has a copy of the database, as it was once.',
    cells: {
      read: cannot(['readerKey'], END.sealed, SEALED),
      who: cannot(['readerKey'], END.sealed, WRITER_SEALED),
      put: cannot(['deposit'], END.nowhere, 'it holds hashes of aliases, and no capability'),
      take: cannot(['collect'], END.toolless, 'it holds hashes of aliases, and no capability'),
      arrival: can(['store'], 'it shows what lies in each box'),
      denial: cannot(['deposit'], END.arrived, 'a copy changes nothing'),
    },
  },
  {
    name: 'the relay itself',
    powers: ['relay'],
    who: 'Keeps the boxes, and does with them what it likes: drops, delays, reorders, repeats, moves. Knows which alias is used when and from where.',
    cells: {
      read: cannot(['readerKey'], END.sealed, SEALED),
      who: cannot(['readerKey'], END.sealed, WRITER_SEALED),
      put: cannot(
        ['deposit'],
        ALTERED,
        'the seal is bound to the name of the box, which the relay is not told',
      ),
      take: can(['relay'], 'it keeps them'),
      twice: cannot(['noSeen'], END.seen, 'the reader computes the id itself, and remembers it'),
      moved: cannot(['readerKey', 'other'], ALTERED, 'the seal is bound to the name of the box'),
      writer: cannot(['deposit', 'writerKey'], ALTERED, 'it knows neither the name of the box nor the key'),
      arrival: can(['relay'], 'it sees every deposit'),
      denial: can(
        ['relay'],
        'it drops it; a gap in the series shows the reader that, once a later one comes',
      ),
    },
  },
  {
    name: 'holder of the deposit address',
    powers: ['deposit'],
    who: 'Has the very address that the sender uses.',
    cells: {
      read: cannot(['collect', 'readerKey'], NO_METHOD, NOT_COLLECT),
      who: cannot(['collect', 'readerKey'], NO_METHOD, NOT_COLLECT),
      put: can(['deposit'], 'that is what it is for'),
      take: cannot(['collect'], NO_METHOD, NOT_COLLECT),
      writer: cannot(['writerKey'], END.himself, OWN_KEY),
      arrival: can(['deposit'], COUNTS),
      denial: can(['deposit'], FILLS),
    },
  },
  {
    name: 'another depositor',
    powers: ['own'],
    who: 'Has an address that the owner granted to him; it can be revoked alone.',
    cells: {
      read: cannot(['collect', 'readerKey'], NO_METHOD, NOT_COLLECT),
      put: can(['own'], 'that is what it is for'),
      take: cannot(['collect'], NO_METHOD, NOT_COLLECT),
      writer: cannot(['writerKey'], END.himself, OWN_KEY),
      arrival: can(['own'], COUNTS),
      denial: can(['own'], 'the quota is that of the box, not of each depositor'),
    },
  },
  {
    name: 'revoked depositor',
    powers: ['revoked'],
    who: 'Had an address that the owner has revoked.',
    cells: {
      put: cannot(['deposit'], REVOKED, 'the relay refuses his capability'),
      arrival: cannot(['notify'], REVOKED, 'the relay refuses his capability'),
      denial: cannot(['deposit'], REVOKED, 'the relay refuses his capability'),
    },
  },
  {
    name: 'holder of notify only',
    powers: ['notify'],
    who: 'A service that wakes the reader, say.',
    cells: {
      read: cannot(['collect', 'readerKey'], NO_METHOD, 'it has no method that shows a message'),
      put: cannot(['deposit'], NO_METHOD, 'it has no method that takes one'),
      take: cannot(['collect'], NO_METHOD, 'it has no method that removes one'),
      arrival: can(['notify'], 'that is what it is for'),
      denial: cannot(['deposit'], NO_METHOD, 'it has no method that changes anything'),
    },
  },
  {
    name: "holder of collect without the reader's key",
    powers: ['collect'],
    who: 'Collects for the reader, or stole the collect address.',
    cells: {
      read: cannot(['readerKey'], END.sealed, SEALED),
      who: cannot(['readerKey'], END.sealed, WRITER_SEALED),
      put: can(['collect'], 'he grants himself a deposit capability; the address names the box'),
      take: can(['collect'], 'that is what it is for'),
      twice: cannot(['relay', 'noSeen'], END.duplicate, 'the relay remembers ids until the message expires'),
      moved: cannot(
        ['readerKey', 'other'],
        END.nowhere,
        'he has no address of the other box, and the seal is bound to this one',
      ),
      writer: cannot(['writerKey'], END.himself, OWN_KEY),
      arrival: can(['collect'], 'he sees what is in the box'),
      denial: can(['collect'], 'he takes it out'),
    },
  },
  {
    name: "thief of the writer's key",
    powers: ['writerKey', 'deposit', 'store'],
    who: "Has the key with which the writer proves herself (pattern X), the writer's address of the box, and a copy of the store.",
    cells: {
      read: cannot(['readerKey'], END.sealed, `${SEALED}, and the writer cannot open it either`),
      take: cannot(['collect'], NO_METHOD, NOT_COLLECT),
      writer: can(['writerKey', 'deposit'], 'with her key and an address he is the writer'),
    },
  },
  {
    name: "thief of the reader's key",
    powers: ['readerKey', 'deposit'],
    who: 'Has the key to which messages are sealed, and an address as senders have it.',
    cells: {
      read: cannot(
        ['collect'],
        NO_METHOD,
        'he has nothing to open: only the collect address shows envelopes',
      ),
      take: cannot(['collect'], NO_METHOD, NOT_COLLECT),
      writer: can(
        ['readerKey', 'deposit'],
        'X convinces who has not lost his key: with it anybody can be imitated, to him',
      ),
    },
  },
  {
    name: "thief of the reader's key and the relay's store",
    powers: ['readerKey', 'store'],
    who: 'Has the key and a copy of the database.',
    cells: {
      read: can(
        ['readerKey', 'store'],
        'there is no forward secrecy for the reader; the name of the box does not matter, as he need not check the tag',
      ),
      who: can(['readerKey', 'store'], "the writer's key is in the seal"),
      put: cannot(['deposit'], END.nowhere, 'he has no capability'),
      writer: cannot(['deposit'], END.nowhere, 'he has no capability'),
    },
  },
]
