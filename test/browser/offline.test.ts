// What needs no network, in a real browser under a strict policy: all that a page takes in runs there without Node's globals
// and without code made of text.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { noChromium, openTab, type Site, startSite, toldBy } from './site.js'

describe.skipIf(noChromium)('in Chromium', () => {
  let site: Site
  beforeAll(async () => {
    site = await startSite()
  })
  afterAll(() => site?.[Symbol.asyncDispose]())

  test('primitives, handshakes, sealing and calls, under a policy that forbids eval', async () => {
    const tab = await openTab(site.browser, await site.addPage('offline'))
    expect(await toldBy(tab)).toEqual({
      providers: ['25519 noble', 'ChaChaPoly noble', 'SHA256 noble', 'BLAKE2b noble', 'random noble'],
      handshakes: [true, true],
      ownOnly: 'crypto/unavailable',
      sealed: { opened: 'ada@example.org', moved: 'seal/altered' },
      called: { sums: [1, 3, 6], items: [1, 2, 3], revoked: 'session/revoked' },
      evalRefused: true,
      node: [],
    })
    // The page tries it once itself; nothing else was refused or warned of.
    expect(tab.complaints).toEqual([expect.stringContaining("requires 'TrustedScript'")])
  })
})
