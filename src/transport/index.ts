// Door of the transport layer: the pipe interface and the in-memory pair. Sockets have doors of their own
// (`noisecap/transport/tcp`, `noisecap/transport/unix`), because they need Node.
export { memoryPair } from './memory.js'
export type {
  AddressFilter,
  Dial,
  Framing,
  Listen,
  Listener,
  ListenOptions,
  Pipe,
  PipeEvents,
} from './pipe.js'
