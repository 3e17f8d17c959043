// Opening a header (spec/seal.md §6): find the wrap by its hint, read it with the reader's key, check the commitment, and only
// then say what is wrong with writer or capability. The order is what keeps strangers from learning anything.
// Leaves out remembering what was opened (epoch-cache.ts).
import { EMPTY, equalConstantTime, wipe } from '../bytes.js'
import type { ShownCapability } from '../capability/index.js'
import { type AeadKey, asPublicKey, type KeyPair, type PublicKey } from '../crypto/index.js'
import { disposing } from '../disposing.js'
import { NoisecapError } from '../errors.js'
import { SEAL_READER_KEYS_MAX, SEAL_WRAPS_TRIED_MAX, SEAL_WRITERS_MAX } from '../limits.js'
import { type Acceptance, type Admitted, acceptsWriter, admit, type Provenance } from './acceptance.js'
import { commitmentOf, hintOf, valueCipher } from './epoch-keys.js'
import { altered, openError } from './failure.js'
import { KnownHeader } from './known-header.js'
import type { Header, Wrap } from './layout.js'
import type { SealPatternName } from './pattern.js'
import { openLocator } from './sealed-locator.js'
import { readWrap, type Unwrapped } from './wrap.js'

/** An epoch whose header has been opened and accepted. */
export interface OpenedEpoch {
  header: KnownHeader
  /** The same before readers were added or removed: values are rewrapped one by one. */
  formerHeader: KnownHeader | undefined
  readonly commitment: Uint8Array
  readonly cipher: AeadKey
  /** 32 bytes, from which the keys of streams follow; wiped when the epoch is forgotten. */
  readonly epochKey: Uint8Array
  readonly from: Provenance
  /** Undefined where no capability was used. */
  readonly admitted: Admitted | undefined
}

/** Whatever was read of one wrap, authentic. */
interface Genuine extends Unwrapped {
  readonly admit: (() => Admitted) | undefined
}

/** One reader's keys and what it accepts. */
export class HeaderOpener {
  readonly #keys: readonly KeyPair[]
  readonly #acceptances: ReadonlyMap<SealPatternName, Acceptance>

  /** @throws RangeError, TypeError. */
  constructor(keys: readonly KeyPair[], accept: readonly Acceptance[]) {
    if (keys.length === 0 || keys.length > SEAL_READER_KEYS_MAX) {
      throw new RangeError(
        `Cannot read seals: expected 1 to ${SEAL_READER_KEYS_MAX} key pairs, got ${keys.length}`,
      )
    }
    this.#keys = [...keys]
    this.#acceptances = new Map(accept.map((acceptance) => [acceptance.pattern, ownCopy(acceptance)]))
    if (accept.length === 0 || this.#acceptances.size !== accept.length) {
      throw new TypeError('Cannot read seals: expected at least one accepted pattern, each once')
    }
  }

  /** @throws `seal/not_accepted`, `seal/not_for_reader`, `seal/altered`, `seal/denied`. */
  open(header: Header): OpenedEpoch {
    const acceptance = this.#acceptances.get(header.pattern.name)
    if (acceptance === undefined) {
      throw openError('seal/not_accepted', 'expected a pattern that this reader accepts', {
        hint: 'Patterns that a reader shall accept are given when it is made',
      })
    }
    let tried = 0
    for (const wrap of header.wraps) {
      for (const key of this.#keys) {
        if (!equalConstantTime(hintOf(key.publicKey, wrap.message), wrap.hint)) continue
        if (tried++ >= SEAL_WRAPS_TRIED_MAX) throw altered()
        const genuine = readGenuine(header, wrap, key, acceptance)
        if (genuine !== undefined) return opened(header, genuine, acceptance)
      }
    }
    if (tried > 0) throw altered()
    throw openError('seal/not_for_reader', 'expected one that is sealed to a key of this reader')
  }
}

/** The epoch key of an N header, for adding readers.
 * @returns 32 bytes that the caller wipes, and the wrap that held them.
 * @throws as {@link HeaderOpener.open}. */
export function epochKeyOf(header: Header, key: KeyPair): { epochKey: Uint8Array; wrap: Wrap } {
  const matching = header.wraps.filter(({ message, hint }) =>
    equalConstantTime(hintOf(key.publicKey, message), hint),
  )
  for (const wrap of matching.slice(0, SEAL_WRAPS_TRIED_MAX)) {
    const genuine = readGenuine(header, wrap, key, { pattern: 'N' })
    if (genuine !== undefined) return { epochKey: genuine.epochKey, wrap }
  }
  if (matching.length > 0) throw altered()
  throw openError('seal/not_for_reader', 'expected one that is sealed to this key')
}

/** What `wrap` holds, undefined where it is not authentic or belongs to another commitment. */
function readGenuine(header: Header, wrap: Wrap, key: KeyPair, acceptance: Acceptance): Genuine | undefined {
  const genuine =
    'capabilities' in acceptance
      ? readUnderCapability(header, wrap, key, acceptance)
      : acceptance.pattern === 'K'
        ? readOfKnown(header, wrap, key, acceptance.writers)
        : quietly(() => readWrap(header, wrap, key, undefined, undefined))
  if (genuine === undefined) return undefined
  const commitment = commitmentOf(genuine.epochKey, header.core, genuine.writer ?? EMPTY)
  if (equalConstantTime(commitment, header.commitment)) return { admit: undefined, ...genuine }
  wipe(genuine.epochKey)
  return undefined
}

function readOfKnown(
  header: Header,
  wrap: Wrap,
  key: KeyPair,
  writers: readonly PublicKey[],
): Unwrapped | undefined {
  for (const writer of writers) {
    const unwrapped = quietly(() => readWrap(header, wrap, key, writer, undefined))
    if (unwrapped !== undefined) return unwrapped
  }
  return undefined
}

function readUnderCapability(
  header: Header,
  wrap: Wrap,
  key: KeyPair,
  acceptance: Extract<Acceptance, { capabilities: unknown }>,
): Genuine | undefined {
  const { capabilities } = acceptance
  const plaintext = quietly(() => openLocator(key, header.core, header.commitment, wrap.sealedLocator))
  const shown = plaintext && capabilities.authority.seals.decodeShown(plaintext)
  if (shown === undefined || !writerFits(shown, acceptance)) return undefined
  const verified = capabilities.authority.verify(shown.locator)
  if (!verified.ok) return undefined
  const psk = verified.keys.psk(header.pattern.protocol)
  const unwrapped = quietly(() => readWrap(header, wrap, key, shown.writer, psk))
  wipe(psk)
  if (unwrapped === undefined) {
    verified[Symbol.dispose]()
    return undefined
  }
  return {
    ...unwrapped,
    admit: () =>
      disposing(verified, () => admit(verified, capabilities, header.pattern, unwrapped.writer, shown)),
  }
}

/** A writer's key stands in the locator of K and of no other; which keys are accepted is not told before the proof. */
function writerFits({ writer }: ShownCapability, acceptance: Acceptance): boolean {
  if (acceptance.pattern !== 'Kpsk0') return writer === undefined
  return writer !== undefined && acceptsWriter(acceptance.writers, writer)
}

function opened(header: Header, genuine: Genuine, acceptance: Acceptance): OpenedEpoch {
  const { epochKey, writer } = genuine
  try {
    const admitted = genuine.admit?.()
    if (writer !== undefined && 'writers' in acceptance && !acceptsWriter(acceptance.writers, writer)) {
      throw openError('seal/not_accepted', 'expected a writer that this reader accepts')
    }
    const from = Object.freeze({
      pattern: header.pattern.name,
      ...(writer === undefined ? {} : { writer }),
      ...(admitted === undefined ? {} : { capability: admitted.sealedUnder }),
    }) as Provenance // a writer exactly for X and K, a capability exactly for patterns with a PSK
    return {
      // Not `slice`, which of a Buffer shares the memory that the caller will use again.
      header: new KnownHeader(header.body),
      formerHeader: undefined,
      commitment: new Uint8Array(header.commitment),
      cipher: valueCipher(epochKey, header.core, writer ?? EMPTY),
      epochKey,
      from,
      admitted,
    }
  } catch (error) {
    wipe(epochKey)
    throw error
  }
}

/** Forget the keys of an opened epoch. */
export function forget({ cipher, epochKey }: OpenedEpoch): void {
  cipher[Symbol.dispose]()
  wipe(epochKey)
}

/** The result of `read`, undefined where what it reads is not authentic. */
function quietly<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof NoisecapError && /^(noise|seal)\//.test(error.code)) return undefined
    throw error
  }
}

/** Keys may change in the caller's hands. */
function ownCopy(acceptance: Acceptance): Acceptance {
  if (!('writers' in acceptance) || acceptance.writers === 'anyone') return acceptance
  if (acceptance.writers.length === 0 || acceptance.writers.length > SEAL_WRITERS_MAX) {
    throw new RangeError(
      `Cannot read seals: expected 1 to ${SEAL_WRITERS_MAX} writers of pattern ${acceptance.pattern}, got ${acceptance.writers.length}`,
    )
  }
  return {
    ...acceptance,
    writers: acceptance.writers.map((key) => asPublicKey(new Uint8Array(asPublicKey(key)))),
  }
}
