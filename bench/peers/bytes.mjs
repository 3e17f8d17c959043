// One direction of bytes over loopback TCP, as peers of a stream of bytes: TLS 1.3 of Node and @hyperswarm/secret-stream.
// The client says how many; the service writes 64 KiB blocks for as long as the stream takes them and goes on at `drain`.
import { createServer, connect as netConnect } from 'node:net'
import { createServer as createTlsServer, connect as tlsConnect } from 'node:tls'
import SecretStream from '@hyperswarm/secret-stream'
import { BLOCK } from '../suite/blocks.mjs'
import { tlsOptions } from './tls.mjs'

const HOST = '127.0.0.1'

/** Answer each request, 8 bytes with a count, with as many bytes. */
function serveBytes(stream) {
  let left = 0
  const write = () => {
    while (left > 0) {
      const block = left < BLOCK.length ? BLOCK.subarray(0, left) : BLOCK
      left -= block.length
      if (!stream.write(block)) return
    }
  }
  stream.on('data', (request) => {
    left = Number(request.readBigUInt64BE())
    write()
  })
  stream.on('drain', write)
  stream.on('error', () => {})
}

/** @type {(stream: import('node:stream').Duplex) => import('../rpc/byte-source.js').ByteSource} */
function sourceOf(stream) {
  return {
    download(bytes, chunk) {
      return new Promise((resolve) => {
        let got = 0
        const onData = (data) => {
          chunk?.(data, got)
          got += data.length
          if (got < bytes) return
          stream.off('data', onData)
          resolve(got)
        }
        stream.on('data', onData)
        const request = Buffer.alloc(8)
        request.writeBigUInt64BE(BigInt(bytes))
        stream.write(request)
      })
    },
  }
}

/** @type {import('../rpc/byte-source.js').ByteSubject} */
export const tlsBytes = {
  async serve() {
    const options = await tlsOptions()
    return new Promise((resolve) => {
      const server = createTlsServer({ ...options.server, noDelay: true }, serveBytes)
      server.listen(0, HOST, () =>
        resolve(JSON.stringify({ port: server.address().port, client: options.client })),
      )
    })
  },
  connect(address) {
    const { port, client } = JSON.parse(address)
    return new Promise((resolve, reject) => {
      const socket = tlsConnect({ ...client, port, host: HOST }, () => {
        if (!socket.authorized || socket.getProtocol() !== 'TLSv1.3')
          reject(new Error('Cannot time TLS: not a verified session of version 1.3'))
        resolve(sourceOf(socket))
      })
      socket.once('error', reject)
    })
  },
}

/** @type {import('../rpc/byte-source.js').ByteSubject} */
export const secretStreamBytes = {
  serve() {
    return new Promise((resolve) => {
      const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) =>
        serveBytes(new SecretStream(false, socket)),
      )
      server.listen(0, HOST, () => resolve(String(server.address().port)))
    })
  },
  async connect(address) {
    const socket = netConnect({ port: Number(address), host: HOST, noDelay: true, allowHalfOpen: true })
    const stream = new SecretStream(true, socket)
    await stream.opened
    return sourceOf(stream)
  },
}
