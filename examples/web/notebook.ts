// What can be called: the notebook for its owner, and the part of it that a reader has. Shared by service and page.
import { type Calls, Capability, iface, method, stream } from 'noisecap'
import { z } from 'zod'

// zod would compile its checks with `new Function`, which the policy of the page forbids.
z.config({ jitless: true })

const Note = z.object({ id: z.string(), text: z.string() })
export type Note = z.infer<typeof Note>

const watch = stream(z.void(), z.array(Note))

/** Reading: `add` and the rest do not exist here, so a page that holds a reader cannot even be written to call them. */
export const Reader = iface('Reader', { watch })
export type ReaderCalls = Calls<(typeof Reader)['declared']>

const ReaderCapability = z.custom<Capability<ReaderCalls>>((value) => value instanceof Capability)

/** All of it. */
export const Notebook = iface('Notebook', {
  /** All notes, at once and after each change. */
  watch,
  add: method(z.string().trim().min(1).max(200), z.void()),
  remove: method(z.string(), z.void()),
  /** A capability to read for one hour. */
  share: method(z.void(), ReaderCapability),
  /** Take one back, at once, wherever it was passed on to. */
  revoke: method(ReaderCapability, z.void()),
})
