// The interfaces of the rows of references: steps that lead to each other, and notes that are opened and let go of.
import { iface, method } from 'noisecap'
import { z } from 'zod'

/** A step of a chain. */
export const Step = iface('Step', {
  value: method<void, number>(),
  get next() {
    return method(z.void(), Step)
  },
})

const Note = iface('Note', { text: method<void, string>() })

/** A place to open notes. */
export const Notes = iface('Notes', { open: method(z.number(), Note) })
