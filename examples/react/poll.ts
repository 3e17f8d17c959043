// What can be called: a poll. Shared by service and page.
import { iface, method, stream } from 'noisecap'
import { z } from 'zod'

// zod would compile its checks with `new Function`, which the policy of the page forbids.
z.config({ jitless: true })

const Choice = z.object({ name: z.string(), votes: z.number() })

export const Poll = iface('Poll', {
  /** All choices, at once and after each vote. */
  watch: stream(z.void(), z.array(Choice)),
  vote: method(z.string(), z.void()),
})
