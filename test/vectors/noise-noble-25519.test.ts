// All vectors of Curve25519 on noble alone; a file of its own for each curve, so that they run side by side.
import { primitivesOf } from '../../src/crypto/index.js'
import { declareVectorTests } from './noise-runner.js'

declareVectorTests(
  'noble, 25519',
  () => primitivesOf('noble'),
  443,
  ({ protocol_name }) => protocol_name.includes('_25519_'),
)
