// Carol's process: `npx tsx examples/document/carol.ts`. She has no capability for any document, only a door of her own.
// What is left there she keeps, writes to, and watches. Prints where she listens, then a capability for her door.
import { keep, type Reference, reference, Service } from 'noisecap'
import { type Document, Door, Watcher } from './document.js'

const heard: string[] = []
const kept: Reference<typeof Document>[] = []
const service = Service.create()
const door = service.offer('door', Door, () => ({
  async introduce({ to }) {
    const document = keep(to)
    kept.push(document)
    using ears = reference(Watcher, { changed: ({ by, text }) => void heard.push(`${by}: ${text}`) })
    await document.watch(ears)
    await document.line(0).write({ by: 'Carol', text: 'Carol was here' })
  },
  heard: () => heard,
}))
console.log(await service.listen('tcp://127.0.0.1:0'))
console.log(door.mint({}).export())

process.once('SIGTERM', () => void service.close())
