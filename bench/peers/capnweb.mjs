// capnweb over ws as its README sets both up for Node: one WebSocket session, permessage-deflate off, no delay.
// It has no encryption of its own: this is plain text on loopback, in its favour.
import { newWebSocketRpcSession, RpcTarget } from 'capnweb'
import { WebSocket, WebSocketServer } from 'ws'

// capnweb reads a constant of the global WebSocket, which Node 20 does not have.
globalThis.WebSocket ??= WebSocket

class Echo extends RpcTarget {
  echo(value) {
    return value
  }
}

/** @type {import('../suite/subject.js').Subject} */
export const capnweb = {
  serve() {
    return new Promise((resolve) => {
      const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false }, () =>
        resolve(String(server.address().port)),
      )
      server.on('connection', (socket) => newWebSocketRpcSession(socket, new Echo()))
    })
  },
  async connect(address) {
    const socket = new WebSocket(`ws://127.0.0.1:${address}`, { perMessageDeflate: false })
    const stub = newWebSocketRpcSession(socket)
    return { echo: (payload) => stub.echo(payload) }
  },
}
