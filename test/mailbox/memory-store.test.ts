import { memoryMailboxStore } from '../../src/mailbox/ordered-mailbox-store.js'
import { describeStore } from './conformance.js'

describeStore('memory', async () => memoryMailboxStore())
