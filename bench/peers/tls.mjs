// TLS 1.3 of Node: an EC P-256 certificate made at start, which the client verifies; X25519 key exchange and AES-256-GCM,
// OpenSSL's defaults and its fastest here; no session is resumed. Calls are lines of JSON.
import { createSecureContext, createServer, connect as tlsConnect } from 'node:tls'
import { generate } from 'selfsigned'

const HOST = 'localhost'
const VERSION = { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3', ecdhCurve: 'X25519' }

/** Options of both sides, for one fresh certificate. */
export async function tlsOptions() {
  const pems = await generate([{ name: 'commonName', value: HOST }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: HOST }] }],
  })
  return {
    server: { ...VERSION, key: pems.private, cert: pems.cert },
    client: { ...VERSION, ca: pems.cert, servername: HOST },
  }
}

/** Parsed once, as a client that connects again and again would do: parsing costs more than the handshake. */
let context

/** Calls `line` for every line that arrives. */
function onLines(socket, line) {
  let rest = ''
  socket.setEncoding('utf8')
  socket.on('data', (text) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const each of lines) line(each)
  })
}

/** @type {import('../suite/subject.js').Subject} */
export const tls = {
  async serve() {
    const options = await tlsOptions()
    return new Promise((resolve) => {
      const server = createServer({ ...options.server, noDelay: true }, (socket) => {
        onLines(socket, (line) => socket.write(`${line}\n`))
        socket.on('error', () => {})
      })
      server.listen(0, '127.0.0.1', () =>
        resolve(JSON.stringify({ port: server.address().port, client: options.client })),
      )
    })
  },
  connect(address) {
    const { port, client } = JSON.parse(address)
    context ??= createSecureContext(client)
    return new Promise((resolve, reject) => {
      const options = { servername: HOST, secureContext: context, port, host: '127.0.0.1' }
      const socket = tlsConnect(options, () => {
        if (!socket.authorized || socket.getProtocol() !== 'TLSv1.3' || socket.isSessionReused()) {
          reject(new Error('Cannot time TLS: not a fresh, verified session of version 1.3'))
        }
        socket.setNoDelay(true)
        const waiting = []
        onLines(socket, (line) => waiting.shift()?.(JSON.parse(line)))
        resolve({
          echo: (payload) =>
            new Promise((answer) => {
              waiting.push(answer)
              socket.write(`${JSON.stringify(payload)}\n`)
            }),
          close: () =>
            new Promise((closed) => {
              socket.once('close', () => closed())
              socket.end()
            }),
        })
      })
      socket.once('error', reject)
    })
  },
}
