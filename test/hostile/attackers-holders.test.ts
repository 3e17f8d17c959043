// The table of attackers, rows of attackers/rows-holders.ts: every cell is a test that runs the attack.
import { testFamily } from './attackers/cell-tests.js'

testFamily('holders')
