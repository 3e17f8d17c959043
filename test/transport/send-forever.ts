// Child process of the socket tests: sends 0, 1, … 250, 0, … to the location it is given. Ends only by being killed.
import { dialTcp } from '../../src/transport/tcp.js'
import { dialUnix } from '../../src/transport/unix.js'
import { dialWebSocket } from '../../src/transport/websocket-node.js'

const location = process.argv[2]!
const dials = { tcp: dialTcp, unix: dialUnix, ws: dialWebSocket }
const dial = dials[location.split(':', 1)[0] as keyof typeof dials]
const pipe = await dial(location, AbortSignal.timeout(20_000))
let sent = 0
const fill = (): void => {
  for (let room = true; room; ) room = pipe.write(Uint8Array.from({ length: 4_096 }, () => sent++ % 251))
}
pipe.start({ data() {}, drain: fill, end() {}, closed: () => process.exit(1) })
fill()
