// What the session layer asks of a transport: an ordered, reliable pipe of bytes or of messages, with back-pressure.
// Every transport passes one conformance suite (test/transport/conformance.ts). Leaves out dialling rules (src/dial.ts)
// and everything about keys: a pipe is trusted with nothing but availability.
import type { Origins } from './origins.js'

/** How record boundaries travel: a u16 length before each record, or one transport message a record. */
export type Framing = 'length' | 'message'

/** What happens on a pipe. Calls never overlap; none comes before `start` or after `closed`. */
export interface PipeEvents {
  /** Bytes arrived. They are handed over: the receiver may alter and keep them. */
  data(bytes: Uint8Array): void
  /** As `data`, of bytes that are lent until this returns: from a transport that reads into the same memory again. Where whoever
   * listens leaves it out, a copy comes as `data`. */
  lent?(bytes: Uint8Array): void
  /** Waiting bytes fell below the transport's low-water mark after `write` returned false. */
  drain(): void
  /** The peer will send nothing more; writing is still possible. */
  end(): void
  /** Of a pipe that carries one batch each way: ours is about to leave, or the peer's is whole. What is not in it by the end
   * of this turn is for another pipe. */
  last?(): void
  /** The pipe is gone, both ways; `error` when that was not asked for. Always the last call, exactly once. */
  closed(error: Error | undefined): void
}

/** One open connection. */
export interface Pipe {
  readonly framing: Framing
  /** Where the peer is, for admission control and logs; empty when unknown. */
  readonly remoteAddress: string
  /** Whether the peer is on this machine (loopback, unix socket, memory): exempt from per-address limits. */
  readonly isLocal: boolean
  /** Bytes accepted by `write` that have not left yet. */
  readonly waitingBytes: number
  /** Of a pipe that carries a hello and its answer, then one batch of records each way (HTTP): how long the answer to the
   * batch may take, ms. */
  readonly batchDeadlineMs?: number
  /** Drop a peer that sends more than this, bytes, before the first `write`: for a service that has yet to see a hello. A
   * transport that hands over what comes piece by piece has no use for that, and leaves it out. */
  limitUnanswered?(maxBytes: number): void
  /** Begin to deliver events; called once. */
  start(events: PipeEvents): void
  /** Queue bytes, which are handed over: of a pipe of messages one message, 16 to 65,535 bytes. After `end` or `closed`
   * this does nothing.
   * @returns false when the caller should wait for `drain`. */
  write(bytes: Uint8Array): boolean
  /** As {@link write}, of bytes that are lent: `done` is called at most once, when the transport no longer holds them, whether
   * they left or not. Absent where a transport cannot tell. */
  lend?(bytes: Uint8Array, done: (error?: Error | null) => void): boolean
  /** Hold back what is written until `uncork`, so that it leaves in one piece; where the transport has no use for that, absent. */
  cork?(): void
  uncork?(): void
  /** Stop delivering `data`, so that the transport's own flow control holds the peer back. */
  pause(): void
  /** Deliver `data` again. */
  resume(): void
  /** Send what is queued, then tell the peer that nothing more comes. */
  end(): void
  /** Drop the connection and whatever is queued. */
  destroy(): void
}

/** Whether an address, IPv4 or IPv6 as a socket writes it, may be dialled. */
export type AddressFilter = (address: string) => boolean

/** Opens a pipe to a location of one scheme.
 * @param allows - asked about the addresses that a host name stands for, before any of them is dialled; all if left out.
 * @throws `transport/unreachable`, or the signal's reason when aborted. */
export type Dial = (location: string, signal: AbortSignal, allows?: AddressFilter) => Promise<Pipe>

/** A bound location that accepts pipes until closed. */
export interface Listener {
  /** The location with the port that was really bound. */
  readonly location: string
  /** Accept nothing more; open pipes stay. */
  close(): Promise<void>
}

/** What a listener is told besides where. */
export interface ListenOptions {
  /** Of `ws:` only: pages that may connect, as browsers write their origin (`https://app.example`), or a judge of that. Default:
   * pages of the same host and port. What is no browser sends no origin, and is not asked for one. */
  readonly origins?: Origins | undefined
  /** Of `unix:` only: mode of the socket, default 0600; whoever may write to it may connect. */
  readonly mode?: number | undefined
}

/** Binds a location of one scheme.
 * @throws `transport/bad_location`, `transport/unreachable` when it cannot be bound. */
export type Listen = (
  location: string,
  accept: (pipe: Pipe) => void,
  options?: ListenOptions,
) => Promise<Listener>

/** Whether an address, as a socket writes it, is that of this machine to itself. */
export function isLoopback(address: string): boolean {
  return /^(127\.|::1$|::ffff:127\.)/.test(address)
}
