// Receipts (spec/mailbox.md §7.5): a message without a body that names the one that was acknowledged. Sent before the relay of
// that one is told, so that a crash in between repeats a receipt and loses none; a relay of receipts that cannot be reached holds nothing
// up. Leaves out who asks for them (outbox.ts).
import { EMPTY } from '../bytes.js'
import type { Clock } from '../clock.js'
import { primitives } from '../crypto/index.js'
import { MAILBOX_TTL_SECONDS } from '../limits.js'
import { DepositAddress } from './address.js'
import { ID_BYTES, type MessageHeader } from './content.js'
import { EnvelopeWriter } from './envelope.js'
import { DepositInterface } from './interfaces.js'
import { RECEIPT_TYPE } from './received.js'
import { connectionOf, type Reach } from './relay-client.js'

const RECEIPT_TIMEOUT_MS = 10_000

/** Send the receipt that a message asks for, if it does; whatever fails is left at that. */
export async function sendReceipt(
  { receipt }: MessageHeader,
  id: Uint8Array,
  reach: Reach,
  clock: Clock,
): Promise<void> {
  if (receipt === undefined) return
  try {
    const address = DepositAddress.parse(receipt)
    using writer = new EnvelopeWriter({ to: address.to, box: address.box })
    const { header, expiresMs } = headerOf(id, clock)
    const envelope = writer.seal({ header, body: EMPTY })
    const signal = clock.timeoutSignal(RECEIPT_TIMEOUT_MS)
    await using relay = await reach.connect(address.capability, DepositInterface, connectionOf(reach, signal))
    await relay.deposit({ messages: [{ envelope, expiresMs }] }, { signal })
  } catch {
    // The sender hears nothing, as from a recipient that sends no receipts.
  }
}

function headerOf(id: Uint8Array, clock: Clock): { header: MessageHeader; expiresMs: number } {
  const sentAt = Math.floor(clock.wallMs() / 1_000)
  const expires = sentAt + MAILBOX_TTL_SECONDS
  const header = {
    series: primitives().randomBytes(ID_BYTES),
    sequence: 0,
    previous: undefined,
    sentAt,
    expires,
    contentType: RECEIPT_TYPE,
    headers: {},
    reply: undefined,
    receipt: undefined,
    inReplyTo: id,
  }
  return { header, expiresMs: expires * 1_000 }
}
