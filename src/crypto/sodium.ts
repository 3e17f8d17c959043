import type { ProviderLoad } from './contract.js'
export function loadSodium(): ProviderLoad {
  return { failure: 'sodium-native is not here' }
}
