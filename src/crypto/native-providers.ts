// The providers that only Node has, as Node gets them. Goes by the name `#native` (package.json "imports"), under which
// other hosts get no-native-providers.ts, so that what cannot run in a browser is not sent to it either.
export { loadNode } from './node.js'
export { loadSodium } from './sodium.js'
