// Opens a session as the client: sends the hello over a fresh pipe, waits for message 2, hands over a Connection.
// Leaves out dialling and the choice of location (src/dial.ts).
import { concat } from '../bytes.js'
import { NoisecapError } from '../errors.js'
import { HELLO_MAX_BYTES } from '../limits.js'
import type { Pipe, PipeEvents } from '../transport/index.js'
import { ClientHandshake, type ClientHandshakeOptions } from './client-handshake.js'
import { Connection, type ConnectionTimes, DEFAULT_TIMES } from './connection.js'
import { FrameReader } from './framing.js'
import { u16 } from './hello.js'
import type { SessionLimits } from './parameters.js'

/** A session that the service accepted, and what it is willing to receive. */
export interface InitiatedSession {
  readonly connection: Connection
  readonly limits: SessionLimits
  /** Bytes of the hello and of message 2, for those who explain what crossed the wire. */
  readonly handshakeBytes: { readonly sent: number; readonly received: number }
}

/** Open a session over `pipe`, which is destroyed when that fails.
 * @param signal - carries the deadline.
 * @throws as `ClientHandshake.receive`; `session/no_answer` when the service stays silent or hangs up;
 * the signal's reason when aborted by anything but a timeout. */
export function initiateSession(
  pipe: Pipe,
  options: ClientHandshakeOptions,
  signal: AbortSignal,
  times: ConnectionTimes = DEFAULT_TIMES,
): Promise<InitiatedSession> {
  return new Promise((resolve, reject) => {
    const handshake = new ClientHandshake(options)
    const frames = new FrameReader(pipe.framing, HELLO_MAX_BYTES)
    let events: PipeEvents | undefined
    const fail = (error: unknown): void => {
      signal.removeEventListener('abort', onAbort)
      pipe.destroy()
      reject(error)
    }
    const onAbort = (): void => fail(isTimeout(signal.reason) ? noAnswer() : signal.reason)
    const onData = (bytes: Uint8Array): void => {
      try {
        frames.push(bytes)
        const message2 = frames.next()
        if (message2 === undefined) return
        const received = message2.length
        const { session, limits } = handshake.receive(message2)
        signal.removeEventListener('abort', onAbort)
        const connection = new Connection(pipe, session, frames, times)
        events = connection.pipeEvents
        // The client's first transport message proves the PSK and freshness; until then no handler runs.
        connection.sendKeepalive()
        resolve({ connection, limits, handshakeBytes: { sent: handshake.hello.length, received } })
      } catch (error) {
        fail(
          error instanceof NoisecapError
            ? error
            : new NoisecapError('session/handshake', 'Cannot open session: the answer is malformed'),
        )
      }
    }
    if (signal.aborted) return onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    pipe.start({
      data: (bytes) => (events === undefined ? onData(bytes) : events.data(bytes)),
      drain: () => events?.drain(),
      end: () => (events === undefined ? fail(noAnswer()) : events.end()),
      closed: (error) => (events === undefined ? fail(noAnswer(error)) : events.closed(error)),
    })
    pipe.write(
      pipe.framing === 'length' ? concat(u16(handshake.hello.length), handshake.hello) : handshake.hello,
    )
  })
}

/** Whether an abort reason is that of `AbortSignal.timeout`. */
function isTimeout(reason: unknown): boolean {
  return reason instanceof DOMException && reason.name === 'TimeoutError'
}

function noAnswer(cause?: Error): NoisecapError {
  return new NoisecapError('session/no_answer', 'Cannot open session: the service did not answer the hello', {
    ...(cause === undefined ? {} : { cause }),
    hint: 'A service is silent towards whoever does not hold a capability of it; check that the capability is complete and of this service',
  })
}
