// What a sender may say of a message besides its body, and the header that this becomes (spec/mailbox.md §4).
// Leaves out its place in a series and its times (outbox.ts).
import { hexDecode } from '../bytes.js'
import type { DepositAddress } from './address.js'
import type { MessageHeader } from './content.js'

/** What may be said of one message. */
export interface SendOptions {
  /** Its life: seconds, or `'90s'`, `'15m'`, `'1h'`, `'7d'`; default 7 days, at most 365. */
  readonly ttl?: string | number | undefined
  /** Where answers go: a deposit address of the sender's own box. */
  readonly reply?: DepositAddress | undefined
  /** Where a receipt goes once the message was acknowledged, if the recipient sends such. */
  readonly receipt?: DepositAddress | undefined
  /** Text by name, sealed like the body; at most 32. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly contentType?: string | undefined
  /** Id of the message that this one answers, hexadecimal. */
  readonly inReplyTo?: string | undefined
}

/** A header besides series and times. */
export type SaidOfMessage = Omit<MessageHeader, 'series' | 'sequence' | 'previous' | 'sentAt' | 'expires'>

/** What a header says besides its series and times. */
export function headerOf(options: SendOptions, contentType: string): SaidOfMessage {
  const { reply, receipt, headers = {}, inReplyTo } = options
  return {
    contentType: options.contentType ?? contentType,
    headers,
    reply: reply?.export(),
    receipt: receipt?.export(),
    inReplyTo: inReplyTo === undefined ? undefined : hexDecode(inReplyTo),
  }
}
