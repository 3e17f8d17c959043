// Limits as a user gives them: what is left out has its default, and what no peer could take is refused at once.
import { expect, test } from 'vitest'
import { connect, iface, method, Service } from '../../src/index.js'
import { STREAM_MAX_BYTES } from '../../src/limits.js'
import { DEFAULT_LIMITS, localLimitsOf } from '../../src/session/index.js'

test('what is left out has its default; with a first credit alone none grows', () => {
  expect(localLimitsOf()).toEqual({ ...DEFAULT_LIMITS, maxStreamBytes: STREAM_MAX_BYTES })
  expect(localLimitsOf({ initialStreamBytes: 4_096 })).toMatchObject({ maxStreamBytes: 4_096 })
  expect(localLimitsOf({ initialStreamBytes: 1, maxStreamBytes: 2 })).toMatchObject({ maxStreamBytes: 2 })
  expect(localLimitsOf({ maxStreamBytes: 0x7fff_ffff, maxExports: 0 })).toMatchObject({ maxExports: 0 })
})

test.each([Number.NaN, -1, 0.5, 2 ** 31, Number.POSITIVE_INFINITY])(
  '%d is refused, and the error names the limit',
  async (value) => {
    for (const name of ['maxStreamBytes', 'initialStreamBytes', 'maxExports'] as const) {
      const message = `expected ${name} to be a whole number from 0 to 2147483647, got ${value}`
      expect(() => localLimitsOf({ [name]: value })).toThrow(message)
      expect(() => Service.create(undefined, { limits: { [name]: value } })).toThrow(RangeError)
    }
  },
)

test('connect refuses them before it looks for the service', async () => {
  const service = Service.create(undefined, { announcers: [] })
  const offer = service.offer('a', iface('A', { a: method<void, void>() }), () => ({ a() {} }))
  const dial = (async () => connect(offer.mint({}), { limits: { maxStreamBytes: Number.NaN } }))()
  await expect(dial).rejects.toThrow('Cannot use limits: expected maxStreamBytes')
  await service.close()
})
