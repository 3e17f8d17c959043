// Two real Peers over a session in memory: a client that holds the root, and a service with an object behind it.
import type { InternalError } from '../../src/rpc/execution.js'
import { OPEN_AUTHORITY } from '../../src/rpc/exports.js'
import {
  type CallContext,
  type Calls,
  createStub,
  Exports,
  type Handlers,
  type Interface,
  type Methods,
  Peer,
  type Stub,
} from '../../src/rpc/index.js'
import { DEFAULT_LIMITS, type SessionLimits } from '../../src/session/index.js'
import { openPair } from '../session/parties.js'

/** A client and a service that talk. */
export async function converse<M extends Methods>(
  description: Interface<M>,
  object: Handlers<M, CallContext>,
  { client: ofClient = {}, service: ofService = {} }: Record<string, Partial<SessionLimits>> = {},
) {
  const pair = await openPair()
  const clientLimits = { ...DEFAULT_LIMITS, ...ofClient }
  const serviceLimits = { ...DEFAULT_LIMITS, ...ofService }
  const errors: InternalError[] = []
  const exports = new Exports(serviceLimits.maxExports)
  exports.add({
    authority: OPEN_AUTHORITY,
    isLive: true,
    authorize: () => 'ok',
    target: () => ({ description, object }),
    released: () => {},
  })
  const service = new Peer(pair.service, {
    remoteLimits: clientLimits,
    localLimits: serviceLimits,
    serves: { exports, client: undefined, onInternalError: (report) => errors.push(report) },
  })
  const client = new Peer(pair.client, { remoteLimits: serviceLimits, localLimits: clientLimits })
  service.start()
  client.start()
  const root: Stub<Calls<M>> = createStub(description, client.root())
  return { root, client, service, exports, errors, close: () => client.close() }
}

/** Let everything that is under way arrive. */
export async function settled(turns = 20): Promise<void> {
  for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve))
}
