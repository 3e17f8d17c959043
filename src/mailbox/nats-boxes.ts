// The boxes of a stream that a relay has in memory: those that were used last. Any other is read again when it is used.
import { hexEncode } from '../bytes.js'
import { NatsBox } from './nats-box.js'
import type { NatsStream } from './nats-stream.js'

/** Boxes in memory, and entries of all of them, at most; a message takes four entries, and one or two after it was taken. */
const BOXES_MAX = 1_024
const ENTRIES_MAX = 400_000

/** Boxes by their ids. */
export class NatsBoxes {
  readonly #stream: NatsStream
  readonly #tell: (box: string) => void
  /** In order of use. */
  readonly #boxes = new Map<string, NatsBox>()

  /** @param tell - called with the name of a box, hexadecimal, when something has changed in it. */
  constructor(stream: NatsStream, tell: (box: string) => void) {
    this.#stream = stream
    this.#tell = tell
  }

  of(id: Uint8Array): NatsBox {
    const name = hexEncode(id)
    const known = this.#boxes.get(name)
    const box = known ?? new NatsBox(id, this.#stream, () => this.#tell(name))
    this.#boxes.delete(name)
    this.#boxes.set(name, box)
    if (known === undefined) this.#forgetSome(box)
    return box
  }

  /** What is in memory may not be what is in the stream. */
  distrust(): void {
    for (const box of this.#boxes.values()) box.distrust()
  }

  #forgetSome(kept: NatsBox): void {
    let entries = 0
    for (const { size } of this.#boxes.values()) entries += size
    for (const [name, box] of this.#boxes) {
      if (this.#boxes.size <= BOXES_MAX && entries <= ENTRIES_MAX) return
      // One that is at work keeps the order of what waits for it.
      if (box === kept || box.busy) continue
      entries -= box.size
      this.#boxes.delete(name)
    }
  }
}
