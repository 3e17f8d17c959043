// Envelopes (spec/mailbox.md §3): a message sealed to its recipient, bound to its box and padded to a size class, and the id
// that relay and recipient work out from its bytes. Every envelope has an epoch of its own, so that no two show a common origin.
// Leaves out what is inside (content.ts) and delivery.
import { label } from '../bytes.js'
import { type Capability, keyHash } from '../capability/index.js'
import { type KeyPair, type PublicKey, primitives } from '../crypto/index.js'
import { NoisecapError } from '../errors.js'
import { MAILBOX_ENVELOPE_MAX_BYTES, MAILBOX_SIZE_CLASSES } from '../limits.js'
import {
  type Acceptance,
  bytes,
  Column,
  checkHintless,
  type Provenance,
  SealReader,
  SealWriter,
  splitByReader,
  type WriterIdentity,
  withHintOf,
  withoutHint,
} from '../seal/index.js'
import { decodeContent, encodeContent, ID_BYTES, type MessageContent } from './content.js'

const ID_LABEL = label('noisecap/v1 message')
const TABLE = 'noisecap/v1 mailbox'
/** Epochs that a reader keeps: each is of one message, which may be looked at twice. */
const EPOCHS_KEPT = 4

const messages = new Column({ table: TABLE, column: 'message', codec: bytes, padding: MAILBOX_SIZE_CLASSES })
const groupMessages = new Column({
  table: TABLE,
  column: 'group',
  codec: bytes,
  padding: MAILBOX_SIZE_CLASSES,
})

/** The id of an envelope, 16 bytes; whoever has the envelope computes it himself. */
export function messageId(envelope: Uint8Array): Uint8Array {
  return primitives().hash('SHA256').hash(ID_LABEL, envelope).slice(0, ID_BYTES)
}

/** Whether `bytes` have the shape of an envelope; all that a relay can check.
 * @throws `seal/malformed`, `seal/version`, `seal/too_large`. */
export function checkEnvelope(bytes: Uint8Array): void {
  if (bytes.length > MAILBOX_ENVELOPE_MAX_BYTES) {
    throw new NoisecapError(
      'seal/too_large',
      `Cannot take envelope: expected at most ${MAILBOX_ENVELOPE_MAX_BYTES} bytes`,
    )
  }
  checkHintless(bytes)
}

/** For whom a sender seals. */
export interface Recipient {
  /** Public key, or a capability of the recipient's for sealing. */
  readonly to: PublicKey | Capability<unknown>
  /** 16 bytes that name the box to sender and recipient. */
  readonly box: Uint8Array
}

/** Seals messages to one box; `using` wipes. */
export class EnvelopeWriter implements Disposable {
  readonly #writer: SealWriter
  readonly #row: readonly Uint8Array[]

  /** @throws as {@link SealWriter}. */
  constructor({ to, box }: Recipient, as?: WriterIdentity) {
    this.#writer = new SealWriter({ to, as, epoch: { maxValues: 1 } })
    this.#row = rowOf(box, to instanceof Uint8Array ? to : to.publicKey)
  }

  /** The envelope of a message.
   * @throws as {@link encodeContent}. */
  seal(content: MessageContent): Uint8Array {
    return withoutHint(this.#writer.seal(encodeContent(content), messages.at(this.#row)))
  }

  [Symbol.dispose](): void {
    this.#writer[Symbol.dispose]()
  }
}

/** One envelope for each of `readers`, in their order, of a body that is sealed once.
 * @param group - 16 bytes that name the group to its members.
 * @param readers - 1 to 64. */
export function sealToGroup(
  group: Uint8Array,
  readers: readonly PublicKey[],
  content: MessageContent,
): readonly Uint8Array[] {
  using writer = new SealWriter({ to: readers, epoch: { maxValues: 1 } })
  return splitByReader(writer.seal(encodeContent(content), groupMessages.at(group)))
}

/** What a recipient is made of. */
export interface EnvelopeReaderOptions<Accepted extends Acceptance> {
  readonly key: KeyPair
  /** 16 bytes that name the box. */
  readonly box: Uint8Array
  readonly accept: readonly Accepted[]
  /** Names of groups whose messages are taken in this box, 16 bytes each. */
  readonly groups?: readonly Uint8Array[] | undefined
}

/** An opened message. */
export interface OpenedMessage<Accepted extends Acceptance = Acceptance> extends MessageContent {
  readonly from: Provenance<Accepted['pattern']>
  /** The group to which it was sent; undefined where it was sent to this box alone. */
  readonly group: Uint8Array | undefined
}

/** Opens the messages of one box; `using` wipes. */
export class EnvelopeReader<const Accepted extends Acceptance = Acceptance> implements Disposable {
  readonly #key: KeyPair
  readonly #reader: SealReader<Accepted>
  readonly #row: readonly Uint8Array[]
  readonly #groups: readonly Uint8Array[]

  /** @throws TypeError, RangeError. */
  constructor({ key, box, accept, groups = [] }: EnvelopeReaderOptions<Accepted>) {
    this.#key = key
    this.#reader = new SealReader({ keys: key, accept, maxEpochs: EPOCHS_KEPT })
    this.#row = rowOf(box, key.publicKey)
    this.#groups = groups
  }

  /** Open one envelope.
   * @param envelope - borrowed.
   * @throws as {@link SealReader.open}; `mailbox/malformed`. */
  open(envelope: Uint8Array): OpenedMessage<Accepted> {
    const sealed = withHintOf(envelope, this.#key.publicKey)
    let failure: unknown
    for (const group of [undefined, ...this.#groups]) {
      const place = group === undefined ? messages.at(this.#row) : groupMessages.at(group)
      try {
        const { value, from } = this.#reader.open(sealed, place)
        return { ...decodeContent(value), from, group }
      } catch (error) {
        failure = error
        // Another place is tried only for what this place does not explain.
        if (!(error instanceof NoisecapError) || error.code !== 'seal/altered') throw error
      }
    }
    throw failure
  }

  [Symbol.dispose](): void {
    this.#reader[Symbol.dispose]()
  }
}

/** Box and recipient, as the associated data names them. */
function rowOf(box: Uint8Array, recipient: PublicKey): readonly Uint8Array[] {
  if (box.length !== ID_BYTES) throw new RangeError(`Cannot name box: expected 16 bytes, got ${box.length}`)
  return [box.slice(), keyHash(recipient)]
}
