// What an attacker of a mailbox has, as data and as doors to the living relay: nothing reaches an attack but through this.
// Besides, everybody knows all code, and the public keys of reader and writer. Leaves out the attacks (mailbox-attacks.ts).
import type { Capability } from '../../../src/capability/index.js'
import { generateKeyPair, type KeyPair, type PublicKey, primitives } from '../../../src/crypto/index.js'
import {
  type CollectAddress,
  CollectInterface,
  type DepositAddress,
  DepositInterface,
  type MailboxStore,
} from '../../../src/mailbox/index.js'
import { expiry, type MailScene, type Recording } from './mailbox-scene.js'
import { MAIL_ENDS, type MailPower } from './mailbox-table.js'
import { codeOf } from './outcome.js'

/** All that one attacker knows. */
export interface MailKnowledge {
  readonly reader: PublicKey
  readonly writer: PublicKey
  readonly recording: Recording | undefined
  readonly cut: (() => void) | undefined
  /** Keys and values of the store. */
  readonly dump: (() => readonly Uint8Array[]) | undefined
  /** He is the relay: its store, and what it calls the two boxes. */
  readonly relay:
    | { readonly store: MailboxStore; readonly home: Uint8Array; readonly other: Uint8Array }
    | undefined
  readonly deposits: readonly DepositAddress[]
  readonly other: DepositAddress | undefined
  readonly notify: Capability<unknown> | undefined
  readonly collect: CollectAddress | undefined
  readonly writerKey: KeyPair | undefined
  readonly readerKey: KeyPair | undefined
  readonly ownKey: KeyPair
}

/** Collect what `powers` stand for in `scene`, and nothing else. */
export async function mailKnowledgeOf(
  scene: MailScene,
  powers: ReadonlySet<MailPower>,
): Promise<MailKnowledge> {
  const has = (power: MailPower) => powers.has(power)
  const deposits: DepositAddress[] = []
  if (has('deposit')) deposits.push(scene.home.deposit)
  if (has('own')) deposits.push(await scene.granted())
  if (has('revoked')) deposits.push(await scene.granted(true))
  const boxes = { home: await scene.idOf(scene.home), other: await scene.idOf(scene.other) }
  return {
    reader: scene.reader.publicKey,
    writer: scene.writer.publicKey,
    recording: has('recording') ? scene.recording : undefined,
    cut: has('cut') ? () => scene.cut() : undefined,
    dump: has('store') || has('relay') ? () => scene.dump() : undefined,
    relay: has('relay') ? { store: scene.store, ...boxes } : undefined,
    deposits,
    other: has('other') ? scene.other.deposit : undefined,
    notify: has('notify') ? scene.home.notify : undefined,
    collect: has('collect') ? scene.home.collect : undefined,
    writerKey: has('writerKey') ? scene.writer : undefined,
    readerKey: has('readerKey') ? scene.reader : undefined,
    ownKey: generateKeyPair(),
  }
}

/** Every capability of the box that he has. */
export function capabilitiesOf({ deposits, notify, collect }: MailKnowledge): readonly Capability<unknown>[] {
  const addresses = [...deposits, ...(collect === undefined ? [] : [collect])]
  return [...addresses.map(({ capability }) => capability), ...(notify === undefined ? [] : [notify])]
}

/** Run `action`; where it fails, its code goes to `ends`. */
export async function attemptInto<T>(ends: Set<string>, action: () => Promise<T>): Promise<T | undefined> {
  try {
    return await action()
  } catch (error) {
    ends.add(codeOf(error))
    return undefined
  }
}

/** A way to put envelopes into a box. */
export interface Door {
  /** The name of the box, as far as he knows it. */
  readonly box: Uint8Array
  /** @returns whether it is in the box now; why not goes to `ends`. */
  put(envelope: Uint8Array, ends: Set<string>): Promise<boolean>
}

const UNKNOWN_NAME = new Uint8Array(16)

/** All ways that he has into the box to which the writer sends. */
export async function doorsHome(k: MailKnowledge, scene: MailScene): Promise<readonly Door[]> {
  const name = k.deposits[0]?.box ?? k.collect?.box ?? UNKNOWN_NAME
  const doors = k.deposits.map(({ capability, box }) => depositDoor(scene, capability, box))
  if (k.notify !== undefined) doors.push(depositDoor(scene, k.notify, name))
  if (k.collect !== undefined) {
    const owner = await scene.stub(k.collect.capability, CollectInterface)
    doors.push(depositDoor(scene, await owner.grant({ role: 'deposit' }), name))
  }
  if (k.relay !== undefined) doors.push(relayDoor(k.relay.store, k.relay.home, name))
  return doors
}

/** All ways that he has into the other box. */
export function doorsOther(k: MailKnowledge, scene: MailScene): readonly Door[] {
  const name = k.other?.box ?? UNKNOWN_NAME
  return [
    ...(k.other === undefined ? [] : [depositDoor(scene, k.other.capability, name)]),
    ...(k.relay === undefined ? [] : [relayDoor(k.relay.store, k.relay.other, name)]),
  ]
}

function depositDoor(scene: MailScene, capability: Capability<unknown>, box: Uint8Array): Door {
  return {
    box,
    put: async (envelope, ends) => {
      const answer = await attemptInto(ends, async () => {
        const stub = await scene.stub(capability, DepositInterface)
        return stub.deposit({ messages: [{ envelope, expiresMs: expiry() }] })
      })
      if (answer?.refusal !== undefined) ends.add(answer.refusal)
      if (answer?.duplicates === 1) ends.add(MAIL_ENDS.duplicate)
      return answer?.accepted === 1 && answer.duplicates === 0
    },
  }
}

/** The relay does not compute ids when it lies. */
function relayDoor(store: MailboxStore, id: Uint8Array, box: Uint8Array): Door {
  return {
    box,
    put: async (envelope) => {
      const message = { id: primitives().randomBytes(16), envelope, expiresMs: expiry() }
      return (await store.deposit(id, 0, [message], Date.now())).accepted === 1
    },
  }
}
