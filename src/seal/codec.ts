// Codecs: how the value of a column becomes content and back (spec/seal.md §7). Content is text or bytes; null and absent
// are no content, and only `nullable` and `optional` let them through. Errors of decoding never quote what was decoded.
// Leaves out the state byte and the padding (content.ts), and CBOR, which is a layer above.
import { type Dcbor, decodeDcbor, encodeDcbor } from '../dcbor.js'
import type { StandardSchema } from '../standard-schema.js'
import { openError } from './failure.js'

/** What is sealed: `null` and `undefined` (absent) are told apart from each other and from what is empty. */
export type Content = string | Uint8Array | null | undefined

/** Turns values into content and back; both directions are synchronous. `Out` differs from `In` where a schema transforms. */
export interface Codec<in In, out Out = In> {
  /** What `decode` is given when there is content. */
  readonly content: 'text' | 'bytes'
  /** Text, well-formed, or bytes, borrowed.
   * @throws TypeError for a value that is not an `In`. */
  encode(value: In): Content
  /** @param content - text, or bytes that are the callee's to keep.
   * @throws anything for content that `encode` would not have written; the message is not shown. */
  decode(content: Content): Out
}

/** Text as UTF-8. */
export const text: Codec<string> = {
  content: 'text',
  encode(value) {
    if (typeof value !== 'string') throw mismatch('text')
    return value
  },
  decode(content) {
    if (typeof content !== 'string') throw mismatch('text')
    return content
  },
}

/** Bytes as they are. */
export const bytes: Codec<Uint8Array> = {
  content: 'bytes',
  encode(value) {
    if (!(value instanceof Uint8Array)) throw mismatch('bytes')
    return value
  },
  decode(content) {
    if (!(content instanceof Uint8Array)) throw mismatch('bytes')
    return content
  },
}

/** Deterministic CBOR: null, booleans, integers to 64 bits, text, bytes, arrays and Maps. Its own null is a value. */
export const dcbor: Codec<Dcbor> = {
  content: 'bytes',
  encode: encodeDcbor,
  decode: (content) => decodeDcbor(bytes.decode(content)),
}

/** JSON text of any value that JSON can say; `T` is a promise of the caller, use {@link validated} to check it. */
export function json<T>(): Codec<T> {
  return {
    content: 'text',
    encode(value) {
      // Undefined for what JSON cannot say at all: functions, symbols and undefined itself.
      const encoded: string | undefined = JSON.stringify(value)
      if (encoded === undefined) throw mismatch('a value that JSON can say')
      return encoded
    },
    decode: (content) => JSON.parse(text.decode(content)) as T, // as the docstring says
  }
}

/** Values of `codec`, or null. */
export function nullable<In, Out>(codec: Codec<In, Out>): Codec<In | null, Out | null> {
  return {
    content: codec.content,
    encode: (value) => (value === null ? null : codec.encode(value)),
    decode: (content) => (content === null ? null : codec.decode(content)),
  }
}

/** Values of `codec`, or undefined. */
export function optional<In, Out>(codec: Codec<In, Out>): Codec<In | undefined, Out | undefined> {
  return {
    content: codec.content,
    encode: (value) => (value === undefined ? undefined : codec.encode(value)),
    decode: (content) => (content === undefined ? undefined : codec.decode(content)),
  }
}

/** Values of `codec` that a Standard Schema accepts: checked before sealing, parsed after opening.
 * What is sealed is the input, so the output of a schema that transforms is made anew at each opening.
 * @param schema - synchronous; one that answers with a promise is refused. */
export function validated<Input, Output>(
  codec: Codec<Input>,
  schema: StandardSchema<Input, Output>,
): Codec<Input, Output> {
  const check = (value: unknown): Output => {
    const result = schema['~standard'].validate(value)
    if (result instanceof Promise) throw mismatch('a schema that answers at once')
    // Issues may quote the value, which is a secret here.
    if (result.issues !== undefined) throw mismatch('a value that the schema of its column accepts')
    return result.value
  }
  return {
    content: codec.content,
    encode(value) {
      check(value)
      return codec.encode(value)
    },
    decode: (content) => check(codec.decode(content)),
  }
}

/** Run `decode`, so that its error cannot quote what was decoded.
 * @throws `seal/bad_value`. */
export function decodeContent<Out>(codec: Codec<never, Out>, content: Content): Out {
  try {
    return codec.decode(content)
  } catch {
    throw openError(
      'seal/bad_value',
      'its content is authentic, yet not what the codec of the column reads',
      {
        hint: 'The column was sealed with another codec or schema; give it another schema version',
      },
    )
  }
}

function mismatch(expected: string): TypeError {
  return new TypeError(`Cannot encode sealed content: expected ${expected}`)
}
