// Node-only door of the capability layer: key files and the revocation file.
export {
  createKeyPair,
  createServiceKey,
  type KeyFileOptions,
  openKeyPair,
  openServiceKey,
  readKeyPair,
  readServiceKey,
  updateServiceKey,
} from './key-file.js'
export { RevocationFile, type RevocationFileOptions } from './revocation-file.js'
