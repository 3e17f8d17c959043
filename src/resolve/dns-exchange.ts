// One question and one answer with one DNS server, over UDP or TCP (spec/resolve.md §7.3). Over UDP a fresh socket with a port
// of the system's choice is connected to the server, so that the system drops what comes from elsewhere; what does not pass the
// judge is ignored until time is up. Node only; leaves out what a message says (dns-query.ts, dns-update.ts).

import { createSocket } from 'node:dgram'
import dns from 'node:dns'
import { lookup } from 'node:dns/promises'
import { isIP, connect as netConnect } from 'node:net'
import { addAbortListener, removeAbortListener } from '../abort-listeners.js'
import { NoisecapError } from '../errors.js'
import { DNS_MESSAGE_MAX_BYTES, DNS_UDP_PAYLOAD_BYTES } from '../limits.js'
import { parseName } from './dns-record.js'

const DNS_PORT = 53
const LENGTH_BYTES = 2

/** Where a server listens. */
export interface DnsServer {
  /** An address, or a name that the system resolves. */
  readonly host: string
  readonly port: number
}

/** One exchange. */
export interface Exchange<T> {
  readonly message: Uint8Array
  /** What an answer says; undefined when it is none to this message. What it throws ends the exchange. */
  readonly judge: (answer: Uint8Array) => T | undefined
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
}

/** `text` as a server: `host:port`, `[IPv6]:port`, or an address or name alone for port 53.
 * @throws RangeError when it is anything else. */
export function parseServer(text: string): DnsServer {
  if (isIP(text) !== 0) return { host: text, port: DNS_PORT }
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::([1-9][0-9]{0,4}))?$/.exec(text)
  const [, bracketed, plain, portText] = match ?? []
  const port = portText === undefined ? DNS_PORT : Number(portText)
  const isAddress = bracketed !== undefined ? isIP(bracketed) === 6 : isIP(plain ?? '') === 4
  const host = bracketed ?? plain
  if (host === undefined || port > 65_535 || (bracketed !== undefined && !isAddress)) {
    throw new RangeError(
      `Cannot use DNS server: expected host:port, with an IPv6 address in brackets, got ${JSON.stringify(text.slice(0, 80))}`,
    )
  }
  return { host: isAddress ? host : parseName(host, 'DNS server'), port }
}

/** The servers of this machine's configuration. */
export function systemServers(): DnsServer[] {
  // Through the module: a named import would not see what dns.setServers changes.
  return dns.getServers().map(parseServer)
}

/** `server` as it was written. */
export function serverText({ host, port }: DnsServer): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/** Ask over UDP.
 * @throws `resolve/dns` when nothing that passes the judge comes in time; the signal's reason when aborted. */
export function exchangeUdp<T>(server: DnsServer, exchange: Exchange<T>): Promise<T> {
  return settle(server, exchange, ({ address, family }, done, failed) => {
    const socket = createSocket(family === 6 ? 'udp6' : 'udp4')
    let peer: string | undefined
    socket.on('error', (cause) => failed(unreachable(server, cause)))
    socket.on('message', (message, from) => {
      // The system may hold what others sent between binding and connecting; a longer one is not what we asked for.
      if (from.address !== peer || from.port !== server.port) return
      if (message.length <= DNS_UDP_PAYLOAD_BYTES) done(message)
    })
    socket.connect(server.port, address, () => {
      peer = socket.remoteAddress().address
      socket.send(exchange.message, (cause) => {
        if (cause !== null) failed(unreachable(server, cause))
      })
    })
    return () => socket.close()
  })
}

/** Ask over TCP (RFC 7766): one message each way, behind its length.
 * @throws `resolve/dns` when the answer is too long, none to this message, or does not come in time. */
export function exchangeTcp<T>(server: DnsServer, exchange: Exchange<T>): Promise<T> {
  const name = serverText(server)
  return settle(server, exchange, ({ address }, done, failed) => {
    const socket = netConnect({ host: address, port: server.port, noDelay: true })
    let received: Buffer = Buffer.alloc(0)
    socket.on('error', (cause) => failed(unreachable(server, cause)))
    socket.on('close', () => failed(dnsError(`${name} closed the connection without an answer`)))
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk])
      if (received.length < LENGTH_BYTES) return
      const length = received.readUInt16BE(0)
      if (length > DNS_MESSAGE_MAX_BYTES) {
        failed(dnsError(`expected at most ${DNS_MESSAGE_MAX_BYTES} bytes from ${name}, got ${length}`))
      } else if (received.length >= LENGTH_BYTES + length) {
        done(received.subarray(LENGTH_BYTES, LENGTH_BYTES + length))
        // On a connection nobody else could have sent it.
        failed(dnsError(`expected an answer to the question from ${name}, got something else`))
      }
    })
    socket.on('connect', () => {
      const prefix = Buffer.alloc(LENGTH_BYTES)
      prefix.writeUInt16BE(exchange.message.length)
      socket.write(Buffer.concat([prefix, exchange.message]))
    })
    return () => socket.destroy()
  })
}

/** The failure of one server, or of all. */
export function dnsError(
  problem: string,
  options: { readonly cause?: unknown; readonly hint?: string } = {},
): NoisecapError<'resolve/dns'> {
  return new NoisecapError('resolve/dns', `Cannot use DNS: ${problem}`, options)
}

interface Address {
  readonly address: string
  readonly family: number
}

/** Opens a socket; returns what closes it. */
type Start = (
  address: Address,
  done: (message: Uint8Array) => void,
  failed: (error: unknown) => void,
) => () => void

/** Run `start` until an answer passes the judge, something fails, time is up or the caller gives up; then close. */
function settle<T>(server: DnsServer, { judge, timeoutMs, signal }: Exchange<T>, start: Start): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    let settled = false
    let close: (() => void) | undefined
    const finish = (action: () => void): void => {
      if (settled) return
      settled = true
      clearTimeout(timer)
      removeAbortListener(signal, onAbort)
      action()
      close?.()
    }
    const failed = (error: unknown): void => finish(() => reject(error))
    const done = (message: Uint8Array): void => {
      if (settled) return
      try {
        const result = judge(message)
        if (result !== undefined) finish(() => resolve(result))
      } catch (error) {
        failed(error)
      }
    }
    const onAbort = (): void => failed(signal?.reason)
    const timer = setTimeout(
      () => failed(dnsError(`${serverText(server)} did not answer within ${timeoutMs} ms`)),
      timeoutMs,
    )
    addAbortListener(signal, onAbort)
    if (signal?.aborted) onAbort()
    addressOf(server)
      .then((address) => {
        if (!settled) close = start(address, done, failed)
      })
      .catch(failed)
  })
}

async function addressOf(server: DnsServer): Promise<Address> {
  const family = isIP(server.host)
  if (family !== 0) return { address: server.host, family }
  try {
    return await lookup(server.host)
  } catch (cause) {
    throw unreachable(server, cause)
  }
}

function unreachable(server: DnsServer, cause: unknown): NoisecapError<'resolve/dns'> {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'failed'
  return dnsError(`${serverText(server)} cannot be reached (${code})`, { cause })
}
