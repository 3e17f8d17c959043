// The type of a mailbox's messages: a codec of the seal layer, or a Standard Schema, which then stands for JSON that it accepts.
import type { StandardSchema } from '../rpc/index.js'
import { type Codec, json, validated } from '../seal/index.js'

/** What messages are: JSON that a Standard Schema accepts, or what a codec of `noisecap/seal` reads and writes. */
export type MessageType<In, Out = In> = Codec<In, Out> | StandardSchema<In, Out>
/** The same, as a recipient needs it. */
export type MessageReader<Out> = Codec<never, Out> | StandardSchema<unknown, Out>

/** How messages of a type become bytes and back. */
export interface MessageCodec<In, Out> {
  readonly contentType: string
  /** @throws TypeError for a value that is not an `In`. */
  encode(value: In): Uint8Array
  /** @throws anything for bytes that `encode` would not have written. */
  decode(body: Uint8Array): Out
}

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true })

/** The codec of a type; JSON of anything when there is none. */
export function codecOf<In, Out>(
  type: MessageType<In, Out> | MessageReader<Out> | undefined,
): MessageCodec<In, Out> {
  // Who only reads never encodes, so the type of what goes in does not matter there.
  const given = type as MessageType<In, Out> | undefined
  const codec = given === undefined || '~standard' in given ? jsonOf(given) : given
  const isJson = codec !== given
  return {
    contentType: isJson
      ? 'application/json'
      : codec.content === 'text'
        ? 'text/plain'
        : 'application/octet-stream',
    encode(value) {
      const content = codec.encode(value)
      if (content === null || content === undefined) {
        throw new TypeError('Cannot send message: expected a value, got null or undefined')
      }
      return typeof content === 'string' ? encoder.encode(content) : content
    },
    decode: (body) => codec.decode(codec.content === 'text' ? decoder.decode(body) : body.slice()),
  }
}

function jsonOf<In, Out>(schema: StandardSchema<In, Out> | undefined): Codec<In, Out> {
  // Without a schema the caller's word is taken for the type.
  return schema === undefined ? (json<In>() as Codec<In, never>) : validated(json<In>(), schema)
}
