// Door of the seal layer: values, streams and files sealed one way, from writers who cannot read to readers who learn who wrote.
export type { SealedUnder } from '../capability/index.js'
export { asPublicKey, generateKeyPair, KeyPair, type PublicKey } from '../crypto/index.js'
export { NoisecapError } from '../errors.js'
export type { Acceptance, CapabilityRules, Provenance } from './acceptance.js'
export { type ByteSource, ByteStream, type PieceOptions } from './byte-stream.js'
export { bytes, type Codec, type Content, dcbor, json, nullable, optional, text, validated } from './codec.js'
export { Column, type ColumnOptions, type Place, type RowKey } from './column.js'
export {
  describeSealed,
  type HeaderDescription,
  type SealDescription,
  type SegmentDescription,
} from './describe.js'
export { checkHintless, splitByReader, withHintOf, withoutHint } from './hintless.js'
export type { EpochBounds, Surroundings } from './incarnation.js'
export { type ByteRange, type LogEnd, openRange, readTail } from './open-range.js'
export { OpenedStream, openLog, openStream } from './open-stream.js'
export { SEAL_PATTERNS, type SealPatternName } from './pattern.js'
export type { FileLike, RandomAccess, RandomSource } from './random-access.js'
export {
  type Opened,
  type OpenOptions,
  SealReader,
  type SealReaderOptions,
} from './reader.js'
export type { WriterIdentity } from './recipients.js'
export { type RewrapOptions, Rewrapper } from './rewrap.js'
export { rewrapStream } from './rewrap-stream.js'
export { SealedStream, sealStream } from './seal-stream.js'
export { type Outcome, openAll, Sealed } from './sealed.js'
export { type StreamOpener, type StreamOpenOptions, streamOpener } from './stream-opener.js'
export { type StreamSealer, type StreamSealOptions, streamSealer } from './stream-sealer.js'
export { type SealedHeader, SealWriter, type SealWriterOptions } from './writer.js'
