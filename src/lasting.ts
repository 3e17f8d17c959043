// Short arrays for native calls. V8 keeps an array of at most 64 bytes in its own heap and moves it out, for good, when native
// code asks for its memory: half a microsecond and later work for the garbage collector, more than copying the bytes into a
// buffer that has been outside from the start. Leaves out wiping: whoever fills such a buffer with a secret clears it.

/** Longest array that V8 keeps in its heap, bytes. */
export const SHORT_MAX_BYTES = 64

/** An array outside V8's heap, whatever its length. */
export function lastingArray(length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new ArrayBuffer(length))
}

/** Views of one new lasting array by length, up to `maxBytes`. */
export function lastingViews(maxBytes: number): (length: number) => Uint8Array {
  return viewsOf(lastingArray(maxBytes), 0, maxBytes)
}

/** Views of `array` from `start`, by length; those up to `keptMaxBytes` are made once, since making one costs a tenth of a
 * hash. */
export function viewsOf(
  array: Uint8Array,
  start: number,
  keptMaxBytes: number,
): (length: number) => Uint8Array {
  const views: (Uint8Array | undefined)[] = new Array(keptMaxBytes + 1).fill(undefined)
  return (length) => {
    let view = views[length]
    if (view === undefined) {
      view = array.subarray(start, start + length)
      if (length <= keptMaxBytes) views[length] = view
    }
    return view
  }
}

/** `target`, now holding `bytes`, which are as long. */
export function filled(target: Uint8Array, bytes: Uint8Array): Uint8Array {
  target.set(bytes)
  return target
}
