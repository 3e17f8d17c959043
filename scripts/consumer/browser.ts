// A client under a browser's types, without those of Node (scripts/consumers.mjs).
import { keep, onBroken, pipelined, reference } from 'noisecap'
import { Listener, Note, type NotesReference } from './shared.js'

export async function use(notes: NotesReference): Promise<number> {
  const text: string = await notes.open('a').copy().copy().read()
  const listener = reference(Listener, { heard: (words) => void words.length })
  const joined = notes.join({ name: text, listener })
  const first: Promise<string> = pipelined(joined).notes[0].note.read()
  await notes.watch({ heard: (words) => void words.length, [Symbol.dispose]() {} })
  for await (const date of notes.tail({ from: 0 })) if (date.getTime() > 0) break
  const readable: ReadableStream<Uint8Array> = notes.download('a').readable()
  onBroken(keep(listener), (error) => void error.code)
  try {
    await notes.upload({ name: await first, data: readable })
  } catch (error) {
    if (Note.isFailure(error, 'write', 'full')) return error.data.max
  }
  // @ts-expect-error the interface has no such method
  await notes.remove()
  // @ts-expect-error a wrong input
  await notes.open(5)
  return 0
}
