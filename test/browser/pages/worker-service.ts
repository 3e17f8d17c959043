// A service inside a worker of the page: it gets a port for each session, and makes the capability itself.
import { Service } from 'noisecap'
import { messagePortPipe } from '../../../src/transport/message-port.js'
import { Board } from './board.js'

interface Port {
  postMessage(message: unknown, transfer: readonly ArrayBuffer[]): void
}
interface Scope {
  postMessage(message: unknown): void
  onmessage: ((event: { readonly data: { readonly port: Port } }) => void) | null
}
// The scope of a worker; the tests are compiled without the DOM's declarations.
const scope = globalThis as unknown as Scope

const titles: string[] = []
const service = Service.create()
const offer = service.offer('board', Board, () => ({
  add: (title) => titles.push(title),
  count: () => titles.length,
  card: (index) => ({ title: () => titles[index] ?? '' }),
  watch: async function* () {
    yield [...titles]
  },
  download: async function* (length) {
    yield new Uint8Array(length).fill(7)
  },
  keep: async (pieces) => {
    let received = 0
    for await (const piece of pieces) received += piece.length
    return { received, sum: 0 }
  },
  sum: async (numbers) => {
    let sum = 0
    for await (const number of numbers) sum += number
    return sum
  },
  whoami: () => ('WorkerGlobalScope' in globalThis ? 'a worker' : 'a page'),
}))
scope.onmessage = ({ data }) => service.accept(messagePortPipe(data.port))
scope.postMessage(offer.mint({}).export())
