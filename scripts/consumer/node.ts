// A service and a client under Node's types, and every entry point of the package (scripts/consumers.mjs).
import { createReadStream } from 'node:fs'
import { byteStream, type CallContext, connect, type Handlers, Service } from 'noisecap'
import * as capability from 'noisecap/capability'
import * as capabilityFiles from 'noisecap/capability/files'
import * as noise from 'noisecap/noise'
import * as resolver from 'noisecap/resolve'
import * as dns from 'noisecap/resolve/dns'
import * as file from 'noisecap/resolve/file'
import * as seal from 'noisecap/seal'
import * as sessionFiles from 'noisecap/session/files'
import * as tcp from 'noisecap/transport/tcp'
import * as unix from 'noisecap/transport/unix'
import { Note, Notes, type NotesCalls, narrow } from './shared.js'

export const doors = [capability, capabilityFiles, noise, resolver, dns, file, seal, sessionFiles, tcp, unix]

class NoteOf implements Handlers<(typeof Note)['declared'], CallContext> {
  read(): string {
    return ''
  }
  write({ text, at }: { text: string; at: Date }): number {
    if (text === '') throw Note.failure('write', 'full', { max: 3 })
    return at.getTime()
  }
  copy(): NoteOf {
    return new NoteOf()
  }
}

export async function serve(): Promise<string> {
  const service = await Service.open('notes.key')
  const offer = service.offer('/notes/:id', Notes, ({ params }) => ({
    open: (id) => (id === params.id ? new NoteOf() : new NoteOf()),
    watch: async (listener) => listener.heard('hello'),
    join: () => ({ notes: [] }),
    async *tail({ from }) {
      yield new Date(from)
    },
    download: (path) => createReadStream(path),
    upload: async ({ data }) => {
      let size = 0
      const source: AsyncIterable<Uint8Array> | ReadableStream<Uint8Array> = data
      if (Symbol.asyncIterator in source) for await (const chunk of source) size += chunk.length
      return size
    },
    [Symbol.dispose]() {},
  }))
  const minted: capability.Capability<Pick<NotesCalls, 'tail'>> = offer.mint(
    { id: 'a' },
    { methods: ['tail'] },
  )
  await using reader = await connect(narrow(offer.mint({ id: 'a' })))
  await using tail = await connect(minted)
  // @ts-expect-error narrowed away
  void (() => reader.watch)
  // @ts-expect-error narrowed away
  void (() => tail.download('x'))
  // @ts-expect-error the interface has no such method
  void (() => offer.mint({ id: 'a' }, { methods: ['remove'] }))
  void byteStream(createReadStream('a'))
  return reader.open('a').read()
}
