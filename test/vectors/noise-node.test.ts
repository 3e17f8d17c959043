// All vectors on node:crypto alone.
import { primitivesOf } from '../../src/crypto/index.js'
import { declareVectorTests, VECTORS_IN_ALL } from './noise-runner.js'

declareVectorTests('node', () => primitivesOf('node'), VECTORS_IN_ALL)
