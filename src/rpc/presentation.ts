// The fields of PRESENT: a further capability of the same service, shown inside a session (spec/rpc.md §3, spec/session.md §5).
// Leaves out the proof itself (src/session/present.ts) and its judgement (src/served-session.ts).
import { CAVEATS_MAX, HOLDER_SALT_BYTES, LOCATOR_MAX_BYTES } from '../limits.js'
import type { ByteSink } from './byte-sink.js'
import { type FieldReader, WireError, writeBytes, writeVarint } from './wire.js'

/** Proof, bytes. */
const PROOF_BYTES = 32

/** A capability as it is shown: none of this is its secret. */
export interface Presentation {
  readonly locator: Uint8Array
  /** 32 bytes. */
  readonly proof: Uint8Array
  /** Salts of its holder caveats, in order. */
  readonly holderSalts: readonly Uint8Array[]
}

/** Read the fields behind the call id; copies.
 * @throws WireError when they are too long or cut short. */
export function readPresentation(reader: FieldReader): Presentation {
  const length = reader.varint()
  if (length > LOCATOR_MAX_BYTES) throw new WireError('locator is longer than allowed')
  const locator = reader.take(length).slice()
  const proof = reader.take(PROOF_BYTES).slice()
  const salts = reader.varint()
  if (salts > CAVEATS_MAX) throw new WireError('too many holder salts')
  const holderSalts: Uint8Array[] = []
  for (let i = 0; i < salts; i++) holderSalts.push(reader.take(HOLDER_SALT_BYTES).slice())
  return { locator, proof, holderSalts }
}

/** Write the fields behind the call id. */
export function writePresentation(sink: ByteSink, presentation: Presentation): void {
  const { locator, proof, holderSalts } = presentation
  writeVarint(sink, locator.length)
  writeBytes(sink, locator)
  writeBytes(sink, proof)
  writeVarint(sink, holderSalts.length)
  for (const salt of holderSalts) writeBytes(sink, salt)
}
