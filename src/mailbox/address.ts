// Addresses of boxes (spec/mailbox.md §8): a capability, and what the relay is not told: whom to seal to, and the name of the box.
// They are what is handed to senders, and what a recipient keeps. They hold secrets and print as `[redacted]`.
import { base64urlDecode, base64urlEncode } from '../bytes.js'
import { Capability, keyHashText, type Restrictions } from '../capability/index.js'
import { asPublicKey, type PublicKey } from '../crypto/index.js'
import { NoisecapError } from '../errors.js'
import { redact } from '../redact.js'
import { ID_BYTES } from './content.js'

const DEPOSIT_START = 'noisecap-deposit:1'
const COLLECT_START = 'noisecap-collect:1'
const KEY_BYTES = 32

/** Where a sender deposits, and whom it seals to. */
export class DepositAddress {
  readonly capability: Capability
  readonly #to: PublicKey
  readonly #box: Uint8Array

  /** @param box - 16 bytes; copied.
   * @throws `mailbox/address` for a capability of another use, RangeError. */
  constructor(capability: Capability<unknown>, to: PublicKey, box: Uint8Array) {
    this.capability = checkUse(capability, 'deposit')
    this.#to = asPublicKey(to.slice())
    this.#box = checkBox(box)
  }

  /** The address of its text; white space around it is ignored.
   * @throws `mailbox/address`, which holds nothing of the text. */
  static parse(text: string): DepositAddress {
    const [, to, box, capability] = partsOf(text, DEPOSIT_START, 4)
    return new DepositAddress(
      capabilityOf(capability),
      asPublicKey(bytesOf(to, KEY_BYTES)),
      bytesOf(box, ID_BYTES),
    )
  }

  /** The recipient's public key, a copy. */
  get to(): PublicKey {
    return asPublicKey(this.#to.slice())
  }

  /** Name of the box, 16 bytes, a copy. */
  get box(): Uint8Array {
    return this.#box.slice()
  }

  /** The same box through a narrower capability: one that expires, say.
   * @throws as `Capability.attenuate`. */
  attenuate(restrictions: Omit<Restrictions, 'methods'>): DepositAddress {
    return new DepositAddress(this.capability.attenuate(restrictions), this.#to, this.#box)
  }

  /** The text with the secret in it: whoever reads it may deposit. */
  export(): string {
    const { capability } = this
    return [DEPOSIT_START, base64urlEncode(this.#to), base64urlEncode(this.#box), capability.export()].join(
      '.',
    )
  }
}

/** Where a recipient collects. */
export class CollectAddress {
  readonly capability: Capability
  readonly #box: Uint8Array

  /** @param box - 16 bytes; copied.
   * @throws `mailbox/address` for a capability of another use, RangeError. */
  constructor(capability: Capability<unknown>, box: Uint8Array) {
    this.capability = checkUse(capability, 'collect')
    this.#box = checkBox(box)
  }

  /** The address of its text; white space around it is ignored.
   * @throws `mailbox/address`, which holds nothing of the text. */
  static parse(text: string): CollectAddress {
    const [, box, capability] = partsOf(text, COLLECT_START, 3)
    return new CollectAddress(capabilityOf(capability), bytesOf(box, ID_BYTES))
  }

  /** Name of the box, 16 bytes, a copy. */
  get box(): Uint8Array {
    return this.#box.slice()
  }

  /** The same box through a narrower capability: one that can only read, say.
   * @throws as `Capability.attenuate`. */
  attenuate(restrictions: Restrictions): CollectAddress {
    const { methods, ...rest } = restrictions
    const { capability } = this
    const narrowed =
      methods === undefined ? capability.attenuate(rest) : narrowMethods(capability, methods, rest)
    return new CollectAddress(narrowed, this.#box)
  }

  /** The text with the secret in it: whoever reads it may collect. */
  export(): string {
    return [COLLECT_START, base64urlEncode(this.#box), this.capability.export()].join('.')
  }
}

redact(
  DepositAddress,
  ({ capability }) => `DepositAddress at ${keyHashText(capability.publicKey)} [redacted]`,
)
redact(
  CollectAddress,
  ({ capability }) => `CollectAddress at ${keyHashText(capability.publicKey)} [redacted]`,
)

function narrowMethods(
  capability: Capability,
  methods: readonly string[],
  rest: Omit<Restrictions, 'methods'>,
): Capability {
  return capability.attenuate({ ...rest, methods: methods as readonly never[] }) as Capability // of unknown methods
}

function checkUse(capability: Capability<unknown>, use: 'deposit' | 'collect'): Capability {
  if (capability.use !== use) throw badAddress(`a capability whose use is ${use}`)
  return capability as Capability // its methods are known by its use
}

function checkBox(box: Uint8Array): Uint8Array {
  if (box.length !== ID_BYTES) throw new RangeError(`Cannot name box: expected 16 bytes, got ${box.length}`)
  return box.slice()
}

/** The text between dots; the last part keeps its own.
 * @param start - what it must begin with. */
function partsOf(text: string, start: string, count: number): readonly string[] {
  if (typeof text !== 'string') throw new TypeError('Cannot parse address: expected text')
  const parts = text.trim().split('.')
  if (parts[0] !== start || parts.length < count)
    throw badAddress(start === DEPOSIT_START ? 'a deposit address' : 'a collect address')
  return [...parts.slice(0, count - 1), parts.slice(count - 1).join('.')]
}

function bytesOf(text: string | undefined, length: number): Uint8Array {
  try {
    const bytes = base64urlDecode(text ?? '')
    if (bytes.length === length) return bytes
  } catch {
    // Below, without the text.
  }
  throw badAddress('an address that was copied whole')
}

function capabilityOf(text: string | undefined): Capability {
  try {
    return Capability.parse(text ?? '')
  } catch (error) {
    // Its errors hold nothing of the text.
    throw new NoisecapError('mailbox/address', 'Cannot use address: expected a capability in it', {
      cause: error,
    })
  }
}

function badAddress(expected: string): NoisecapError {
  return new NoisecapError('mailbox/address', `Cannot use address: expected ${expected}`, {
    hint: 'Copy it whole; openBox and `noisecap box create` make addresses',
  })
}
