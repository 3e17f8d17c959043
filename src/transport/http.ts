// The client's pipe over HTTP (spec/session.md §13): `http://host:port/path`, `https://…` (spec/resolve.md §2), by the `fetch` of
// the platform. One POST takes the hello, a second takes all that is written in one turn; then the pipe is spent, and the
// next call opens another. Leaves out the service (http-handler.ts).
import { nextTurn } from '../clock.js'
import { NoisecapError } from '../errors.js'
import { HTTP_ANSWER_DEADLINE_MS, HTTP_BATCH_WAIT_MS, HTTP_BODY_MAX_BYTES } from '../limits.js'
import { formatLocation, parseLocation } from '../location.js'
import { EXCHANGE_ID_BYTES, HTTP_CONTENT_TYPE, HTTP_KINDS, joined, readBody } from './http-body.js'
import { type AddressFilter, isLoopback, type Pipe, type PipeEvents } from './pipe.js'
import { addressOf } from './websocket.js'

/** A pipe to a service behind HTTP. Nothing is sent before its hello.
 * @param location - `http://host:port/path` or `https://host:port/path`.
 * @param allows - which addresses may be dialled; with it only an address is, since nobody tells what a name stands for.
 * @throws `transport/bad_location`, `transport/unreachable`; the signal's reason when aborted. */
export async function dialHttp(location: string, signal: AbortSignal, allows?: AddressFilter): Promise<Pipe> {
  const parsed = parseLocation(location)
  if (parsed.scheme !== 'http' && parsed.scheme !== 'https') {
    throw new NoisecapError(
      'transport/bad_location',
      `Cannot use location: expected http: or https:, got ${parsed.scheme}:`,
    )
  }
  signal.throwIfAborted()
  const address = addressOf(parsed.host)
  if (allows !== undefined && (address === '' || !allows(address))) {
    throw unreachable(formatLocation(parsed), 'the address is not one of the public internet')
  }
  return new HttpPipe(formatLocation(parsed), address)
}

class HttpPipe implements Pipe {
  readonly framing = 'length'
  readonly remoteAddress: string
  readonly isLocal: boolean
  readonly batchDeadlineMs = HTTP_ANSWER_DEADLINE_MS
  readonly waitingBytes = 0
  readonly #url: string
  readonly #abort = new AbortController()
  #state: 'hello' | 'greeting' | 'open' | 'gathering' | 'sent' | 'over' = 'hello'
  #events: PipeEvents | undefined
  #id: Uint8Array | undefined
  #batch: Uint8Array[] = []
  #batchBytes = 0
  #expiry: ReturnType<typeof setTimeout> | undefined

  constructor(url: string, address: string) {
    this.#url = url
    this.remoteAddress = address
    this.isLocal = isLoopback(address)
  }

  start(events: PipeEvents): void {
    this.#events = events
  }

  write(bytes: Uint8Array): boolean {
    if (this.#state === 'hello') {
      this.#state = 'greeting'
      this.#greet(bytes).catch((error: unknown) => this.#fail(error))
    } else if (this.#state === 'open' || this.#state === 'gathering') this.#gather(bytes)
    return true
  }

  pause(): void {
    // What arrives is one answer that somebody waits for: it is whole when it is delivered.
  }

  resume(): void {}

  /** Nothing to tell: a handshake without a batch is forgotten by the service in time. */
  end(): void {
    if (this.#state === 'open' || this.#state === 'sent') this.#close(undefined)
  }

  destroy(): void {
    this.#close(undefined)
  }

  async #greet(hello: Uint8Array): Promise<void> {
    const answer = await this.#post(joined([Uint8Array.of(HTTP_KINDS.hello), hello], hello.length + 1))
    if (this.#state !== 'greeting') return
    if (answer.length < EXCHANGE_ID_BYTES) throw unreachable(this.#url, 'the answer is too short')
    this.#id = answer.slice(0, EXCHANGE_ID_BYTES)
    this.#state = 'open'
    // The service forgets a client that says nothing more; what is called later opens another pipe.
    this.#expiry = setTimeout(() => this.#close(undefined), HTTP_BATCH_WAIT_MS)
    this.#events?.data(answer.slice(EXCHANGE_ID_BYTES))
  }

  /** The first record proves the session and waits for the calls behind it. */
  #gather(bytes: Uint8Array): void {
    this.#batch.push(bytes)
    this.#batchBytes += bytes.length
    if (this.#batchBytes > HTTP_BODY_MAX_BYTES) {
      this.#fail(unreachable(this.#url, `a batch has at most ${HTTP_BODY_MAX_BYTES} bytes`))
      return
    }
    if (this.#state === 'gathering' || this.#batch.length < 2) return
    this.#state = 'gathering'
    clearTimeout(this.#expiry)
    nextTurn(() => {
      if (this.#state !== 'gathering') return
      this.#events?.last?.()
      // Calls that were made before this have a turn to be written.
      nextTurn(() => {
        if (this.#state === 'gathering') this.#send().catch((error: unknown) => this.#fail(error))
      })
    })
  }

  async #send(): Promise<void> {
    this.#state = 'sent'
    const head = joined([Uint8Array.of(HTTP_KINDS.batch), this.#id!], EXCHANGE_ID_BYTES + 1)
    const answer = await this.#post(joined([head, ...this.#batch], head.length + this.#batchBytes))
    if (this.#state !== 'sent') return
    this.#events?.data(answer)
    if (this.#state !== 'sent') return
    this.#events?.end()
    this.#close(undefined)
  }

  async #post(body: Uint8Array): Promise<Uint8Array> {
    const response = await fetch(this.#url, {
      method: 'POST',
      headers: { 'content-type': HTTP_CONTENT_TYPE },
      body: body as Uint8Array<ArrayBuffer>,
      credentials: 'omit',
      redirect: 'error',
      referrerPolicy: 'no-referrer',
      signal: this.#abort.signal,
    })
    // The silence of HTTP.
    if (response.status === 404) throw new Error('the server answered 404')
    if (response.status !== 200) throw unreachable(this.#url, `the server answered ${response.status}`)
    const answer = await readBody(response.body, HTTP_BODY_MAX_BYTES)
    if (answer === undefined) throw unreachable(this.#url, 'the answer is longer than allowed')
    return answer
  }

  #fail(error: unknown): void {
    if (error instanceof NoisecapError || this.#state !== 'greeting') this.#close(error as Error)
    else if (error instanceof TypeError) {
      const cause = error.cause as { readonly code?: unknown } | undefined
      const why = typeof cause?.code === 'string' ? cause.code : 'the request failed'
      this.#close(unreachable(this.#url, why, error))
    } else this.#close(error as Error)
  }

  #close(error: Error | undefined): void {
    if (this.#state === 'over') return
    this.#state = 'over'
    clearTimeout(this.#expiry)
    this.#batch = []
    this.#abort.abort()
    queueMicrotask(() => this.#events?.closed(error))
  }
}

function unreachable(url: string, reason: string, cause?: unknown): NoisecapError {
  return new NoisecapError('transport/unreachable', `Cannot reach ${url}: ${reason}`, {
    ...(cause === undefined ? {} : { cause }),
    hint: 'Check that the server runs, has the handler at this path, and allows the Origin of this page',
  })
}
