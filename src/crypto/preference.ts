// Which provider is preferred for each primitive where there are several, in Node, and what that was measured to bring.
// Leaves out the choice (select.ts) and hosts with one provider (no-native-providers.ts).
import type { PrimitiveName, ProviderName } from './provider.js'

/** Providers of a primitive, the preferred one first, and why. */
export interface Preference {
  readonly order: readonly ProviderName[]
  readonly because: string
}

/** Fastest first. Figures are median µs of `npx tsx bench/crypto.ts` on a 2-core x64 machine with Node 20.20, in the order
 * of the providers; a provider that lacks the primitive stands last, so that what is skipped is still reported. */
export const PREFERENCE = {
  '25519': { order: ['sodium', 'node', 'noble'], because: 'one DH takes 33, 42 and 1,300 µs' },
  '448': { order: ['node', 'noble', 'sodium'], because: 'one DH takes 172 and 2,900 µs; sodium has none' },
  ChaChaPoly: {
    order: ['sodium', 'node', 'noble'],
    because:
      '64 bytes take 0.8, 6 and 12 µs; 64 KiB 63 and 43, so node takes them where new memory is wanted',
  },
  AESGCM: { order: ['node', 'noble', 'sodium'], because: '64 bytes take 3 and 20 µs; sodium has none' },
  SHA256: {
    order: ['sodium', 'node', 'noble'],
    because: 'HMAC of 64 bytes takes 2.0, 4.7 and 36 µs; 16 KiB hash in 54, 11 and 140',
  },
  SHA512: {
    order: ['sodium', 'node', 'noble'],
    because: 'HMAC of 64 bytes takes 2.5, 3.1 and 13 µs; 16 KiB hash in 35, 22 and 260',
  },
  BLAKE2s: { order: ['node', 'noble', 'sodium'], because: '64 bytes take 1.4 and 3.4 µs; sodium has none' },
  BLAKE2b: { order: ['sodium', 'node', 'noble'], because: '64 bytes take 0.6, 1.6 and 5.5 µs' },
  random: { order: ['sodium', 'node', 'noble'], because: '32 bytes take 1.1, 3.3 and 3.8 µs' },
} as const satisfies Record<PrimitiveName, Preference>
