// X25519 of noble for browsers: its Montgomery ladder with the parameters of RFC 7748 §4.1, and none of the Edwards curve,
// on which noble's own `x25519` multiplies the base point. That needs a table that has to be made first, and three times the
// code, for a page that makes one key a connection.
// The ladder, the reduction and the checks are noble's. Leaves out other curves (noble-libraries-every.ts).
import { montgomery } from '@noble/curves/abstract/montgomery.js'

const P = (1n << 255n) - 19n

/** `x^(2^count) mod P`. */
function square(x: bigint, count: number): bigint {
  let result = x
  for (let i = 0; i < count; i++) result = (result * result) % P
  return result
}

/** `x^(P - 2)`, the inverse, by the chain of 254 squarings and 11 multiplications that every implementation uses. */
function invert(x: bigint): bigint {
  const x3 = (square(x, 1) * x) % P
  const x15 = (square(x3, 2) * x3) % P
  const ones5 = (square(x15, 1) * x) % P // x^(2^5 - 1), and so on
  const ones10 = (square(ones5, 5) * ones5) % P
  const ones20 = (square(ones10, 10) * ones10) % P
  const ones40 = (square(ones20, 20) * ones20) % P
  const ones80 = (square(ones40, 40) * ones40) % P
  const ones160 = (square(ones80, 80) * ones80) % P
  const ones240 = (square(ones160, 80) * ones80) % P
  const ones250 = (square(ones240, 10) * ones10) % P
  const upTo252 = (square(ones250, 2) * x) % P
  return (square(upTo252, 3) * x3) % P
}

/** Clamp a copy of a secret key (RFC 7748 §5). */
function adjustScalarBytes(bytes: Uint8Array): Uint8Array {
  bytes[0]! &= 248
  bytes[31]! &= 127
  bytes[31]! |= 64
  return bytes
}

/** The same results as `x25519` of `@noble/curves/ed25519.js`. */
export const x25519 = /* @__PURE__ */ montgomery({ P, type: 'x25519', powPminus2: invert, adjustScalarBytes })
