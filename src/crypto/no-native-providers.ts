// What stands for the providers of Node on every other host: the reason why they are not there. Goes by the name `#native`
// (package.json "imports"). Leaves out Node (native-providers.ts).
import type { ProviderLoad } from './contract.js'
import type { Preference } from './preference.js'
import type { PrimitiveName } from './provider.js'

const NOBLE: Preference = { order: ['noble'], because: 'no other runs here' }

/** One provider for all. */
export const PREFERENCE: Readonly<Record<PrimitiveName, Preference>> = {
  '25519': NOBLE,
  '448': NOBLE,
  ChaChaPoly: NOBLE,
  AESGCM: NOBLE,
  SHA256: NOBLE,
  SHA512: NOBLE,
  BLAKE2s: NOBLE,
  BLAKE2b: NOBLE,
  random: NOBLE,
}

/** There is no environment here that could ask for a provider. */
export function forcedProvider(): undefined {}

/** There is no node:crypto here. */
export function loadNode(): ProviderLoad {
  return { failure: 'this host has no node:crypto' }
}

/** Native modules cannot be loaded here. */
export function loadSodium(): ProviderLoad {
  return { failure: 'this host loads no native modules' }
}

export { loadSodium as loadSodiumWithOpenssl }
