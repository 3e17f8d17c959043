// A module of interfaces as users share it between both sides, with declarations of its own (scripts/consumers.mjs).
import {
  bytes,
  type Calls,
  type Capability,
  iface,
  method,
  type Reference,
  type StreamSource,
  stream,
} from 'noisecap'
import { z } from 'zod'

export const Listener = iface('Listener', { heard: method(z.string(), z.void()) })
export const Note = iface('Note', {
  read: method<void, string>(),
  write: method(z.object({ text: z.string(), at: z.coerce.date() }), z.number(), {
    errors: { full: z.object({ max: z.number() }) },
  }),
  get copy() {
    return method(z.void(), Note)
  },
})
export const Notes = iface('Notes', {
  open: method(z.string(), Note),
  watch: method(Listener, z.void()),
  join: method(
    z.object({ name: z.string(), listener: z.custom<Reference<typeof Listener>>(Listener.accepts) }),
    z.object({ notes: z.array(z.object({ note: z.custom<Reference<typeof Note>>(Note.accepts) })) }),
  ),
  tail: stream(z.object({ from: z.number() }), z.date()),
  download: stream(z.string(), bytes),
  upload: method<{ name: string; data: StreamSource<Uint8Array> }, number>(),
})
export type NotesCalls = Calls<(typeof Notes)['declared']>
export type NotesReference = Reference<typeof Notes>
export const narrow = (notes: Capability<NotesCalls>) => notes.attenuate({ methods: ['open', 'tail'] })
