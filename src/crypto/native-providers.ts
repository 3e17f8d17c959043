// The providers that only Node has, as Node gets them. Goes by the name `#native` (package.json "imports"), under which
// other hosts get no-native-providers.ts, so that what cannot run in a browser is not sent to it either.
import type { ProviderLoad } from './contract.js'
import { opensslChachaPoly, opensslSha256 } from './node.js'
import { loadSodium } from './sodium.js'

export { forcedProvider } from './forced-provider.js'
export { loadNode } from './node.js'
export { PREFERENCE } from './preference.js'
export { loadSodium } from './sodium.js'

/** sodium, which leaves long messages of ChaChaPoly into new memory, and SHA-256 of what is long, to OpenSSL where that is there. */
export function loadSodiumWithOpenssl(): ProviderLoad {
  return loadSodium({ chachaPoly: opensslChachaPoly, sha256: opensslSha256 })
}
