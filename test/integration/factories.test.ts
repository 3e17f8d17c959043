// Factories of offers that fail: whoever waited is told, and a session is not spoilt by it.
import { expect, test } from 'vitest'
import { Failure, iface, method } from '../../src/index.js'
import { TestNetwork } from '../../src/testing/index.js'

const Box = iface('Box', { open: method<string, string>() })

function boxes(isAway: () => boolean) {
  const network = new TestNetwork()
  let made = 0
  let disposed = 0
  const offer = network.createService().offer('box', Box, async () => {
    made += 1
    if (isAway()) throw new Failure('unavailable', 'the database is away')
    return { open: (name) => name, [Symbol.dispose]: () => void disposed++ }
  })
  return { network, offer, made: () => made, disposed: () => disposed }
}

test('a factory that failed is tried again by the next call of the same session, and not once it has made the object', async () => {
  let away = true
  const { network, offer, made, disposed } = boxes(() => away)
  await using _ = network
  const box = await network.connect(offer.mint({}))
  const waiting = [box.open('a'), box.open('b')].map((call) => call.catch((error) => error.code))
  expect(await Promise.all(waiting)).toEqual(['rpc/unavailable', 'rpc/unavailable'])
  away = false
  const before = made()
  expect(await box.open('c')).toBe('c')
  expect(await box.open('d')).toBe('d')
  expect(made()).toBe(before + 1)
  await box[Symbol.asyncDispose]()
  await expect.poll(disposed).toBe(1)
})

test('a reference whose factory only failed ends without disposing anything', async () => {
  const { network, offer, disposed } = boxes(() => true)
  await using _ = network
  const box = await network.connect(offer.mint({}))
  await expect(box.open('a')).rejects.toMatchObject({ code: 'rpc/unavailable' })
  await box[Symbol.asyncDispose]()
  expect(disposed()).toBe(0)
})
