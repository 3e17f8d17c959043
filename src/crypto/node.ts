import type { ProviderLoad } from './contract.js'
export function loadNode(): ProviderLoad {
  return { failure: 'no node:crypto in this host' }
}
