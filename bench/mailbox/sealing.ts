// Messages as the benchmarks of the mailbox send them: sealed with pattern N, padded to one size class.
import { generateKeyPair } from '../../src/index.js'
import { EnvelopeWriter } from '../../src/mailbox/envelope.js'

/** With header and padding this is one size class. */
const BODY_BYTES = 824
const HEADER = {
  ...{ series: new Uint8Array(16), sequence: 0, previous: undefined, contentType: 'b', headers: {} },
  ...{ reply: undefined, receipt: undefined, inReplyTo: undefined, sentAt: 1, expires: 100 },
}

/** The recipient of all of them. */
export const key: ReturnType<typeof generateKeyPair> = generateKeyPair()

/** Seals messages for one box. */
export function sealer(box: Uint8Array): () => Uint8Array {
  const writer = new EnvelopeWriter({ to: key.publicKey, box })
  const body = new Uint8Array(BODY_BYTES)
  return () => writer.seal({ header: HEADER, body })
}
