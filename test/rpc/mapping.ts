// A shop whose lists may be mapped, a client of it that talks over a real session, and a tap that counts their messages.
import { z } from 'zod'
import type { Authority } from '../../src/rpc/exports.js'
import {
  type CallContext,
  type Calls,
  createStub,
  type Exported,
  Exports,
  Failure,
  type Handlers,
  iface,
  keep,
  method,
  Peer,
  type Reference,
  reference,
  type Stub,
  stream,
} from '../../src/rpc/index.js'
import type { LocalTarget } from '../../src/rpc/local-target.js'
import { DEFAULT_LIMITS, type SessionLimits } from '../../src/session/index.js'
import { openPair } from '../session/parties.js'
import { answersIn } from './scripted.js'

export const Maker = iface('Maker', { name: method<void, string>() })
export const Pen = iface('Pen', { note: method(z.string(), z.string()) })
export const Item = iface('Item', {
  name: method<void, string>(),
  price: method(z.number(), z.number()),
  maker: method(z.void(), Maker),
  tell: method<{ to: Reference<typeof Pen>; text: string }, string>(),
  echo: method<unknown, unknown>(),
  details: method<void, { maker: Reference<typeof Maker>; tags: string[] }>(),
  wait: method<void, string>(),
  fail: method<number, string>(),
  broken: method<void, string>(),
  ticks: stream(z.void(), z.number()),
})
export const Shop = iface('Shop', {
  items: method<number, Reference<typeof Item>[]>(),
  catalogue: method<number, { item: Reference<typeof Item>; label: string }[]>(),
  slow: method<number, Reference<typeof Item>[]>(),
  refused: method<void, Reference<typeof Item>[]>(),
  words: method<void, string>(),
  echo: method<unknown, unknown>(),
  pen: method(z.void(), Pen),
})

/** What happened at the service. */
export class Events {
  calls = 0
  running = 0
  most = 0
  aborted = 0
  disposed = 0
  readonly waiting: (() => void)[] = []
}

class ItemOf implements Handlers<(typeof Item)['declared'], CallContext> {
  readonly number: number
  readonly events: Events

  constructor(number: number, events: Events) {
    this.number = number
    this.events = events
  }

  name = (): string => {
    this.events.calls += 1
    return `item ${this.number}`
  }
  price = (factor: number): number => {
    this.events.calls += 1
    return this.number * factor
  }
  maker = () => {
    const { events, number } = this
    events.calls += 1
    return {
      name: () => `maker of ${number}`,
      [Symbol.dispose]: () => {
        events.disposed += 1
      },
    }
  }
  tell = ({ to, text }: { to: Reference<typeof Pen>; text: string }): Promise<string> =>
    to.note(`${this.number}: ${text}`)
  echo = (value: unknown): unknown => value
  details = () => ({ maker: reference(Maker, this.maker()), tags: ['a', String(this.number)] })
  wait = async (_: unknown, { signal }: CallContext): Promise<string> => {
    const { events } = this
    events.calls += 1
    events.running += 1
    events.most = Math.max(events.most, events.running)
    signal.addEventListener('abort', () => {
      events.aborted += 1
    })
    await new Promise<void>((resolve) => events.waiting.push(resolve))
    events.running -= 1
    return `waited ${this.number}`
  }
  fail = (at: number): string => {
    this.events.calls += 1
    if (this.number === at) throw new Failure('not_found', `no ${at}`)
    return 'fine'
  }
  broken = (): string => {
    throw new Error('secret')
  }
  async *ticks() {
    yield 1
  }
  [Symbol.dispose](): void {
    this.events.disposed += 1
  }
}

/** The object behind the shop. */
export function shopOf(events: Events) {
  const list = (length: number) => Array.from({ length }, (_, i) => reference(Item, new ItemOf(i, events)))
  const gate: (() => void)[] = []
  const object: Handlers<(typeof Shop)['declared'], CallContext> = {
    items: list,
    catalogue: (length) => list(length).map((item, i) => ({ item, label: `label ${i}` })),
    slow: async (length) => {
      await new Promise<void>((resolve) => gate.push(resolve))
      return list(length)
    },
    refused: () => {
      throw new Failure('unavailable', 'closed')
    },
    words: () => 'not a list',
    echo: (value) =>
      Array.isArray(value) ? value.map((each: object) => keep(each as Reference<typeof Pen>)) : value,
    pen: () => ({ note: (text) => text }),
  }
  return { object, gate }
}

/** An authority that allows maps of so many calls; `live` ends it. */
export class MappingAuthority implements Authority {
  isLive = true
  readonly mapCalls: number | undefined

  constructor(mapCalls: number | undefined) {
    this.mapCalls = mapCalls
  }

  isInForce(): boolean {
    return this.isLive
  }

  derive(target: LocalTarget): Exported {
    target.retain()
    const authority = this
    return {
      authority,
      get isLive() {
        return authority.isLive
      },
      authorize: () => (authority.isLive ? 'ok' : 'broken'),
      target: () => target,
      released: () => target.release(),
    }
  }
}

/** An export of the shop under `authority`. */
export function exportOf(authority: Authority, object: object, methods?: readonly string[]): Exported {
  return {
    authority,
    get isLive() {
      return authority.isLive
    },
    authorize: (name) => (methods === undefined || methods.includes(name) ? 'ok' : 'denied'),
    target: () => ({ description: Shop, object }),
    released: () => {},
  }
}

/** A client in a shop. */
export async function openShop(
  mapCalls: number | undefined,
  limits: Partial<SessionLimits> = {},
  methods?: readonly string[],
) {
  const pair = await openPair()
  const events = new Events()
  const { object, gate } = shopOf(events)
  const serviceLimits = { ...DEFAULT_LIMITS, ...limits }
  const authority = new MappingAuthority(mapCalls)
  const exports = new Exports(serviceLimits.maxExports)
  exports.add(exportOf(authority, object, methods))
  const errors: unknown[] = []
  const presented = { made: (): number => 0 }
  const service = new Peer(pair.service, {
    remoteLimits: DEFAULT_LIMITS,
    localLimits: serviceLimits,
    serves: {
      exports,
      client: undefined,
      onInternalError: (report) => errors.push(report),
      present: () => presented.made(),
    },
  })
  const client = new Peer(pair.client, { remoteLimits: serviceLimits, localLimits: DEFAULT_LIMITS })
  const sent = { client: tap(pair.client), service: tap(pair.service) }
  service.start()
  client.start()
  const shop: Stub<Calls<(typeof Shop)['declared']>> = createStub(Shop, client.root())
  return {
    shop,
    client,
    service,
    exports,
    authority,
    events,
    gate,
    errors,
    presented,
    sent,
    close: () => client.close(),
  }
}

/** Ops of the messages that a connection sends from now on. */
function tap(connection: { send(plaintext: Uint8Array): unknown }) {
  const send = connection.send.bind(connection)
  const records: Uint8Array[] = []
  connection.send = (plaintext: Uint8Array) => {
    records.push(plaintext.slice())
    return send(plaintext)
  }
  return {
    records,
    ops: () => answersIn(records).map(({ op }) => op),
    clear: () => {
      records.length = 0
    },
  }
}
