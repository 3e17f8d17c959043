import { expect, test } from 'vitest'
import type { Clock } from '../../src/clock.js'
import { SteadyClock } from '../../src/mailbox/steady-clock.js'

function setup() {
  const time = { mono: 1_000, wall: 1_800_000_000_000 }
  const clock = { nowMs: () => time.mono, wallMs: () => time.wall } as Clock
  const steady = new SteadyClock(clock)
  const pass = (ms: number, wallMs = ms) => {
    time.mono += ms
    time.wall += wallMs
  }
  return { time, steady, pass }
}

test('SteadyClock follows the wall clock as long as both agree', () => {
  const { time, steady, pass } = setup()
  pass(10_000, 12_000)
  expect(steady.nowMs()).toBe(time.wall)
})
test.each([31_536_000_000, -31_536_000_000, Number.NaN])(
  'SteadyClock goes on by itself after a jump of %d ms',
  (jump) => {
    const { steady, pass } = setup()
    const before = steady.nowMs()
    pass(5_000, 5_000 + jump)
    expect(steady.nowMs()).toBe(before + 5_000)
  },
)
test('SteadyClock follows again once the wall clock is back', () => {
  const { time, steady, pass } = setup()
  pass(1_000, 3_600_000)
  steady.nowMs()
  time.wall -= 3_599_500
  expect(steady.nowMs()).toBe(time.wall)
})
