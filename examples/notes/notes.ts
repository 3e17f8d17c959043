// The interfaces, shared by the service and its clients: types and run-time checks from one declaration.
// zod is one choice of validator; anything that follows Standard Schema fits.
import { type Calls, type Capability, iface, method } from 'noisecap'
import { z } from 'zod'

const Note = z.object({ text: z.string(), at: z.date() })
export type Note = z.infer<typeof Note>

/** One person's notes. */
export const Notes = iface('Notes', {
  /** Write a note; answers how many there are now. */
  add: method(z.object({ text: z.string().min(1).max(200) }), z.number(), {
    errors: { full: z.object({ max: z.number() }) },
  }),
  list: method(z.void(), z.array(Note)),
})

/** What can be called with a capability for one person's notes. */
export type NotesCalls = Calls<(typeof Notes)['declared']>
export type NotesCapability = Capability<NotesCalls>

/** What the owner of the service may do. It is reached with a capability like everything else. */
export const Admin = iface('Admin', {
  /** The text of a new capability for `owner`'s notes. */
  mint: method(z.object({ owner: z.string().min(1).max(40) }), z.string()),
  /** Revoke a capability by its id, and with it all that was narrowed from it. */
  revoke: method(z.object({ id: z.string() }), z.void()),
})

export type AdminCalls = Calls<(typeof Admin)['declared']>
