// protomux-rpc over @hyperswarm/secret-stream on TCP, as their READMEs set them up; values as JSON, the encoding of theirs
// that takes the same objects. The service answers a batch with a batch by itself.
import { createServer, connect as netConnect } from 'node:net'
import SecretStream from '@hyperswarm/secret-stream'
import c from 'compact-encoding'
import ProtomuxRPC from 'protomux-rpc'

const options = { valueEncoding: c.json }

async function serve() {
  return new Promise((resolve) => {
    const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
      const rpc = new ProtomuxRPC(new SecretStream(false, socket), options)
      rpc.respond('echo', (value) => value)
    })
    server.listen(0, '127.0.0.1', () => resolve(String(server.address().port)))
  })
}

async function open(address) {
  const socket = netConnect({ port: Number(address), host: '127.0.0.1', noDelay: true, allowHalfOpen: true })
  const rpc = new ProtomuxRPC(new SecretStream(true, socket), options)
  await rpc.fullyOpened()
  return rpc
}

/** As its README calls.
 * @type {import('../suite/subject.js').Subject} */
export const protomux = {
  serve,
  async connect(address) {
    const rpc = await open(address)
    return { echo: (payload) => rpc.request('echo', payload) }
  },
}

/** The channel corked for one turn of the event loop, so that calls leave in batches: more than its README shows, and the
 * fastest it can do.
 * @type {import('../suite/subject.js').Subject} */
export const protomuxCorked = {
  serve,
  async connect(address) {
    const rpc = await open(address)
    let corked = false
    const uncork = () => {
      corked = false
      rpc.uncork()
    }
    const echo = (payload) => {
      if (!corked) {
        corked = true
        rpc.cork()
        process.nextTick(uncork)
      }
      return rpc.request('echo', payload)
    }
    return { echo }
  },
}
