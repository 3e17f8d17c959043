// noisecap as a subject: a service and a client as users write them. NOISECAP_CRYPTO chooses the provider.
import { Capability, connect, generateKeyPair, iface, method, Service } from 'noisecap'
import { z } from 'zod'
import type { Payload, Subject } from './subject.js'

const PayloadSchema = z.object({ id: z.number(), text: z.string() })
const Echo = iface('Echo', {
  plain: method<Payload, Payload>(),
  checked: method(PayloadSchema, PayloadSchema),
})

async function serve(): Promise<string> {
  const service = Service.create(undefined, { announcers: [] })
  const echo = service.offer('echo', Echo, () => ({ plain: (value) => value, checked: (value) => value }))
  const location = await service.listen('tcp://127.0.0.1:0')
  return echo.mint({}, { at: [location] }).export()
}

/** Parsed once, as a client that connects again and again would do. */
let parsed: { readonly text: string; readonly capability: Capability } | undefined

function capabilityOf(text: string): Capability {
  if (parsed?.text !== text) parsed = { text, capability: Capability.parse(text) }
  return parsed.capability
}

/** Types alone. */
export const plain: Subject = {
  serve,
  async connect(address) {
    const stub = await connect(capabilityOf(address), Echo, { resolvers: [] })
    return { echo: (payload) => stub.plain(payload), close: async () => stub[Symbol.asyncDispose]() }
  },
}

const key = generateKeyPair()

/** As `plain`, by a client that proves a key of its own. */
export const named: Subject = {
  serve,
  async connect(address) {
    const stub = await connect(capabilityOf(address), Echo, { resolvers: [], key })
    return { echo: (payload) => stub.plain(payload), close: async () => stub[Symbol.asyncDispose]() }
  },
}

/** Input validated by the service, the result by the client, with zod. */
export const checked: Subject = {
  serve,
  async connect(address) {
    const stub = await connect(capabilityOf(address), Echo, { resolvers: [] })
    return { echo: (payload) => stub.checked({ ...payload }) }
  },
}
