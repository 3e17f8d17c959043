// All vectors of Curve448 on noble alone; a file of its own for each curve, so that they run side by side.
import { primitivesOf } from '../../src/crypto/index.js'
import { declareVectorTests } from './noise-runner.js'

declareVectorTests(
  'noble, 448',
  () => primitivesOf('noble'),
  443,
  ({ protocol_name }) => protocol_name.includes('_448_'),
)
