// A handshake of Noise rev 34 §5.3: one interpreter for every pattern, one object for one handshake in one role.
// What a caller can get wrong is checked before anything happens, so it costs nothing; from then on a failure wipes all
// keys and poisons the handshake for good: there is no half-processed state to come back to (spec/noise-profile.md §5).
// Leaves out which protocols there are (handshake-state.ts: all by name, own-handshake.ts: those of noisecap), and framing,
// negotiation and padding, which Noise leaves to the application (§13).

import { EMPTY } from '../bytes.js'
import { asPublicKey, primitives as ownPrimitives, type Primitives, type PublicKey } from '../crypto/index.js'
import { NoisecapError } from '../errors.js'
import { NOISE_MESSAGE_MAX_BYTES } from '../limits.js'
import { redact } from '../redact.js'
import { type CipherState, decryptError } from './cipher-state.js'
import { type GivenKeys, HandshakeKeys } from './handshake-keys.js'
import type { HandshakePlan, MessagePlan, Protocol } from './handshake-plan.js'
import type { Role } from './pattern-notation.js'
import { PskSlots } from './psk-slots.js'
import { TokenInterpreter } from './token-interpreter.js'

/** What a handshake is made of. */
export interface HandshakeOptions extends GivenKeys {
  /** Such as `Noise_IKpsk2_25519_ChaChaPoly_BLAKE2b`; it decides everything, PSKs included. */
  readonly protocol: string
  readonly role: Role
  /** Data that both parties must agree on; hashed, not sent, not kept. Empty when left out. */
  readonly prologue?: Uint8Array
  /** 32 bytes each, in the order of the name's psk modifiers, copied; one that is undefined or left out at the end comes by
   * {@link HandshakeState.setPsk} before the message that needs it. */
  readonly psks?: readonly (Uint8Array | undefined)[]
  /** Where the primitives come from, when not from this process's own choice. */
  readonly primitives?: Pick<Primitives, 'dh' | 'aead' | 'hash'>
}

/** What goes over to a fallback handshake. */
export type CarriedOver = Pick<HandshakeOptions, 'role' | 'e' | 're' | 'primitives'>

type State = 'writing' | 'reading' | 'finished' | 'split' | 'failed'

/** One handshake in one role; `using` wipes what is left of it. */
export class Handshake implements Disposable {
  readonly protocol: string
  readonly role: Role
  readonly #plan: HandshakePlan
  readonly #primitives: Pick<Primitives, 'dh' | 'aead' | 'hash'>
  readonly #interpreter: TokenInterpreter
  #state: State
  #messageIndex = 0
  #remoteStaticShown: boolean

  /** Prepare a handshake: hashes, and no DH in either role.
   * @throws `noise/bad_key`, `noise/bad_psk`; `crypto/unavailable` from a forced provider.
   * Source: Noise rev 34 §5.3. */
  constructor(protocol: Protocol, options: Omit<HandshakeOptions, 'protocol'>) {
    const { role, primitives = ownPrimitives(), prologue = EMPTY } = options
    if (role !== 'initiator' && role !== 'responder') {
      throw new TypeError('Cannot start handshake: expected role to be initiator or responder')
    }
    const { bytes: name, plan, dh, cipher, hash } = protocol
    const psks = new PskSlots(plan.psks, options.psks)
    const keys = new HandshakeKeys(primitives.dh(dh), plan.needs[role], options)
    const aead = primitives.aead(cipher)
    const parts = { name, plan, role, keys, psks, aead, hash: primitives.hash(hash) }
    this.#interpreter = new TokenInterpreter(parts, prologue)
    this.protocol = protocol.name
    this.role = role
    this.#plan = plan
    this.#primitives = primitives
    this.#remoteStaticShown = keys.rs !== undefined
    this.#state = role === 'initiator' ? 'writing' : 'reading'
  }

  /** Whether all handshake messages have been processed. */
  get finished(): boolean {
    return this.#state === 'finished' || this.#state === 'split'
  }

  /** The peer's static public key, a copy: the one given, or the one received, from the moment that an encrypted message
   * has authenticated or the handshake has finished. What that proves depends on the pattern (Noise rev 34 §7.7). */
  get remoteStatic(): PublicKey | undefined {
    if (this.#state === 'failed' || !this.#remoteStaticShown) return undefined
    return copyOf(this.#interpreter.keys.rs)
  }

  /** The peer's ephemeral public key, a copy, once its message has been processed. */
  get remoteEphemeral(): PublicKey | undefined {
    return this.#state === 'failed' ? undefined : copyOf(this.#interpreter.keys.re)
  }

  /** h, a copy: the same at both ends and nowhere else, for channel binding.
   * @throws `noise/not_finished`, `noise/failed`.
   * Source: Noise rev 34 §11.2. */
  get handshakeHash(): Uint8Array {
    if (!this.finished) throw this.#unfinishedError()
    return this.#interpreter.symmetric.handshakeHash.slice()
  }

  /** Bring a PSK that was not known at the start; allowed until the message that needs it.
   * @param number - of the modifier: 2 for `psk2`.
   * @param psk - 32 bytes, copied.
   * @throws `noise/bad_psk` when the name has no such modifier or it has its PSK already; `noise/finished`,
   * `noise/failed`. */
  setPsk(number: number, psk: Uint8Array): void {
    if (this.#state === 'failed') throw failedError()
    if (this.finished) throw finishedError()
    this.#interpreter.psks.set(number, psk)
  }

  /** Make the ephemeral key that the next message will send, so that its payload can speak of it (a proof over `e`).
   * @returns its public half, a copy.
   * @throws `noise/out_of_turn`, `noise/finished`, `noise/failed` as {@link writeMessage}. */
  prepareEphemeral(): PublicKey {
    this.#next('writing')
    return asPublicKey(this.#interpreter.keys.startEphemeral().slice(), this.#interpreter.keys.dhLength)
  }

  /** Write the next handshake message.
   * @param payload - borrowed; the whole message is at most 65,535 bytes.
   * @returns the message, a new array.
   * @throws before anything happens: `noise/out_of_turn`, `noise/finished`, `noise/failed`, `noise/bad_psk` when a PSK is
   * missing, `noise/message_length`; for good: `noise/bad_key` when a key of the peer is of low order. */
  writeMessage(payload: Uint8Array = EMPTY): Uint8Array {
    checkBytes(payload)
    const message = this.#next('writing')
    const length = message.overhead + payload.length
    if (length > NOISE_MESSAGE_MAX_BYTES) throw lengthError('write', message, length)
    const out = new Uint8Array(length)
    try {
      this.#interpreter.write(message, payload, out)
    } catch (error) {
      this.#abandon()
      throw isLowOrder(error) ? lowOrderError() : error
    }
    this.#advance()
    return out
  }

  /** Read the next handshake message.
   * @param bytes - borrowed.
   * @returns its payload, a new array.
   * @throws before anything happens: `noise/out_of_turn`, `noise/finished`, `noise/failed`, `noise/bad_psk` when a PSK is
   * missing; for good: `noise/message_length`, and `noise/decrypt` for everything else that is wrong with the message. */
  readMessage(bytes: Uint8Array): Uint8Array {
    checkBytes(bytes)
    const message = this.#next('reading')
    if (bytes.length < message.overhead || bytes.length > NOISE_MESSAGE_MAX_BYTES) {
      this.#abandon()
      throw lengthError('read', message, bytes.length)
    }
    const payload = new Uint8Array(bytes.length - message.overhead)
    try {
      this.#interpreter.read(message, bytes, payload)
    } catch (error) {
      this.#abandon()
      throw isLowOrder(error) ? decryptError() : error
    }
    this.#remoteStaticShown ||= this.#interpreter.keys.rs !== undefined && this.#interpreter.symmetric.hasKey
    this.#advance()
    return payload
  }

  /** End the handshake and get its transport, once. In a one-way pattern the direction that does not exist refuses use.
   * @throws `noise/not_finished`, `noise/failed`, `noise/finished` the second time.
   * Source: Noise rev 34 §5.2. */
  split(): { send: CipherState; receive: CipherState } {
    if (this.#state === 'split') throw finishedError()
    if (this.#state !== 'finished') throw this.#unfinishedError()
    const { fromInitiator, fromResponder } = this.#interpreter.symmetric.split(this.#plan.oneWay)
    this.#interpreter[Symbol.dispose]()
    this.#state = 'split'
    return this.role === 'initiator'
      ? { send: fromInitiator, receive: fromResponder }
      : { send: fromResponder, receive: fromInitiator }
  }

  /** Give way to a fallback handshake, unless `start` throws.
   * @throws `noise/out_of_turn` at any other point than after the first message. */
  protected giveWay<T>(start: (carried: CarriedOver) => T): T {
    const carried = this.#carriedEphemeral()
    if (carried === undefined) {
      throw new NoisecapError(
        'noise/out_of_turn',
        'Cannot fall back: expected exactly the first message before',
      )
    }
    const next = start({ ...carried, primitives: this.#primitives })
    this.#interpreter.keys.re = undefined
    this.#abandon()
    return next
  }

  /** Wipe all keys; an unfinished handshake is failed from then on. What `split` gave lives on. */
  [Symbol.dispose](): void {
    if (this.#state !== 'split') this.#abandon()
  }

  /** The ephemeral key of the first message and the role in a fallback, undefined where there is no way back. */
  #carriedEphemeral(): Pick<HandshakeOptions, 'role' | 'e' | 're'> | undefined {
    const { e, re } = this.#interpreter.keys
    if (this.role === 'initiator') {
      return this.#state === 'reading' && this.#messageIndex === 1 && e !== undefined
        ? { role: 'responder', e }
        : undefined
    }
    const firstIsLast = this.#messageIndex === (this.#state === 'failed' ? 0 : 1)
    return firstIsLast && re !== undefined ? { role: 'initiator', re } : undefined
  }

  /** The message whose turn it is; its PSKs are there. */
  #next(wanted: 'writing' | 'reading'): MessagePlan {
    switch (this.#state) {
      case 'failed':
        throw failedError()
      case 'finished':
      case 'split':
        throw finishedError()
      case 'writing':
      case 'reading': {
        if (this.#state !== wanted) {
          throw new NoisecapError(
            'noise/out_of_turn',
            `Cannot process handshake message: expected ${this.#state}, got ${wanted}`,
          )
        }
        const message = this.#plan.messages[this.#messageIndex]! // after the last one the state is finished
        this.#interpreter.psks.require(message.psks)
        return message
      }
    }
  }

  #advance(): void {
    this.#messageIndex += 1
    const next = this.#plan.messages[this.#messageIndex]
    if (next !== undefined) {
      this.#state = next.sender === this.role ? 'writing' : 'reading'
      return
    }
    this.#interpreter.dropKeys()
    this.#remoteStaticShown = this.#interpreter.keys.rs !== undefined
    this.#state = 'finished'
  }

  #abandon(): void {
    this.#interpreter[Symbol.dispose]()
    this.#state = 'failed'
  }

  #unfinishedError(): NoisecapError {
    if (this.#state === 'failed') return failedError()
    return new NoisecapError('noise/not_finished', 'Cannot use handshake result: messages are outstanding')
  }
}

redact(Handshake, (self) => `HandshakeState ${self.role} [redacted]`)

function copyOf(key: PublicKey | undefined): PublicKey | undefined {
  return key === undefined ? undefined : asPublicKey(key.slice(), key.length === 32 ? 32 : 56)
}

function checkBytes(bytes: Uint8Array): void {
  if (!(bytes instanceof Uint8Array)) {
    throw new TypeError('Cannot process handshake message: expected a Uint8Array')
  }
}

function isLowOrder(error: unknown): boolean {
  return error instanceof NoisecapError && error.code === 'crypto/bad_public_key'
}

function lowOrderError(): NoisecapError {
  return new NoisecapError('noise/bad_key', 'Cannot write message: a public key of the peer is of low order')
}

function failedError(): NoisecapError {
  return new NoisecapError('noise/failed', 'Cannot use handshake: it has failed or was given up')
}

function finishedError(): NoisecapError {
  return new NoisecapError('noise/finished', 'Cannot use handshake: it has finished')
}

function lengthError(action: 'read' | 'write', { overhead }: MessagePlan, length: number): NoisecapError {
  return new NoisecapError(
    'noise/message_length',
    `Cannot ${action} message: expected ${overhead} to ${NOISE_MESSAGE_MAX_BYTES} bytes, got ${length}`,
  )
}
