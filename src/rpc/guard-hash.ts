// HalfSipHash-2-4 under a random key: the hash of the guard's key table. A faster hash with a secret start is not enough:
// two texts collide in FNV-1a for one start in 256, whatever its other 24 bits, so a peer need only guess eight of them.
// Source: J.-P. Aumasson, D. J. Bernstein, SipHash (halfsiphash.c of the reference code).

const key = new Uint32Array(2)
let v0 = 0
let v1 = 0
let v2 = 0
let v3 = 0

/** Draw another key. */
export function drawHashKey(): void {
  crypto.getRandomValues(key)
}

/** Use a given key, for test vectors. */
export function unsafeSetHashKey(k0: number, k1: number): void {
  key[0] = k0
  key[1] = k1
}

/** Hash of `bytes[start, end)`, 32 bits, signed. */
export function hashOf(bytes: Uint8Array, start: number, end: number): number {
  v0 = key[0]! | 0
  v1 = key[1]! | 0
  v2 = v0 ^ 0x6c79_6765
  v3 = v1 ^ 0x7465_6462
  const length = end - start
  const wholeEnd = end - (length & 3)
  let at = start
  for (; at < wholeEnd; at += 4) {
    compress(bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24))
  }
  let last = length << 24
  for (let shift = 0; at < end; at++, shift += 8) last |= bytes[at]! << shift
  compress(last)
  v2 ^= 0xff
  round()
  round()
  round()
  round()
  return v1 ^ v3
}

function compress(word: number): void {
  v3 ^= word
  round()
  round()
  v0 ^= word
}

function round(): void {
  v0 = (v0 + v1) | 0
  v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
  v0 = (v0 << 16) | (v0 >>> 16)
  v2 = (v2 + v3) | 0
  v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
  v0 = (v0 + v3) | 0
  v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
  v2 = (v2 + v1) | 0
  v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
  v2 = (v2 << 16) | (v2 >>> 16)
}
