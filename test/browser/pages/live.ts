// A page that does what the tests tell it: they call the functions of `globalThis.page`. It holds the capability of its
// address, or the one that it kept before.
import { byteStream, connect, type Observed, observe, onBroken } from 'noisecap'
import { BrowserStore, takeCapability } from 'noisecap/browser'
import { Board } from './board.js'
import { codeFrom, codeOf, tell } from './tell.js'

const { location } = globalThis as unknown as { readonly location: { readonly href: string } }

tell(async () => {
  using store = await BrowserStore.open('live')
  const given = takeCapability()
  if (given !== undefined) await store.keep('board', given)
  const capability = await store.capability('board')
  const { href } = location
  if (capability === undefined) return { href, code: 'no capability' }
  const key = await store.keyPair('client')
  try {
    const board = await connect(capability, Board, { key })
    const seen: Observed<readonly string[]>[] = []
    observe(board, (signal) => board.watch(undefined, { signal })).subscribe((observed) =>
      seen.push(observed),
    )
    const broken: unknown[] = []
    onBroken(board, (error) => broken.push(error.code))
    const page = {
      seen,
      broken,
      add: (title: string) => outcome(board.add(title)),
      count: () => outcome(board.count()),
      pipelined: async (titles: readonly string[]) => {
        for (const title of titles) void board.add(title)
        return await Promise.all(titles.map((_, index) => board.card(index).title()))
      },
      download: async (length: number) => {
        let sum = 0
        let received = 0
        for await (const part of board.download(length)) {
          received += part.length
          for (const byte of part) sum = (sum * 31 + byte) >>> 0
        }
        return { received, sum }
      },
      upload: (count: number) => board.sum(numbers(count)),
      uploadBytes: (length: number) => board.keep(byteStream(pieces(length))),
      many: async (calls: number) =>
        (await Promise.all(Array.from({ length: calls }, () => board.count()))).length,
      malformed: () => codeFrom(connect('noisecap://nonsense', Board)),
    }
    Object.assign(globalThis, { page })
    return { href, code: 'connected', whoami: await board.whoami() }
  } catch (error) {
    return { href, code: codeOf(error) }
  }
})

async function outcome(promise: PromiseLike<unknown>): Promise<unknown> {
  try {
    return await promise
  } catch (error) {
    return codeOf(error)
  }
}

/** Pieces of 50,000 bytes and a rest, as the service's `download` makes them. */
async function* pieces(length: number): AsyncGenerator<Uint8Array> {
  for (let sent = 0; sent < length; sent += 50_000)
    yield Uint8Array.from({ length: Math.min(50_000, length - sent) }, (_, index) => (sent + index) % 251)
}

async function* numbers(count: number): AsyncGenerator<number> {
  for (let i = 1; i <= count; i++) yield i
}
