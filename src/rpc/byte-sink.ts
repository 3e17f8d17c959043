// A byte buffer that grows: where values are written, and where a batch of messages can be collected without a copy.
// Leaves out what is written (value-writer.ts).

/** Bytes `[0, length)` of `bytes`, with room to grow. */
export class ByteSink {
  /** Replaced when it grows: read it again after every write. */
  bytes: Uint8Array
  /** Bytes in use; set it back to drop what was written last. */
  length = 0
  /** Set while a value is being written, whose getters must not write here too. */
  locked = false

  constructor(capacity = 1_024) {
    this.bytes = new Uint8Array(capacity)
  }

  /** Make room for `extra` bytes behind the first `used`, which are kept. */
  reserve(extra: number, used: number = this.length): void {
    if (used + extra <= this.bytes.length) return
    const larger = new Uint8Array(Math.max(2 * this.bytes.length, used + extra))
    larger.set(this.bytes.subarray(0, used))
    this.bytes = larger
  }
}
