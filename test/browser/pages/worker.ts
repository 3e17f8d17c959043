// A page that starts a worker with a service in it, and calls it over a MessageChannel for each session.
import { byteStream, connect } from 'noisecap'
import { type MessagePortLike, messagePortPipe } from '../../../src/transport/message-port.js'
import { Board } from './board.js'
import { tell } from './tell.js'

interface DomWorker {
  postMessage(message: unknown, transfer: readonly unknown[]): void
  terminate(): void
  onmessage: ((event: { readonly data: string }) => void) | null
}
// The tests are compiled without the DOM's declarations.
const { Worker, MessageChannel } = globalThis as unknown as {
  readonly Worker: new (address: string, options: { readonly type: 'module' }) => DomWorker
  readonly MessageChannel: new () => { readonly port1: MessagePortLike; readonly port2: MessagePortLike }
}

tell(async () => {
  const worker = new Worker('/worker-service.js', { type: 'module' })
  const capability = await new Promise<string>((resolve) => {
    worker.onmessage = ({ data }) => resolve(data)
  })
  let channels = 0
  const via = () => {
    channels += 1
    const { port1, port2 } = new MessageChannel()
    worker.postMessage({ port: port2 }, [port2])
    return messagePortPipe(port1)
  }
  const board = await connect(capability, Board, { via })
  const added = await Promise.all(['one', 'two', 'three'].map((title) => board.add(title)))
  let down = 0
  for await (const piece of board.download(1_000_000)) down += piece.length
  const up = await board.keep(byteStream(pieces(20)))
  const whoami = await board.whoami()
  await board[Symbol.asyncDispose]()
  const again = await connect(capability, Board, { via })
  const count = await again.count()
  await again[Symbol.asyncDispose]()
  worker.terminate()
  return { added, down, up: up.received, whoami, count, channels }
})

async function* pieces(count: number): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < count; i++) yield new Uint8Array(50_000).fill(i)
}
