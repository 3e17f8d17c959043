// The attacker's own Noise: reads and writes every message of a handshake in either role with whatever secrets he has, a
// guess in the place of each that he lacks, and goes on after a field that does not open, as an honest engine never would.
// Written apart from src/noise, whose rules (keys must be present, failures are final) do not bind an attacker.
import { concat, EMPTY, hexEncode, utf8 } from '../../../src/bytes.js'
import {
  asPublicKey,
  type KeyPair,
  type PublicKey,
  primitives,
  type SecretKey,
} from '../../../src/crypto/index.js'
import { CipherState, type Role } from '../../../src/noise/index.js'

type Token = 'e' | 's' | 'ee' | 'es' | 'se' | 'ss' | 'psk'

/** Messages of the seven patterns of the project (Noise rev 34 §7.4, §7.5), and whether the initiator's key is known before. */
const PATTERNS: Readonly<Record<string, { readonly messages: string; readonly initiatorKnown: boolean }>> = {
  N: { messages: 'e es', initiatorKnown: false },
  K: { messages: 'e es ss', initiatorKnown: true },
  X: { messages: 'e es s ss', initiatorKnown: false },
  NK: { messages: 'e es|e ee', initiatorKnown: false },
  XK: { messages: 'e es|e ee|s se', initiatorKnown: false },
  IK: { messages: 'e es s ss|e ee se', initiatorKnown: false },
  KK: { messages: 'e es ss|e ee se', initiatorKnown: true },
}

/** Secret keys that somebody has come by. */
export class KeyRing {
  readonly #secrets = new Map<string, SecretKey>()

  constructor(...pairs: readonly (Pick<KeyPair, 'publicKey' | 'secretKey'> | undefined)[]) {
    for (const pair of pairs) if (pair !== undefined) this.add(pair)
  }

  /** Copied: their owners wipe theirs. */
  add(pair: Pick<KeyPair, 'publicKey' | 'secretKey'>): this {
    this.#secrets.set(hexEncode(pair.publicKey), pair.secretKey.slice() as SecretKey) // slice() loses the brand
    return this
  }

  addAll(other: KeyRing): this {
    for (const [publicKey, secret] of other.#secrets) this.#secrets.set(publicKey, secret)
    return this
  }

  has(publicKey: PublicKey): boolean {
    return this.#secrets.has(hexEncode(publicKey))
  }

  /** DH of two public keys by the secret of either; a guess where both are missing. */
  dh(a: PublicKey | undefined, b: PublicKey | undefined): Uint8Array {
    if (a !== undefined && b !== undefined) {
      const dh = primitives().dh('25519')
      const [secretA, secretB] = [a, b].map((key) => this.#secrets.get(hexEncode(key)))
      if (secretA !== undefined) return dh.dh(secretA, b)
      if (secretB !== undefined) return dh.dh(secretB, a)
    }
    return primitives().randomBytes(32)
  }
}

/** What the attacker starts from. */
export interface OpenNoiseOptions {
  readonly protocol: string
  readonly prologue?: Uint8Array
  readonly responder: PublicKey
  /** Where the pattern wants it known before: K and KK. */
  readonly initiator?: PublicKey | undefined
  readonly psk?: Uint8Array | undefined
  readonly ring: KeyRing
}

/** The fields of a message that opened. */
export interface OpenedFields {
  readonly s: PublicKey | undefined
  readonly payload: Uint8Array | undefined
}

/** One handshake as an attacker computes it. */
export class OpenNoise {
  readonly #ring: KeyRing
  readonly #psk: Uint8Array
  readonly #pskMode: boolean
  readonly #messages: readonly (readonly Token[])[]
  readonly #keys: { e: PublicKey | undefined; s: PublicKey | undefined }[]
  #index = 0
  #h: Uint8Array
  #ck: Uint8Array
  #k: Uint8Array | undefined
  #n = 0

  constructor({ protocol, prologue = EMPTY, responder, initiator, psk, ring }: OpenNoiseOptions) {
    const [, base = '', number] = /^Noise_([A-Z]+)(?:psk(\d))?_25519_ChaChaPoly_BLAKE2b$/.exec(protocol) ?? []
    const pattern = PATTERNS[base]
    if (pattern === undefined)
      throw new TypeError(`Cannot attack ${protocol}: expected one of the seven patterns`)
    const messages = pattern.messages.split('|').map((tokens) => tokens.split(' ') as Token[])
    if (number === '0') messages[0]?.unshift('psk')
    else if (number !== undefined) messages[Number(number) - 1]?.push('psk')
    this.#messages = messages
    this.#ring = ring
    this.#psk = psk ?? primitives().randomBytes(32)
    this.#pskMode = number !== undefined
    this.#keys = [
      { e: undefined, s: pattern.initiatorKnown ? initiator : undefined },
      { e: undefined, s: responder },
    ]
    this.#h = concat(utf8(protocol), new Uint8Array(64 - protocol.length)) // all seven are shorter than HASHLEN
    this.#ck = this.#h
    this.#mixHash(prologue)
    if (pattern.initiatorKnown && initiator !== undefined) this.#mixHash(initiator)
    this.#mixHash(responder)
  }

  /** Read the next message, whoever sent it. */
  read(message: Uint8Array): OpenedFields {
    const own = this.#keys[this.#index % 2]!
    let rest = message
    const take = (length: number): Uint8Array => {
      const field = rest.slice(0, length)
      rest = rest.subarray(length)
      return field
    }
    let s: PublicKey | undefined
    for (const token of this.#messages[this.#index]!) {
      if (token === 'e') {
        own.e = asPublicKey(take(32))
        this.#mixEphemeral(own.e)
      } else if (token === 's') {
        const opened = this.#decryptAndHash(take(48))
        s = opened && asPublicKey(opened)
        own.s = s
      } else this.#mixSecret(token)
    }
    const payload = this.#decryptAndHash(rest)
    this.#index += 1
    return { s, payload }
  }

  /** Write the next message in the name of whoever's turn it is. `s` may be the key of another. */
  write(payload: Uint8Array, e: KeyPair, s?: PublicKey): Uint8Array {
    const own = this.#keys[this.#index % 2]!
    this.#ring.add(e)
    const parts: Uint8Array[] = []
    for (const token of this.#messages[this.#index]!) {
      if (token === 'e') {
        own.e = e.publicKey
        this.#mixEphemeral(e.publicKey)
        parts.push(e.publicKey)
      } else if (token === 's') {
        own.s = s
        parts.push(this.#encryptAndHash(s ?? new Uint8Array(32)))
      } else this.#mixSecret(token)
    }
    parts.push(this.#encryptAndHash(payload))
    this.#index += 1
    return concat(...parts)
  }

  /** The transport keys as he computes them; true ones only if every secret was. */
  split(): Readonly<Record<Role, CipherState>> {
    const [initiator, responder] = this.#hkdf(EMPTY)
    const cipher = (key: Uint8Array) => new CipherState(primitives().aead('ChaChaPoly'), key.subarray(0, 32))
    return { initiator: cipher(initiator!), responder: cipher(responder!) }
  }

  #mixSecret(token: Exclude<Token, 'e' | 's'>): void {
    if (token === 'psk') {
      const [ck, hash, k] = this.#hkdf(this.#psk)
      this.#ck = ck!
      this.#mixHash(hash!)
      this.#setKey(k!)
      return
    }
    const [a, b] = token as unknown as readonly ['e' | 's', 'e' | 's'] // a string of two letters
    this.#mixKey(this.#ring.dh(this.#keys[0]![a], this.#keys[1]![b]))
  }

  #mixEphemeral(e: PublicKey): void {
    this.#mixHash(e)
    if (this.#pskMode) this.#mixKey(e)
  }

  #mixHash(data: Uint8Array): void {
    this.#h = primitives().hash('BLAKE2b').hash(this.#h, data)
  }

  #mixKey(secret: Uint8Array): void {
    const [ck, k] = this.#hkdf(secret)
    this.#ck = ck!
    this.#setKey(k!)
  }

  #setKey(k: Uint8Array): void {
    this.#k = k.subarray(0, 32)
    this.#n = 0
  }

  #hkdf(secret: Uint8Array): readonly Uint8Array[] {
    const { hmac } = primitives().hash('BLAKE2b')
    const temp = hmac(this.#ck, secret)
    const first = hmac(temp, Uint8Array.of(1))
    const second = hmac(temp, first, Uint8Array.of(2))
    return [first, second, hmac(temp, second, Uint8Array.of(3))]
  }

  #nonce(): Uint8Array {
    const nonce = new Uint8Array(12)
    nonce[4] = this.#n // a handshake encrypts a handful of fields
    this.#n += 1
    return nonce
  }

  #encryptAndHash(plaintext: Uint8Array): Uint8Array {
    const out = new Uint8Array(plaintext.length + 16)
    primitives().aead('ChaChaPoly').withKey(this.#k!).seal(this.#nonce(), this.#h, plaintext, out)
    this.#mixHash(out)
    return out
  }

  #decryptAndHash(ciphertext: Uint8Array): Uint8Array | undefined {
    if (ciphertext.length < 16) return undefined
    const out = new Uint8Array(ciphertext.length - 16)
    const key = primitives().aead('ChaChaPoly').withKey(this.#k!)
    const opened = key.open(this.#nonce(), this.#h, ciphertext, out)
    this.#mixHash(ciphertext)
    return opened ? out : undefined
  }
}
