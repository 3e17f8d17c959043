// Puts fragments of one large message together again, within the budget (spec/rpc.md §2, §8).
// Fragments of a message follow each other; another message's fragment in between is an offence.
import { FRAGMENT_MAX_BYTES } from '../limits.js'
import { ByteSink } from './byte-sink.js'
import { type FieldReader, WireError, writeBytes } from './wire.js'

/** The one message that is being put together. */
export class Reassembly {
  readonly #maxBytes: number
  #sink: ByteSink | undefined
  #id = -1

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Add the body of a fragment frame.
   * @returns the whole message after its last fragment.
   * @throws {@link WireError} when it is out of order, too long or larger than the budget. */
  add(reader: FieldReader): Uint8Array | undefined {
    const id = reader.varint()
    const last = reader.byte()
    const body = reader.take(reader.end - reader.at)
    if (body.length === 0 || body.length > FRAGMENT_MAX_BYTES || last > 1) throw new WireError('bad fragment')
    if (this.#sink === undefined) {
      this.#sink = new ByteSink(2 * FRAGMENT_MAX_BYTES)
      this.#id = id
    } else if (id !== this.#id) throw new WireError('fragments of two messages are mixed')
    if (this.#sink.length + body.length > this.#maxBytes)
      throw new WireError('message is larger than allowed')
    writeBytes(this.#sink, body)
    if (last === 0) return undefined
    const message = this.#sink.bytes.subarray(0, this.#sink.length)
    this.#sink = undefined
    return message
  }
}
