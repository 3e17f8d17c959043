// What connects the core to a host: transports by scheme, the directories that name services, and the clock. Node's stands in
// node-environment.ts; a browser brings its own. Leaves out both ends of a conversation (connect.ts, service.ts).
import type { Clock } from './clock.js'
import type { LaterX25519 } from './crypto/index.js'
import { NoisecapError } from './errors.js'
import type { Announcer, Resolver } from './resolve/index.js'
import type { Dial, Listen, ListenOptions } from './transport/index.js'

/** Transports, directories and the clock of one host. */
export interface Environment {
  /** By scheme without colon. */
  readonly transports: ReadonlyMap<string, { readonly dial: Dial; readonly listen?: Listen }>
  /** Asked in order, after the hints in a capability. */
  readonly resolvers: () => readonly Resolver[]
  /** Where a listening service announces itself. */
  readonly announcers: () => readonly Announcer[]
  /** Drives every deadline, delay and expiry. */
  readonly clock: Clock
  /** An X25519 that answers later and costs the caller less, for the handshakes of clients. */
  readonly laterX25519?: () => Promise<LaterX25519 | undefined>
}

/** The transport of a location.
 * @throws `transport/bad_location` when there is none for its scheme. */
export function transportOf(environment: Environment, location: string): { dial: Dial; listen?: Listen } {
  const scheme = /^([a-z][a-z0-9+.-]*):/.exec(location)?.[1]
  const transport = scheme === undefined ? undefined : environment.transports.get(scheme)
  if (transport === undefined) {
    const known = [...environment.transports.keys()].map((name) => `${name}:`).join(', ')
    throw new NoisecapError(
      'transport/bad_location',
      `Cannot use location: expected one that begins with ${known}, got ${JSON.stringify(location.slice(0, 80))}`,
    )
  }
  return transport
}

/** Nobody believes in a rule that is not there: origins of a TCP port, the mode of a WebSocket. */
export function checkListenOptions(location: string, { origins, mode }: ListenOptions): void {
  if (origins !== undefined && !location.startsWith('ws:'))
    throw new TypeError('Cannot listen: expected origins only with a location that begins with ws:')
  if (mode !== undefined && !location.startsWith('unix:'))
    throw new TypeError('Cannot listen: expected a mode only with a location that begins with unix:')
}
