// A service behind HTTP, for serverless functions and whatever answers a `Request` by a `Response` (spec/session.md §13): a POST
// with a hello, then a POST with a batch of records. The half-done handshake in between waits in this process, under an id that
// is good once; an answer never depends on what a stranger got right.
import {
  HELLO_MAX_BYTES,
  HTTP_ANSWER_DEADLINE_MS,
  HTTP_BODY_DEADLINE_MS,
  HTTP_BODY_MAX_BYTES,
  HTTP_SILENCE_MS,
} from '../limits.js'
import { ExchangePipe } from './exchange-pipe.js'
import { EXCHANGE_ID_BYTES, HTTP_CONTENT_TYPE, HTTP_KINDS, joined, readBody } from './http-body.js'
import { allowsOrigin, type Origins } from './origins.js'
import type { Pipe } from './pipe.js'

/** Options of {@link httpHandler}. */
export interface HttpOptions {
  /** Pages that may call, or a judge of an origin; default pages of the same host and port. */
  readonly origins?: Origins | undefined
  /** Longest request and longest answer, bytes, default 4 MiB each. */
  readonly maxRequestBytes?: number | undefined
  readonly maxAnswerBytes?: number | undefined
  /** How long the calls of a batch may take, ms, default 30,000; what is not answered by then is cut off. */
  readonly timeoutMs?: number | undefined
}

/** Answers one request. `remoteAddress` is where the client is, for admission control: all clients without one share the
 * limits of one address. Never throws. */
export type HttpHandler = (
  request: Request,
  client?: { readonly remoteAddress?: string | undefined },
) => Promise<Response>

/** Serve over HTTP: `export default { fetch: httpHandler((pipe) => service.accept(pipe)) }`.
 * @param accept - gets the pipe of each handshake. */
export function httpHandler(accept: (pipe: Pipe) => void, options: HttpOptions = {}): HttpHandler {
  const exchanges = new Exchanges(accept, options)
  return async (request, client = {}) => {
    const origin = request.headers.get('origin') ?? undefined
    const host = request.headers.get('host') ?? new URL(request.url).host
    if (!allowsOrigin(origin, host, options.origins)) return refusal(403)
    const response = await answerTo(request, client.remoteAddress ?? '', exchanges).catch(() => refusal(400))
    if (origin === undefined) return response
    response.headers.set('access-control-allow-origin', origin)
    response.headers.set('vary', 'origin')
    return response
  }
}

/** What is used of a request of Node's HTTP server, Express's and Fastify's raw one included. */
interface NodeRequest extends AsyncIterable<Uint8Array> {
  readonly method?: string | undefined
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly socket: { readonly remoteAddress?: string | undefined }
}
interface NodeResponse {
  readonly writableFinished: boolean
  on(event: 'close', listener: () => void): unknown
  writeHead(status: number, headers: Record<string, string>): unknown
  end(body: Uint8Array): unknown
}

/** A handler as a listener of Node's HTTP server: `createServer(nodeListener(handler))`, or `app.post(path, nodeListener(handler))`.
 * @param remoteAddress - where a client is; needed behind a proxy, whose address all of them have. Default where the socket leads. */
export function nodeListener<Incoming extends NodeRequest>(
  handler: HttpHandler,
  remoteAddress: (request: Incoming) => string | undefined = ({ socket }) => socket.remoteAddress,
): (request: Incoming, response: NodeResponse) => void {
  return (incoming, outgoing) => {
    const abort = new AbortController()
    outgoing.on('close', () => {
      if (!outgoing.writableFinished) abort.abort()
    })
    const answering = handler(requestOf(incoming, abort.signal), { remoteAddress: remoteAddress(incoming) })
    void answering.then(async (response) => {
      const headers = Object.fromEntries(response.headers)
      // What was refused may not have been read to its end.
      if (!response.ok) headers['connection'] = 'close'
      const body = new Uint8Array(await response.arrayBuffer())
      outgoing.writeHead(response.status, headers)
      outgoing.end(body)
    })
  }
}

function requestOf(incoming: NodeRequest, signal: AbortSignal): Request {
  const headers = new Headers()
  for (const name of ['content-type', 'origin', 'host']) {
    const value = incoming.headers[name]
    if (typeof value === 'string') headers.set(name, value)
  }
  const method = incoming.method ?? 'GET'
  if (method !== 'POST') return new Request('http://localhost/', { method, headers, signal })
  const chunks = incoming[Symbol.asyncIterator]()
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await chunks.next()
      if (done === true) controller.close()
      else controller.enqueue(value)
    },
    // Node would drop the connection with the iterator, before the answer: it is closed behind that.
    cancel() {},
  })
  // `duplex` is asked for with a body that streams, and is missing in the types.
  const init: RequestInit & { readonly duplex: 'half' } = { method, headers, body, signal, duplex: 'half' }
  return new Request('http://localhost/', init)
}

async function answerTo(request: Request, remoteAddress: string, exchanges: Exchanges): Promise<Response> {
  if (request.method === 'OPTIONS') {
    const headers = { 'access-control-allow-methods': 'POST', 'access-control-allow-headers': 'content-type' }
    return new Response(null, { status: 204, headers })
  }
  if (request.method !== 'POST') return refusal(405)
  // Not one of those that a page may send anywhere without asking.
  if (request.headers.get('content-type') !== HTTP_CONTENT_TYPE) return refusal(415)
  const deadline = AbortSignal.timeout(HTTP_BODY_DEADLINE_MS)
  const late = new Promise<'late'>((resolve) => {
    deadline.addEventListener('abort', () => resolve('late'), { once: true })
  })
  const body = await Promise.race([readBody(request.body, exchanges.maxRequestBytes), late])
  if (body === 'late') return refusal(408)
  if (body === undefined) return refusal(413)
  if (body[0] === HTTP_KINDS.hello) return exchanges.hello(body.subarray(1), remoteAddress)
  if (body[0] === HTTP_KINDS.batch) return exchanges.batch(body.subarray(1), request.signal)
  return refusal(400)
}

/** Handshakes that were answered and have not got their batch. They are bounded where all unproven connections are: a
 * service drops the pipes of those that do not go on in time, and the oldest of too many. */
class Exchanges {
  readonly maxRequestBytes: number
  readonly #accept: (pipe: Pipe) => void
  readonly #limits: { readonly maxAnswerBytes: number; readonly deadlineMs: number }
  readonly #waiting = new Map<string, ExchangePipe>()

  constructor(accept: (pipe: Pipe) => void, options: HttpOptions) {
    const { maxRequestBytes, maxAnswerBytes, timeoutMs } = options
    this.#accept = accept
    this.maxRequestBytes = maxRequestBytes ?? HTTP_BODY_MAX_BYTES
    this.#limits = {
      maxAnswerBytes: maxAnswerBytes ?? HTTP_BODY_MAX_BYTES,
      deadlineMs: timeoutMs ?? HTTP_ANSWER_DEADLINE_MS,
    }
  }

  async hello(bytes: Uint8Array, remoteAddress: string): Promise<Response> {
    if (bytes.length > HELLO_MAX_BYTES + 2) return refusal(413)
    const id = crypto.getRandomValues(new Uint8Array(EXCHANGE_ID_BYTES))
    const name = String(id)
    const pipe = new ExchangePipe(remoteAddress, this.#limits, () => this.#waiting.delete(name))
    let timer: ReturnType<typeof setTimeout> | undefined
    const silence = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), HTTP_SILENCE_MS)
    })
    this.#accept(pipe)
    const answer = pipe.hello(bytes)
    // Whoever is not answered learns nothing of why, from what is said as from when: always then, whatever was computed.
    const message = (await Promise.race([answer, silence])) ?? (await silence)
    if (message === undefined) {
      pipe.destroy()
      return refusal(404)
    }
    clearTimeout(timer)
    if (pipe.isOpen) this.#waiting.set(name, pipe)
    return success(joined([id, message], id.length + message.length))
  }

  async batch(bytes: Uint8Array, signal: AbortSignal): Promise<Response> {
    const name = String(bytes.subarray(0, EXCHANGE_ID_BYTES))
    const pipe = this.#waiting.get(name)
    if (pipe === undefined) return refusal(410)
    // Before anything is read of it: whoever sends it again finds nothing.
    this.#waiting.delete(name)
    signal.addEventListener('abort', () => pipe.destroy(), { once: true })
    const answer = await pipe.batch(bytes.slice(EXCHANGE_ID_BYTES))
    return answer === undefined ? refusal(502) : success(answer)
  }
}

function success(body: Uint8Array): Response {
  const headers = { 'content-type': HTTP_CONTENT_TYPE, 'cache-control': 'no-store' }
  return new Response(body as Uint8Array<ArrayBuffer>, { headers })
}

function refusal(status: number): Response {
  return new Response(null, { status, headers: { 'cache-control': 'no-store' } })
}
