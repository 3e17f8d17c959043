// The provider that the environment variable NOISECAP_CRYPTO asks for, in Node. Leaves out what a forced provider means
// (select.ts); other hosts have no environment (no-native-providers.ts).
import { NoisecapError } from '../errors.js'
import { type ForcedProvider, PROVIDER_NAMES } from './contract.js'
import { hostProcess } from './host.js'

const VARIABLE = 'NOISECAP_CRYPTO'

/** @throws `crypto/unavailable` when the variable is set to anything but the name of a provider or nothing. */
export function forcedProvider(): ForcedProvider | undefined {
  const value = hostProcess()?.env?.[VARIABLE]
  if (value === undefined || value === '') return undefined
  const name = PROVIDER_NAMES.find((known) => known === value)
  if (name !== undefined) return { name, by: VARIABLE }
  throw new NoisecapError(
    'crypto/unavailable',
    `Cannot choose crypto: expected ${VARIABLE} to be ${PROVIDER_NAMES.join(', ')} or unset, got another value`,
    { hint: `Unset ${VARIABLE} or correct its spelling` },
  )
}
