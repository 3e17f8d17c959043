// What an editor shows: types that name the user's own, short enough to be read. Asked of TypeScript's language service.
import { resolve } from 'node:path'
import ts from 'typescript'
import { beforeAll, expect, test } from 'vitest'

const root = resolve(import.meta.dirname, '../..')
const page = resolve(root, 'test/types/hovered.ts')

/** A language service over one page of text that imports noisecap; each `/*name*\/` stands before what is pointed at. */
function hovers(text: string): ReadonlyMap<string, string> {
  const config = ts.readConfigFile(resolve(root, 'tsconfig.json'), ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent(
    { ...config.config, include: [], files: [] },
    ts.sys,
    root,
  )
  const service = ts.createLanguageService({
    fileExists: ts.sys.fileExists,
    readFile: ts.sys.readFile,
    readDirectory: ts.sys.readDirectory,
    directoryExists: ts.sys.directoryExists,
    getDirectories: ts.sys.getDirectories,
    getCompilationSettings: () => options,
    getScriptFileNames: () => [page],
    getScriptVersion: () => '1',
    getScriptSnapshot: (path) => {
      const content = path === page ? text : ts.sys.readFile(path)
      return content === undefined ? undefined : ts.ScriptSnapshot.fromString(content)
    },
    getCurrentDirectory: () => root,
    getDefaultLibFileName: ts.getDefaultLibFilePath,
  })
  const problems = service.getSemanticDiagnostics(page)
  expect(problems.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))).toEqual([])
  const shown = new Map<string, string>()
  for (const { 0: mark, 1: name, index } of text.matchAll(/\/\*(\w+)\*\//g)) {
    const info = service.getQuickInfoAtPosition(page, index + mark.length)
    shown.set(name ?? '', ts.displayPartsToString(info?.displayParts))
  }
  service.dispose()
  return shown
}

let shown: ReadonlyMap<string, string>

// One language service for all: it reads the whole library, which takes its time on a busy machine.
beforeAll(() => {
  shown = hovers(`
import { z } from 'zod'
import { bytes, type CallContext, type Handlers, iface, method, pipelined, type Reference, stream } from 'noisecap'

interface Order { readonly id: string; readonly amount: number }
const Order = z.custom<Order>()
const Ticket = iface('Ticket', {
  price: method<void, number>(),
  get next() { return method(z.void(), Ticket) },
})
const Shop = iface('Shop', {
  order: method(z.object({ text: z.string(), at: z.coerce.date() }), Order),
  open: method(z.string(), Ticket),
  list: method<void, { orders: Order[]; tickets: Reference<typeof Ticket>[] }>(),
  watch: method(Ticket, z.void()),
  tail: stream(z.object({ from: z.number() }), Order),
  raw: stream(z.string(), bytes),
})
declare const shop: Reference<typeof Shop>
void shop./*order*/order({ text: '', at: 1 })
const /*promised*/promised = shop./*open*/open('')
const /*ticket*/ticket = await promised
void promised./*price*/price()
void promised.next().next()./*price2*/price()
void shop./*watch*/watch(ticket)
for await (const /*item*/item of shop./*tail*/tail({ from: 0 })) void item
for await (const /*chunk*/chunk of shop./*raw*/raw('')) void chunk
const later = pipelined(shop.list())
void later.tickets[0]./*laterPrice*/price()
void later./*laterTickets*/tickets
const handlers: Handlers<(typeof Shop)['declared'], CallContext> = {
  /*serveOrder*/order(/*input*/input, /*context*/context) { void context; return { id: input./*text*/text, amount: 1 } },
  open: (/*id*/id) => { void id; return ticket },
  list: () => ({ orders: [], tickets: [ticket] }),
  watch: async (/*taken*/taken) => { await taken./*takenPrice*/price() },
  async *tail({ /*from*/from }) { yield { id: '', amount: from } },
  raw: () => new ReadableStream<Uint8Array>(),
}
void handlers
`)
}, 240_000)

/** Without the line breaks and the options, which are the same everywhere. */
function hover(name: string): string {
  return (shown.get(name) ?? '').replaceAll(/\s+/g, ' ').replace(', options?: CallOptions | undefined', '')
}

test.each([
  ['order', '(property) order: (input: OrAnswer<{ text: string; at: unknown; }>) => Promise<Order>'],
  ['price', '(property) price: (input?: OrAnswer<void> | undefined) => Promise<number>'],
  ['price2', '(property) price: (input?: OrAnswer<void> | undefined) => Promise<number>'],
  ['tail', '(property) tail: (input: OrAnswer<{ from: number; }>) => ReceivedStream<Order>'],
  ['raw', '(property) raw: (input: OrAnswer<string>) => ReceivedStream<Uint8Array<ArrayBufferLike>>'],
  ['item', 'const item: Order'],
  ['chunk', 'const chunk: Uint8Array<ArrayBufferLike>'],
  ['laterPrice', '(property) price: (input?: OrAnswer<void> | undefined) => Promise<number>'],
  [
    'serveOrder',
    '(property) order: (input: { text: string; at: Date; }, context: CallContext) => Order | Promise<Order>',
  ],
  ['input', '(parameter) input: { text: string; at: Date; }'],
  ['context', '(parameter) context: CallContext'],
  ['text', '(property) text: string'],
  ['id', '(parameter) id: string'],
  ['from', '(parameter) from: number'],
  ['takenPrice', '(property) price: (input?: OrAnswer<void> | undefined) => Promise<number>'],
])('%s shows the types of the interface and nothing else', (name, text) => {
  expect(hover(name)).toBe(text)
})

// An interface has no name in TypeScript: its methods stand for it, cut off by TypeScript where they are many.
test.each([
  ['open', '(property) open: (input: OrAnswer<string>) => ReferencePromise<Calls<{ price: Method<void, '],
  [
    'promised',
    'const promised: ReferencePromise<Calls<{ price: Method<void, void, number, number, NoErrors>; ',
  ],
  ['ticket', 'const ticket: Stub<Calls<{ price: Method<void, void, number, number, NoErrors>; '],
  ['taken', '(parameter) taken: Stub<Calls<{ price: Method<void, void, number, number, NoErrors>; '],
  ['watch', '(property) watch: (input: OrAnswer<SentReference<{ price: Method<void, '],
  ['laterTickets', '(property) tickets: PipelinedList<Stub<Calls<{ price: Method<void, '],
])('%s shows what kind of reference it is, and its methods', (name, start) => {
  expect(hover(name).slice(0, start.length)).toBe(start)
  expect(hover(name).length).toBeLessThan(260)
  expect(hover(name)).not.toMatch(/\bany\b/)
})
