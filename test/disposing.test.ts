// A resource is disposed after its use, once, whether that returns or throws.
import { expect, test } from 'vitest'
import { disposing } from '../src/disposing.js'

function resource() {
  const events: string[] = []
  return { events, [Symbol.dispose]: () => void events.push('disposed') }
}

test('after it was used, and its result is given', () => {
  const made = resource()
  const result = disposing(made, ({ events }) => {
    events.push('used')
    return 7
  })
  expect({ result, events: made.events }).toEqual({ result: 7, events: ['used', 'disposed'] })
})

test('when its use throws, which is what is thrown', () => {
  const made = resource()
  const use = (): never => {
    throw new RangeError('half-way')
  }
  expect(() => disposing(made, use)).toThrow(new RangeError('half-way'))
  expect(made.events).toEqual(['disposed'])
})
