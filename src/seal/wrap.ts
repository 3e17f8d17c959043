// Wraps (spec/seal.md §5): the epoch key as the payload of one one-way Noise message to one reader, bound by its prologue to
// the core of the header, the commitment and the sealed locator.
// Leaves out which wraps a reader tries and what it accepts (header-opener.ts).
import { EMPTY, label } from '../bytes.js'
import type { KeyPair, PublicKey } from '../crypto/index.js'
import { withHandshake } from '../noise/own-handshake.js'
import { hintOf, prologueOf } from './epoch-keys.js'
import { encodeWrap, type Header, type Wrap } from './layout.js'
import type { SealPattern } from './pattern.js'

const WRAP_LABEL = label('noisecap/v1 wrap')

/** What one wrap is made of. */
export interface WrapParts {
  readonly pattern: SealPattern
  readonly reader: PublicKey
  /** X and K. */
  readonly writer: KeyPair | undefined
  /** Patterns with a PSK: 32 bytes, borrowed. */
  readonly psk: Uint8Array | undefined
  readonly sealedLocator: Uint8Array | undefined
  readonly core: Uint8Array
  readonly commitment: Uint8Array
  readonly epochKey: Uint8Array
}

/** One wrap, with its hint. */
export function writeWrap(parts: WrapParts): Uint8Array {
  const { pattern, reader, writer, psk, sealedLocator, core, commitment, epochKey } = parts
  const message = withHandshake(
    {
      protocol: pattern.protocol,
      role: 'initiator',
      prologue: prologueOf(WRAP_LABEL, core, commitment, sealedLocator ?? EMPTY),
      rs: reader,
      ...(writer === undefined ? {} : { s: writer }),
      ...(psk === undefined ? {} : { psks: [psk] }),
    },
    (noise) => noise.writeMessage(epochKey),
  )
  return encodeWrap(hintOf(reader, message), sealedLocator, message)
}

/** What is in one wrap. */
export interface Unwrapped {
  /** 32 bytes, the caller's to wipe. */
  readonly epochKey: Uint8Array
  /** Proven writer: received with X, given with K, undefined with N. */
  readonly writer: PublicKey | undefined
}

/** Read one wrap.
 * @param writer - K: the key that the writer is expected to have.
 * @param psk - 32 bytes, borrowed.
 * @throws what Noise throws when the message is not authentic. */
export function readWrap(
  header: Header,
  wrap: Wrap,
  reader: KeyPair,
  writer: PublicKey | undefined,
  psk: Uint8Array | undefined,
): Unwrapped {
  return withHandshake(
    {
      protocol: header.pattern.protocol,
      role: 'responder',
      prologue: prologueOf(WRAP_LABEL, header.core, header.commitment, wrap.sealedLocator),
      s: reader,
      ...(writer === undefined ? {} : { rs: writer }),
      ...(psk === undefined ? {} : { psks: [psk] }),
    },
    (noise) => ({
      epochKey: noise.readMessage(wrap.message),
      writer: header.pattern.writer === 'unknown' ? undefined : noise.remoteStatic,
    }),
  )
}
