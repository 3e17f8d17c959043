// References that somebody passes on: the receiver sees that, and only then; calls reach the host through the one between.
import { expect, test } from 'vitest'
import { z } from 'zod'
import { iface, isProxied, keep, method, type Reference, reference } from '../../src/rpc/index.js'
import { converse, settled } from './conversation.js'

const Counter = iface('Counter', { add: method(z.number(), z.number()) })
const Desk = iface('Desk', {
  counter: method(z.void(), Counter),
  put: method(Counter, z.void()),
  take: method(z.void(), Counter),
  bump: method(Counter, z.number()),
  sees: method(Counter, z.boolean()),
})

class DeskOf {
  disposed = 0
  #value = 0
  #held: Reference<typeof Counter> | undefined
  readonly #own = {
    add: (by: number) => {
      this.#value += by
      return this.#value
    },
    [Symbol.dispose]: () => {
      this.disposed += 1
    },
  }
  counter = () => reference(Counter, this.#own)
  put = (counter: Reference<typeof Counter>) => {
    this.#held = keep(counter)
  }
  take = () => keep(this.#held!)
  bump = (counter: Reference<typeof Counter>) => counter.add(1)
  sees = (counter: Reference<typeof Counter>) => isProxied(counter)
  letGo = () => this.#held?.[Symbol.dispose]()
}

/** A host, somebody who holds sessions with both, and one who gets what that one passes on. */
async function three() {
  const [host, other] = [new DeskOf(), new DeskOf()]
  const atHost = await converse(Desk, host)
  const atOther = await converse(Desk, other)
  return {
    host,
    other,
    atHost,
    atOther,
    close: () => {
      atHost.close()
      atOther.close()
    },
  }
}

test('a reference of its host is not proxied, at whichever end it arrives', async () => {
  const { atHost, close } = await three()
  using counter = await atHost.root.counter()
  expect(isProxied(counter)).toBe(false)
  expect(isProxied(atHost.root)).toBe(false)
  expect(await atHost.root.sees(reference(Counter, { add: (by) => by }))).toBe(false)
  expect(await atHost.root.sees(counter)).toBe(false) // its own came back
  close()
})

test('a reference passed into another session is proxied there, and its calls reach the host', async () => {
  const { atHost, atOther, close } = await three()
  using counter = await atHost.root.counter()
  expect(await atOther.root.sees(counter)).toBe(true)
  expect(await atOther.root.bump(counter)).toBe(1)
  expect(await counter.add(1)).toBe(2)
  await atOther.root.put(counter)
  using back = await atOther.root.take()
  expect(isProxied(back)).toBe(false) // home again: what was passed on unwraps
  expect(await back.add(1)).toBe(3)
  close()
})

test('a reference passed on twice is proxied, and one that goes on after the first is let go', async () => {
  const { host, other, atHost, atOther, close } = await three()
  const third = await converse(Desk, new DeskOf())
  const counter = await atHost.root.counter()
  await atOther.root.put(counter)
  counter[Symbol.dispose]()
  // The other service hands the proxied one on, as a client of the third.
  using taken = await other.take()
  expect(isProxied(taken)).toBe(true)
  expect(await third.root.sees(taken)).toBe(true)
  expect(await third.root.bump(taken)).toBe(1)
  taken[Symbol.dispose]()
  expect(host.disposed).toBe(0)
  other.letGo()
  await settled()
  expect(host.disposed).toBe(1)
  third.close()
  close()
})

test('isProxied of a promise of a reference, or of something else, is a TypeError', async () => {
  const { atHost, close } = await three()
  expect(() => isProxied(atHost.root.counter())).toThrow(TypeError)
  expect(() => isProxied({})).toThrow(TypeError)
  close()
})
