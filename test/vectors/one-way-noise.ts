// A reader of sealed values of its own, from spec/seal.md, Noise rev 34 and node:crypto alone: nothing of src/ is used. Not fast,
// not constant-time, for vectors only.
import {
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
} from 'node:crypto'

const PKCS8 = Buffer.from('302e020100300506032b656e04220420', 'hex')
const SPKI = Buffer.from('302a300506032b656e032100', 'hex')
const blake2b = (...parts: Uint8Array[]) => createHash('blake2b512').update(Buffer.concat(parts)).digest()
const hmac = (algorithm: string, key: Uint8Array, ...parts: Uint8Array[]) =>
  createHmac(algorithm, key).update(Buffer.concat(parts)).digest()
const privateKey = (secret: Uint8Array) =>
  createPrivateKey({ key: Buffer.concat([PKCS8, secret]), format: 'der', type: 'pkcs8' })
const dh = (secret: Uint8Array, point: Uint8Array) =>
  diffieHellman({
    privateKey: privateKey(secret),
    publicKey: createPublicKey({ key: Buffer.concat([SPKI, point]), format: 'der', type: 'spki' }),
  })
export const publicKeyOf = (secret: Uint8Array) =>
  createPublicKey(privateKey(secret)).export({ format: 'der', type: 'spki' }).subarray(12)

function decrypt(key: Uint8Array, nonce: Uint8Array, ad: Uint8Array, sealed: Uint8Array): Buffer {
  const decipher = createDecipheriv('chacha20-poly1305', key, nonce, { authTagLength: 16 })
  decipher.setAAD(ad, { plaintextLength: sealed.length - 16 })
  decipher.setAuthTag(sealed.subarray(-16))
  return Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()])
}

/** Tokens of the one message of each pattern (Noise rev 34 §7.4, §9). */
const TOKENS: Readonly<Record<string, readonly string[]>> = {
  N: ['e', 'es'],
  X: ['e', 'es', 's', 'ss'],
  K: ['e', 'es', 'ss'],
  Npsk0: ['psk', 'e', 'es'],
  Xpsk1: ['e', 'es', 's', 'ss', 'psk'],
  Kpsk0: ['psk', 'e', 'es', 'ss'],
}

/** Read one message as its responder.
 * @param writer - K: known beforehand.
 * @returns the payload and the writer's key, if the pattern has one. */
export function readOneWay(
  pattern: string,
  reader: Uint8Array,
  prologue: Uint8Array,
  message: Uint8Array,
  { writer, psk }: { writer?: Uint8Array | undefined; psk?: Uint8Array | undefined } = {},
) {
  let h: Buffer = Buffer.alloc(64)
  h.write(`Noise_${pattern}_25519_ChaChaPoly_BLAKE2b`)
  let ck = h
  let k = Buffer.alloc(32)
  let n = 0
  let rest = Buffer.from(message)
  let rs = writer
  let re = Buffer.alloc(32)
  const mixHash = (data: Uint8Array) => {
    h = blake2b(h, data)
  }
  const hkdf = (material: Uint8Array) => {
    const temp = hmac('blake2b512', ck, material)
    const first = hmac('blake2b512', temp, Buffer.of(1))
    const second = hmac('blake2b512', temp, first, Buffer.of(2))
    return [first, second, hmac('blake2b512', temp, second, Buffer.of(3))] as const
  }
  const mixKey = (material: Uint8Array) => {
    const [first, second] = hkdf(material)
    ck = first
    k = second.subarray(0, 32)
    n = 0
  }
  const take = (length: number) => {
    const field = rest.subarray(0, length)
    rest = rest.subarray(length)
    return field
  }
  const decryptAndHash = (field: Buffer) => {
    const nonce = Buffer.alloc(12)
    nonce.writeBigUInt64LE(BigInt(n++), 4)
    const plain = decrypt(k, nonce, h, field)
    mixHash(field)
    return plain
  }
  mixHash(prologue)
  if (pattern.startsWith('K')) mixHash(writer!)
  mixHash(publicKeyOf(reader))
  for (const token of TOKENS[pattern]!) {
    if (token === 'e') {
      re = take(32)
      mixHash(re)
      if (psk !== undefined) mixKey(re)
    } else if (token === 's') rs = decryptAndHash(take(48))
    else if (token === 'es') mixKey(dh(reader, re))
    else if (token === 'ss') mixKey(dh(reader, rs!))
    else {
      const [first, second, third] = hkdf(psk!)
      ck = first
      mixHash(second)
      k = third.subarray(0, 32)
      n = 0
    }
  }
  return { payload: decryptAndHash(rest), writer: rs }
}

export const sha256 = (...parts: Uint8Array[]) => createHash('sha256').update(Buffer.concat(parts)).digest()
export const hmacSha256 = (key: Uint8Array, ...parts: Uint8Array[]) => hmac('sha256', key, ...parts)
export { decrypt }
