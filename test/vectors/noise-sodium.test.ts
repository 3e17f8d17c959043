// The vectors whose every primitive sodium-native has; it is an optional dependency, absent on some systems.
import { describe, test } from 'vitest'
import { primitivesOf, reportOf } from '../../src/crypto/index.js'
import { declareVectorTests } from './noise-runner.js'

const SUITE = /_25519_ChaChaPoly_(SHA256|SHA512|BLAKE2b)$/
const installed = reportOf(primitivesOf('sodium')).some(
  ({ primitive, provider }) => primitive === '25519' && provider === 'sodium',
)

if (installed) {
  declareVectorTests(
    'sodium',
    () => primitivesOf('sodium'),
    166,
    ({ protocol_name }) => SUITE.test(protocol_name),
  )
} else {
  describe('sodium', () => test.skip('sodium-native is not available on this system', () => {}))
}
