// A service in a worker: over the worker's own port until that is used, and over each port that it is handed.
import { parentPort } from 'node:worker_threads'
import { Service } from '../../src/index.js'
import { type MessagePortLike, messagePortPipe } from '../../src/transport/message-port.js'
import { Notes, NotesOf } from '../integration/notes.js'

const port = parentPort!
const service = Service.create(undefined, { announcers: [] })
const notes = service.offer('notes/:owner', Notes, ({ params, client }) => new NotesOf(params.owner, client))
const onFirst = (message: { readonly port?: MessagePortLike } | Uint8Array): void => {
  if (!(message instanceof Uint8Array)) {
    if (message.port !== undefined) service.accept(messagePortPipe(message.port))
    return
  }
  port.off('message', onFirst)
  service.accept(messagePortPipe(port as unknown as MessagePortLike))
  // The hello has come before the pipe was there to hear it.
  port.emit('message', message)
}
port.on('message', onFirst)
port.postMessage(notes.mint({ owner: 'ada' }).export())
