// The chapters of the demo, in the order in which demo.ts tells them. Leaves out the processes (demo.ts, shelf.ts,
// carol.ts) and the long way (far-link.ts).
import { type Calls, reference, type Stub } from 'noisecap'
import type { Story } from '../notes/story.js'
import { type Door, type Shelf, Watcher } from './document.js'
import type { FarLink } from './far-link.js'

/** What every chapter needs. */
export interface Scene {
  readonly story: Story
  readonly link: FarLink
  readonly shelf: Stub<Calls<(typeof Shelf)['declared']>>
  readonly door: Stub<Calls<(typeof Door)['declared']>>
}

interface Measured<T> {
  readonly value: T
  readonly roundTrips: number
  readonly ms: number
}

/** Run `steps`, and count on the wire. */
async function measure<T>(
  { link, story }: Scene,
  what: string,
  steps: () => Promise<T>,
): Promise<Measured<T>> {
  link.takeRoundTrips()
  const began = performance.now()
  const value = await steps()
  const ms = performance.now() - began
  const roundTrips = link.takeRoundTrips()
  const trips = roundTrips === 1 ? 'round trip' : 'round trips'
  story.measured(`${what}: ${roundTrips} ${trips} on the wire, ${ms.toFixed(0)} ms`)
  return { value, roundTrips, ms }
}

export async function pipelining(scene: Scene): Promise<void> {
  const { story, shelf, link } = scene
  story.chapter(`Five calls, each on what the one before gave, with ${link.oneWayMs} ms on each way`)
  await shelf.open('minutes').line(2).write({ by: 'Ada', text: 'Buy a longer table' })
  const slow = await measure(scene, 'awaited one by one', async () => {
    using document = await shelf.open('minutes')
    using first = await document.line(0)
    using second = await first.next()
    using third = await second.next()
    return third.text()
  })
  const fast = await measure(scene, 'in one expression', () =>
    shelf.open('minutes').line(0).next().next().text(),
  )
  story.check(slow.value === fast.value && fast.value === 'Buy a longer table', 'both read the same line')
  story.check(slow.roundTrips === 5, 'one by one is five round trips')
  story.check(fast.roundTrips === 1, `in one expression is one: ${slow.roundTrips - fast.roundTrips} saved`)
  story.check(fast.ms >= 2 * link.oneWayMs, 'and not less than the way there and back takes')
}

export async function quoting(scene: Scene): Promise<void> {
  const { story, shelf } = scene
  story.chapter('A line of one document is quoted in another, before either is open')
  const { roundTrips } = await measure(scene, 'open, open, line, quote', () =>
    shelf.open('plans').quote(shelf.open('minutes').line(2)),
  )
  story.check(roundTrips === 1, 'four calls are one round trip: answers that are still to come are arguments')
  story.check((await shelf.open('plans').line(0).text()) === 'Buy a longer table', 'the line was quoted')
}

export async function watching({ story, shelf }: Scene): Promise<void> {
  story.chapter('Ada gives the document an object of her own, and the document calls it')
  const heard: string[] = []
  using ears = reference(Watcher, { changed: ({ text }) => void heard.push(text) })
  using document = await shelf.open('watched')
  await document.watch(ears)
  await document.line(0).write({ by: 'Ada', text: 'Can you hear me' })
  await until(() => heard.length > 0)
  story.check(heard.join() === 'Can you hear me', 'her process was called: references go both ways')
}

export async function streaming(scene: Scene): Promise<void> {
  const { story, shelf } = scene
  story.chapter('Lines stream in, changes and bytes stream out')
  using document = await shelf.open('log')
  const changes = document.changes()
  const first = changes.next()
  async function* lines(): AsyncGenerator<string> {
    for (let i = 0; i < 1_000; i++) yield `line ${i}`
  }
  const appended = await measure(scene, '1,000 lines appended', () =>
    document.append({ by: 'Ada', lines: lines() }),
  )
  story.check(appended.value === 1_000, 'a thousand lines went in as the argument of one call')
  story.check((await first).value?.text === 'line 0', 'a stream of changes tells the first')
  story.check((await shelf.followers()) === 1, 'its producer runs at the shelf')
  await changes.return()
  const isOver = await until(async () => (await shelf.followers()) === 0)
  story.check(isOver, 'and is stopped when Ada leaves it early')
  const size = await measure(scene, 'the text downloaded', async () => {
    let bytes = 0
    for await (const piece of document.download()) bytes += piece.length
    return bytes
  })
  story.check(size.value === 8_889, `as bytes it has ${size.value}`)
}

export async function introducing({ story, shelf, door }: Scene): Promise<void> {
  story.chapter('Ada introduces Carol, who has no capability for it, to her document')
  {
    using document = await shelf.open('shared')
    await door.introduce({ to: document })
    story.check((await document.line(0).text()) === 'Carol was here', "Carol's process wrote to the document")
    await document.line(1).write({ by: 'Ada', text: 'Welcome' })
  }
  const heard = await until(async () => {
    const all = await door.heard()
    return all.length >= 2 ? all : undefined
  })
  story.check(
    heard.join('; ') === 'Carol: Carol was here; Ada: Welcome',
    `she hears of changes: ${heard.join('; ')}`,
  )
  story.tell("Her calls pass through Ada's process, under Ada's right: they end when Ada's session ends.")
}

/** Wait for what comes by itself. */
async function until<T>(found: () => T | undefined | false | Promise<T | undefined | false>): Promise<T> {
  for (let tries = 0; tries < 500; tries++) {
    const value = await found()
    if (value !== undefined && value !== false) return value
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error('Expected something to happen within five seconds')
}
