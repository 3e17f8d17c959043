// The bodies of one exchange over HTTP (spec/session.md §13): what a request begins with, and reading a body under a limit.
// Leaves out both ends of the exchange (http.ts, http-handler.ts).

/** First byte of a request: a hello, or a batch for a handshake that was answered. */
export const HTTP_KINDS = { hello: 1, batch: 2 } as const
/** Bytes that name a handshake that was answered. */
export const EXCHANGE_ID_BYTES = 16
export const HTTP_CONTENT_TYPE = 'application/octet-stream'

/** All of a body.
 * @returns undefined when it is longer than `maxBytes`: the rest is not read. */
export async function readBody(
  body: ReadableStream<Uint8Array> | null,
  maxBytes: number,
): Promise<Uint8Array | undefined> {
  if (body === null) return new Uint8Array(0)
  const reader = body.getReader()
  const chunks: Uint8Array[] = []
  let length = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return joined(chunks, length)
    length += value.length
    if (length > maxBytes) {
      reader.cancel().catch(() => {})
      return undefined
    }
    chunks.push(value)
  }
}

/** `chunks` one behind the other, `length` bytes in all. */
export function joined(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length)
  let at = 0
  for (const chunk of chunks) {
    whole.set(chunk, at)
    at += chunk.length
  }
  return whole
}
