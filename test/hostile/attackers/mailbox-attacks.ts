// The attacks on a mailbox: one for each goal, everything that the knowledge allows, against the living relay and reader.
// Leaves out who knows what (mailbox-table.ts, mailbox-knowledge.ts).
import { concat, equalConstantTime, hexEncode } from '../../../src/bytes.js'
import { CollectInterface, DepositInterface, NotifyInterface } from '../../../src/mailbox/index.js'
import type { WriterIdentity } from '../../../src/seal/index.js'
import {
  attemptInto,
  capabilitiesOf,
  type Door,
  doorsHome,
  doorsOther,
  type MailKnowledge,
} from './mailbox-knowledge.js'
import { expiry, type MailScene, MESSAGE, ROOM, seal } from './mailbox-scene.js'
import { envelopesIn, LENGTHS, openByHand, sealInTheNameOf } from './mailbox-seals.js'
import { MAIL_ENDS as END, type MailGoal } from './mailbox-table.js'
import { failure, farthest, type Outcome, SUCCESS } from './outcome.js'

/** A fresh scene, and what the attacker knows in it. */
export interface Encounter {
  readonly k: MailKnowledge
  readonly scene: MailScene
}
type Attack = (meet: () => Promise<Encounter>) => Promise<Outcome>

const FORGED = 'words of the attacker'
const CONSUMER = new Uint8Array(8).fill(7)
const ALL = { consumer: CONSUMER, leaseMs: 60_000, maxMessages: ROOM }

const ended = (ends: ReadonlySet<string>, otherwise: string): Outcome =>
  failure(ends.size === 0 ? otherwise : farthest(ends))

/** Every envelope that he can get hold of. */
async function envelopesOf(
  k: MailKnowledge,
  scene: MailScene,
  ends: Set<string>,
): Promise<readonly Uint8Array[]> {
  const wire = k.recording === undefined ? [] : [...k.recording.fromClient, ...k.recording.fromRelay]
  const found = [...wire, concat(...wire), ...(k.dump?.() ?? [])].flatMap(envelopesIn)
  for (const capability of capabilitiesOf(k)) {
    const page = await attemptInto(ends, async () => {
      const box = await scene.stub(capability, CollectInterface)
      return box.read({ after: -1, maxMessages: ROOM })
    })
    found.push(...(page?.messages ?? []).map(({ envelope }) => envelope))
  }
  return found
}

/** What he can open of it. */
function openAll(envelopes: readonly Uint8Array[], { readerKey, writerKey, ownKey }: MailKnowledge) {
  const keys = [readerKey, writerKey, ownKey].flatMap((key) => (key === undefined ? [] : [key]))
  return envelopes
    .flatMap((envelope) => keys.map((key) => openByHand(envelope, key)))
    .flatMap((opened) => (opened === undefined ? [] : [opened]))
}

const read: Attack = async (meet) => {
  const { k, scene } = await meet()
  await scene.send(true)
  const ends = new Set<string>()
  const envelopes = await envelopesOf(k, scene, ends)
  if (openAll(envelopes, k).some(({ says }) => says(MESSAGE))) return SUCCESS
  return envelopes.length > 0 ? failure(END.sealed) : ended(ends, END.unseen)
}

const who: Attack = async (meet) => {
  const { k, scene } = await meet()
  await scene.send(true)
  const ends = new Set<string>()
  const envelopes = await envelopesOf(k, scene, ends)
  const isWriter = ({ writer }: ReturnType<typeof openAll>[number]) =>
    writer !== undefined && equalConstantTime(writer, k.writer)
  if (openAll(envelopes, k).some(isWriter)) return SUCCESS
  // Whom he suspects, he looks for in all that he has.
  const all = [...(k.dump?.() ?? []), ...(k.recording?.fromClient ?? []), ...envelopes]
    .map(hexEncode)
    .join(' ')
  if (all.includes(hexEncode(k.writer))) return SUCCESS
  return envelopes.length > 0 ? failure(END.sealed) : ended(ends, END.unseen)
}

/** Put words of his own in, and see whether the reader takes them. */
async function putWords(
  { k, scene }: Encounter,
  envelopeFor: (door: Door) => Uint8Array,
  isGoal: (writer: string | undefined) => boolean,
): Promise<Outcome> {
  const ends = new Set<string>()
  const doors = await doorsHome(k, scene)
  for (const door of doors) await door.put(envelopeFor(door), ends)
  const { taken, refused } = await scene.collect(scene.home)
  const his = taken.filter(({ value }) => value === FORGED)
  if (his.some(({ writer }) => isGoal(writer))) return SUCCESS
  if (his.length > 0) ends.add(END.himself)
  for (const code of refused) ends.add(code)
  return ended(ends, END.nowhere)
}

const put: Attack = async (meet) => {
  const encounter = await meet()
  const { reader } = encounter.k
  return putWords(
    encounter,
    ({ box }) => seal(reader, box, FORGED),
    () => true,
  )
}

const writer: Attack = async (meet) => {
  const encounter = await meet()
  const { reader, writer: imitated, readerKey, writerKey, ownKey } = encounter.k
  const as: WriterIdentity = { pattern: 'X', key: writerKey ?? ownKey }
  return putWords(
    encounter,
    ({ box }) =>
      readerKey === undefined
        ? seal(reader, box, FORGED, as)
        : sealInTheNameOf(imitated, readerKey, box, FORGED),
    (shown) => shown === hexEncode(imitated),
  )
}

/** Take out all that he can. */
async function takeAll(k: MailKnowledge, scene: MailScene, ends: Set<string>): Promise<void> {
  for (const capability of capabilitiesOf(k)) {
    await attemptInto(ends, async () => {
      const box = await scene.stub(capability, CollectInterface)
      const { messages } = await box.receive({ ...ALL, waitMs: 0 })
      await box.settle({ settlements: messages.map(({ receipt }) => ({ kind: 'ack', receipt })) })
    })
  }
  if (k.relay === undefined) return
  const { store, home } = k.relay
  const { messages } = await store.lease(home, { ...ALL, maxBytes: 1_000_000 }, Date.now())
  const settlements = messages.map(({ receipt }) => ({ kind: 'ack', receipt }) as const)
  await store.settle(home, settlements, Date.now())
}

const take: Attack = async (meet) => {
  const { k, scene } = await meet()
  await scene.send(true)
  const ends = new Set<string>()
  await takeAll(k, scene, ends)
  return (await scene.waiting(scene.home)) === 0 ? SUCCESS : ended(ends, END.toolless)
}

const twice: Attack = async (meet) => {
  const { k, scene } = await meet()
  await scene.send(true)
  const envelopes = await envelopesOf(k, scene, new Set())
  const first = await scene.collect(scene.home)
  if (first.taken.length !== 1) throw new Error('the message did not come the first time')
  const ends = new Set<string>()
  if (k.recording !== undefined && (await scene.replay(k.recording)) === 0) ends.add(END.silence)
  for (const door of await doorsHome(k, scene)) {
    for (const envelope of envelopes) if (await door.put(envelope, ends)) ends.add(END.seen)
  }
  const { taken } = await scene.collect(scene.home)
  if (taken.some(({ id }) => id === first.taken[0]!.id)) return SUCCESS
  return ended(ends, END.nowhere)
}

const moved: Attack = async (meet) => {
  const { k, scene } = await meet()
  await scene.send(true)
  const ends = new Set<string>()
  const envelopes = await envelopesOf(k, scene, new Set())
  const { readerKey } = k
  const known = readerKey !== undefined && openAll(envelopes, k).some(({ says }) => says(MESSAGE))
  for (const door of doorsOther(k, scene)) {
    for (const envelope of envelopes) await door.put(envelope, ends)
    if (known) await door.put(sealInTheNameOf(k.writer, readerKey, door.box, MESSAGE), ends)
  }
  const { taken, refused } = await scene.collect(scene.other)
  if (taken.some((each) => each.value === MESSAGE && each.writer === hexEncode(k.writer))) return SUCCESS
  for (const code of refused) ends.add(code)
  return ended(ends, END.nowhere)
}

/** What he believes: whether something arrived; undefined where he cannot tell. */
async function belief({ k, scene }: Encounter, ends: Set<string>): Promise<boolean | undefined> {
  const { recording, dump, notify, collect } = k
  if (dump !== undefined) return dump().flatMap(envelopesIn).length > 0
  // The hello comes first; what else is as long as an envelope is one.
  if (recording !== undefined) return recording.fromClient.slice(1).some(({ length }) => length >= LENGTHS.N)
  const asked: (() => Promise<boolean>)[] = []
  if (collect !== undefined)
    asked.push(
      async () => (await (await scene.stub(collect.capability, CollectInterface)).stat()).arrivals > 0,
    )
  if (notify !== undefined)
    asked.push(async () => {
      const bell = await scene.stub(notify, NotifyInterface)
      return (await bell.wait({ arrivals: -1, refusals: -1, waitMs: 0 })).arrivals > 0
    })
  for (const { capability, box } of k.deposits)
    asked.push(async () => {
      const stub = await scene.stub(capability, DepositInterface)
      const { maxMessages } = await stub.limits()
      const junk = Array.from({ length: maxMessages }, () => seal(k.reader, box, FORGED))
      const messages = junk.map((envelope) => ({ envelope, expiresMs: expiry() }))
      return (await stub.deposit({ messages })).accepted < maxMessages
    })
  for (const ask of asked) {
    const told = await attemptInto(ends, ask)
    if (told !== undefined) return told
  }
  return undefined
}

const arrival: Attack = async (meet) => {
  const ends = new Set<string>()
  const beliefs: (boolean | undefined)[] = []
  for (const says of [true, false]) {
    const encounter = await meet()
    await encounter.scene.send(says)
    beliefs.push(await belief(encounter, ends))
  }
  return beliefs[0] === true && beliefs[1] === false ? SUCCESS : ended(ends, END.blind)
}

const denial: Attack = async (meet) => {
  const { k, scene } = await meet()
  const ends = new Set<string>()
  k.cut?.()
  if (k.cut === undefined) {
    for (const door of k.relay === undefined ? await doorsHome(k, scene) : [])
      for (let i = 0; i < ROOM; i++) await door.put(seal(k.reader, door.box, FORGED), ends)
  }
  await scene.send(true)
  if (k.cut === undefined) await takeAll(k, scene, ends)
  const { taken } = await scene.collect(scene.home)
  return taken.some(({ value }) => value === MESSAGE) ? ended(ends, END.arrived) : SUCCESS
}

/** An attack for each goal. */
export const MAIL_ATTACKS: Readonly<Record<MailGoal, Attack>> = {
  read,
  who,
  put,
  take,
  twice,
  moved,
  writer,
  arrival,
  denial,
}
