// The least that a relay over a socket could do: `floor-process.ts <file>` puts what arrives into LMDB, alone, and answers with one byte
// once it is on disk. Tells its parent the port, and ends with it. Leaves out everything else.
import { type AddressInfo, createServer } from 'node:net'
import { open } from 'lmdb'
import { STORED_BYTES } from './stored.js'

const [path] = process.argv.slice(2)
if (path === undefined) throw new Error('Cannot start floor: expected a file')
const store = open<Uint8Array, string>({ path, encoding: 'binary' })
let next = 0

const server = createServer({ noDelay: true }, (socket) => {
  let parts: Buffer[] = []
  socket.on('data', async (part) => {
    parts.push(part)
    const body = Buffer.concat(parts)
    if (body.length < STORED_BYTES) return
    parts = []
    await store.put(String(next++), body)
    await store.flushed
    socket.write('k')
  })
})
// The address of a TCP server is an object.
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
process.on('disconnect', () => process.exit(0))
