// All vectors on the primitives that this process chooses for itself, which is what users run.
import { primitives } from '../../src/crypto/index.js'
import { declareVectorTests, VECTORS_IN_ALL } from './noise-runner.js'

declareVectorTests('the chosen primitives', primitives, VECTORS_IN_ALL)
