// Keys as strings, which maps can find: one character a byte, so that they compare as the bytes do.

/** The name of a key. */
export function nameOf(key: Uint8Array): string {
  // Anything like an array will do; spreading one takes five times as long.
  return String.fromCharCode.apply(null, key as unknown as number[])
}

/** The key of a name. */
export function keyOfName(name: string): Uint8Array {
  const key = new Uint8Array(name.length)
  for (let i = 0; i < name.length; i++) key[i] = name.charCodeAt(i)
  return key
}
