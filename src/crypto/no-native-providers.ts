// What stands for the providers of Node on every other host: the reason why they are not there. Goes by the name `#native`
// (package.json "imports"). Leaves out Node (native-providers.ts).
import type { ProviderLoad } from './contract.js'

/** There is no node:crypto here. */
export function loadNode(): ProviderLoad {
  return { failure: 'this host has no node:crypto' }
}

/** Native modules cannot be loaded here. */
export function loadSodium(): ProviderLoad {
  return { failure: 'this host loads no native modules' }
}

export { loadSodium as loadSodiumWithOpenssl }
