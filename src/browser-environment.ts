// What a browser brings: WebSockets, the clock, Web Cryptography's X25519, and no directory. Leaves out Node (node-environment.ts).
import { SYSTEM_CLOCK } from './clock.js'
import { webX25519 } from './crypto/index.js'
import type { Environment } from './environment.js'
import { dialWebSocket } from './transport/websocket.js'

/** What `connect` and `Service` use in a browser. */
export const browserEnvironment: Environment = {
  transports: new Map([
    ['ws', { dial: dialWebSocket }],
    ['wss', { dial: dialWebSocket }],
  ]),
  resolvers: () => [],
  announcers: () => [],
  clock: SYSTEM_CLOCK,
  laterX25519: webX25519,
}
