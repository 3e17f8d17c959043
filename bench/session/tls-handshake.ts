// A TLS 1.3 handshake of Node, both sides in one thread, over a loopback connection that is open already: plain sockets are
// its fast path. Its certificate is EC P-256 and is verified.
import { once } from 'node:events'
import { createServer, connect as netConnect, type Socket } from 'node:net'
import { createSecureContext, TLSSocket, connect as tlsConnect } from 'node:tls'
import { cpuMicrosSince } from '../suite/rounds.js'

interface TlsOptions {
  readonly server: object
  readonly client: { readonly servername: string; readonly ca: string }
}

/** A function that times one handshake, µs of CPU; opening and closing the connection does not count. */
export async function tlsHandshake(): Promise<() => Promise<number>> {
  // A module of the peers, which have no types here.
  const { tlsOptions } = (await import('../peers/tls.mjs' as string)) as {
    tlsOptions(): Promise<TlsOptions>
  }
  const { server, client } = await tlsOptions()
  const [ofService, ofClient] = [createSecureContext(server), createSecureContext(client)]
  const listener = createServer({ noDelay: true })
  listener.listen(0, '127.0.0.1').unref()
  await once(listener, 'listening')
  const address = listener.address()
  if (address === null || typeof address === 'string') throw new Error('Cannot listen on TCP')
  return async () => {
    const accepted = once(listener, 'connection') as Promise<[Socket]>
    const dialled = netConnect({ port: address.port, host: '127.0.0.1', noDelay: true })
    const [[inbound]] = await Promise.all([accepted, once(dialled, 'connect')])
    const began = process.cpuUsage()
    const serverSide = new TLSSocket(inbound, { isServer: true, secureContext: ofService })
    const clientSide = tlsConnect({ servername: client.servername, secureContext: ofClient, socket: dialled })
    await Promise.all([once(serverSide, 'secure'), once(clientSide, 'secureConnect')])
    const micros = cpuMicrosSince(began)
    if (!clientSide.authorized || clientSide.getProtocol() !== 'TLSv1.3') {
      throw new Error('Cannot time TLS: not a verified session of version 1.3')
    }
    clientSide.destroy()
    serverSide.destroy()
    return micros
  }
}
