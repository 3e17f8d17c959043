// Many deadlines, few timers: what is removed never expires, what is not expires once.
import { expect, test } from 'vitest'
import { Deadlines } from '../../src/rpc/deadlines.js'

test('what was added expires once, what was removed never', async () => {
  const deadlines = new Deadlines()
  const expired: string[] = []
  const subject = (name: string) => ({ expire: () => expired.push(name) })
  const [a, b, c] = [subject('a'), subject('b'), subject('c')]
  deadlines.add(a, 10)
  const slot = deadlines.add(b, 10)
  deadlines.add(c, 0)
  deadlines.remove(b, slot)
  deadlines.remove(b, slot)
  await expect.poll(() => [...expired].sort()).toEqual(['a', 'c'])
  const last = new Promise<void>((resolve) => deadlines.add({ expire: resolve }, 40))
  await last
  expect([...expired].sort()).toEqual(['a', 'c'])
})

test('subjects of one slot all expire, also when one of them adds another', async () => {
  const deadlines = new Deadlines()
  let count = 0
  await new Promise<void>((resolve) => {
    const again = () => {
      count += 1
      if (count === 4) resolve()
      else if (count <= 2) deadlines.add({ expire: again }, 1)
    }
    deadlines.add({ expire: again }, 5)
    deadlines.add({ expire: again }, 5)
  })
  expect(count).toBe(4)
})

test('a delay beyond what a timer takes does not expire at once', async () => {
  const deadlines = new Deadlines()
  let expired = false
  const subject = { expire: () => (expired = true) }
  const slot = deadlines.add(subject, 1e15)
  await new Promise<void>((resolve) => deadlines.add({ expire: resolve }, 20))
  expect(expired).toBe(false)
  deadlines.remove(subject, slot)
})
