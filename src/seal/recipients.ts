// Whom a writer seals to, and as whom (spec/seal.md §3): public keys, or a capability whose use is `seal`; the pattern follows.
// What does not depend on the epoch (PSK, sealed locator's plaintext) is worked out once. Refuses what no reader would accept.
// Leaves out the epochs (writer-epoch.ts).
import { wipe } from '../bytes.js'
import type { Capability } from '../capability/index.js'
import { asPublicKey, type KeyPair, type PublicKey } from '../crypto/index.js'
import { disposing } from '../disposing.js'
import { NoisecapError } from '../errors.js'
import { SEAL_WRAPS_MAX } from '../limits.js'
import { redact } from '../redact.js'
import { type BarePatternName, type PskPatternName, patternOfName, type SealPattern } from './pattern.js'
import { locatorPlaintext } from './sealed-locator.js'

/** Who writes: nobody in particular, or the owner of a key pair that X carries and K expects. */
export type WriterIdentity =
  | { readonly pattern: 'N' }
  | { readonly pattern: 'X' | 'K'; readonly key: KeyPair }

const PSK_PATTERN = { N: 'Npsk0', X: 'Xpsk1', K: 'Kpsk0' } as const satisfies Record<
  BarePatternName,
  PskPatternName
>

/** The readers of a writer and all that its wraps need; wiped by `using`. */
export class Recipients implements Disposable {
  readonly pattern: SealPattern
  readonly readers: readonly PublicKey[]
  /** X and K. */
  readonly writer: KeyPair | undefined
  readonly #psk: Uint8Array | undefined
  /** Plaintext of the sealed locator. */
  readonly locator: Uint8Array | undefined

  /** @throws `seal/denied` for a capability of another use; TypeError, RangeError. */
  constructor(to: PublicKey | readonly PublicKey[] | Capability<unknown>, as: WriterIdentity) {
    this.writer = as.pattern === 'N' ? undefined : as.key
    if (isCapability(to)) {
      checkUse(to)
      this.pattern = patternOfName(PSK_PATTERN[as.pattern])
      this.readers = [to.publicKey]
      const { protocol } = this.pattern
      this.#psk = disposing(to.keys(), (keys) => keys.psk(protocol))
      this.locator = locatorPlaintext(to, as.pattern === 'K' ? as.key.publicKey : undefined)
      return
    }
    this.pattern = patternOfName(as.pattern)
    this.readers = copiesOf(to instanceof Uint8Array ? [to] : to, as.pattern)
  }

  /** 32 bytes, borrowed; undefined for bare keys. */
  get psk(): Uint8Array | undefined {
    return this.#psk
  }

  [Symbol.dispose](): void {
    if (this.#psk !== undefined) wipe(this.#psk)
  }
}

redact(Recipients, ({ pattern }) => `Recipients ${pattern.name} [redacted]`)

/** By what it has, not by its class: a page that seals to bare keys then loads no code for capabilities. */
function isCapability(to: PublicKey | readonly PublicKey[] | Capability<unknown>): to is Capability<unknown> {
  return 'keyHash' in Object(to)
}

/** A pair registered by hand says nothing about its use; its service does, when it opens. */
function checkUse(capability: Capability<unknown>): void {
  if (capability.use === undefined || capability.use === 'seal') return
  throw new NoisecapError(
    'seal/denied',
    `Cannot seal: expected a capability for seal, got one for ${capability.use}`,
    {
      hint: 'Ask its service for one minted with use: seal',
    },
  )
}

function copiesOf(keys: readonly PublicKey[], pattern: BarePatternName): readonly PublicKey[] {
  if (keys.length === 0 || keys.length > SEAL_WRAPS_MAX) {
    throw new RangeError(`Cannot seal: expected 1 to ${SEAL_WRAPS_MAX} readers, got ${keys.length}`)
  }
  if (pattern !== 'N' && keys.length > 1) {
    throw new RangeError(`Cannot seal: expected one reader with pattern ${pattern}, got ${keys.length}`)
  }
  return keys.map((key) => asPublicKey(new Uint8Array(asPublicKey(key))))
}
