// The interfaces of the shared document, imported by every process: types and run-time checks from one declaration.
// Live objects go both ways: the shelf gives documents, a watcher gives itself to a document, and one person hands a
// document that she holds to another.
import { bytes, iface, method, type Reference, type StreamSource, stream, streamOf } from 'noisecap'
import { z } from 'zod'

const Change = z.object({ by: z.string(), line: z.number().int(), text: z.string() })
export type Change = z.infer<typeof Change>

/** Somebody who watches; the document calls this in the watcher's own process. */
export const Watcher = iface('Watcher', { changed: method(Change, z.void()) })

/** One line of a document. */
export const Line = iface('Line', {
  text: method(z.void(), z.string()),
  write: method(z.object({ by: z.string(), text: z.string().max(200) }), z.void()),
  /** The one below; appended if there is none. */
  get next() {
    return method(z.void(), Line)
  },
})

/** Lines as they come. */
const Lines = streamOf(z.string().max(200))

/** One document. */
export const Document = iface('Document', {
  line: method(z.number().int().min(0).max(1_000), Line),
  /** Append the text of a line, of whichever document. */
  quote: method(Line, z.void()),
  /** Append lines as they come; answers how many there were. */
  append: method(
    z.object({ by: z.string(), lines: z.custom<StreamSource<string>>(Lines.is).transform(Lines.receive) }),
    z.number(),
  ),
  watch: method(Watcher, z.void()),
  /** Every change that is made from now on. */
  changes: stream(z.void(), Change),
  /** The whole text. */
  download: stream(z.void(), bytes),
})

/** All documents. */
export const Shelf = iface('Shelf', {
  open: method(z.string(), Document),
  /** How many readers of `changes` there are, in all documents. */
  followers: method(z.void(), z.number()),
})

/** A person's own door, where others leave what they hold. */
export const Door = iface('Door', {
  introduce: method(z.object({ to: z.custom<Reference<typeof Document>>(Document.accepts) }), z.void()),
  /** What her watcher has heard. */
  heard: method(z.void(), z.array(z.string())),
})
