// A service in a worker of the browser, called by its page over message ports: no server, no network.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { noChromium, openTab, type Site, startSite, toldBy, WORKER_POLICY } from './site.js'

describe.skipIf(noChromium)('a worker in Chromium', () => {
  let site: Site
  beforeAll(async () => {
    site = await startSite()
  })
  afterAll(() => site?.[Symbol.asyncDispose]())

  test('calls, bytes both ways and a second session over a MessagePort each', async () => {
    await site.addPage('worker-service', WORKER_POLICY)
    const tab = await openTab(site.browser, await site.addPage('worker', WORKER_POLICY))
    expect(await toldBy(tab)).toEqual({
      added: [1, 2, 3],
      down: 1_000_000,
      up: 1_000_000,
      whoami: 'a worker',
      count: 3,
      channels: 2,
    })
    expect(tab.complaints).toEqual([])
  })
})
