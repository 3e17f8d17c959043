// What attackers of a mailbox do with envelopes: find them among other bytes, open them by hand with a key that they have,
// and seal in the name of another with the secret key of the reader. Leaves out where envelopes come from and go to.
import { createDecipheriv } from 'node:crypto'
import { vi } from 'vitest'
import { concat, EMPTY, equalConstantTime, label } from '../../../src/bytes.js'
import { generateKeyPair, KeyPair, type PublicKey, primitives } from '../../../src/crypto/index.js'
import { checkEnvelope } from '../../../src/mailbox/envelope.js'
import { FORM, OFFSET, POSITION_BYTES, readHeader } from '../../../src/seal/layout.js'
import { readWrap } from '../../../src/seal/wrap.js'
import { seal } from './mailbox-scene.js'

const VALUE_LABEL = label('noisecap/v1 seal value')
const TAG_BYTES = 16
const X_CODE = 2

/** How long envelopes of short messages are: he seals some himself. */
export const LENGTHS = (() => {
  const { publicKey } = generateKeyPair()
  const sealedAs = (as?: Parameters<typeof seal>[3]) => seal(publicKey, new Uint8Array(16), '', as).length
  return { N: sealedAs(), X: sealedAs({ pattern: 'X', key: generateKeyPair() }) }
})()

/** Everything in `bytes` that has the shape of an envelope. */
export function envelopesIn(bytes: Uint8Array): readonly Uint8Array[] {
  const found: Uint8Array[] = []
  for (let at = bytes.indexOf(FORM.value); at >= 0; at = bytes.indexOf(FORM.value, at + 1)) {
    const length = bytes[at + OFFSET.pattern] === X_CODE ? LENGTHS.X : LENGTHS.N
    const candidate = bytes.slice(at, at + length)
    try {
      checkEnvelope(candidate)
      if (candidate.length === length) found.push(candidate)
    } catch {
      // Other bytes.
    }
  }
  return found
}

/** What `key` gives of an envelope, without the name of the box: the tag is not looked at.
 * @returns undefined where the key is not its reader's. */
export function openByHand(
  envelope: Uint8Array,
  key: KeyPair,
): { readonly says: (text: string) => boolean; readonly writer: PublicKey | undefined } | undefined {
  const header = readHeader(envelope)
  let unwrapped: ReturnType<typeof readWrap>
  try {
    unwrapped = readWrap(header, header.wraps[0]!, key, undefined, undefined)
  } catch {
    return undefined
  }
  const { epochKey, writer } = unwrapped
  const valueKey = primitives()
    .hash('SHA256')
    .hmac(epochKey, VALUE_LABEL, header.core, writer ?? EMPTY)
  // Block 1 of ChaCha20 for position 0, as ChaCha20-Poly1305 begins.
  const cipher = createDecipheriv('chacha20', valueKey, concat(Uint8Array.of(1), new Uint8Array(15)))
  const plain = cipher.update(envelope.subarray(header.end + POSITION_BYTES, -TAG_BYTES))
  return { says: (text) => plain.includes(text), writer }
}

/** An envelope with pattern X in the name of `writer`, made with the reader's secret key: the one Diffie-Hellman for which the
 * writer's would be needed gives the same with the reader's. */
export function sealInTheNameOf(
  writer: PublicKey,
  reader: KeyPair,
  box: Uint8Array,
  text: string,
): Uint8Array {
  const dh = primitives().dh('25519')
  const compute = dh.dh
  const stand = generateKeyPair().secretKey
  const key = KeyPair.fromSecretKey({ ...dh, publicKeyOf: () => writer }, stand)
  const spy = vi
    .spyOn(dh, 'dh')
    .mockImplementation((secretKey, publicKey) =>
      equalConstantTime(secretKey, stand) ? compute(reader.secretKey, writer) : compute(secretKey, publicKey),
    )
  try {
    return seal(reader.publicKey, box, text, { pattern: 'X', key })
  } finally {
    spy.mockRestore()
  }
}
