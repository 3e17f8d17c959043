// A service in Node and pages in a real browser, over WebSockets, under a strict policy: a link is all that a page gets.
import type { BrowserContext } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { linkTo } from '../../src/browser/index.js'
import { type Capability, ServiceKey } from '../../src/index.js'
import { type LiveService, startService } from './live-service.js'
import { noChromium, openTab, type Site, startSite, type Tab, toldBy } from './site.js'

describe.skipIf(noChromium)('a page in Chromium', () => {
  let site: Site
  let address: string
  let context: BrowserContext
  let key: ServiceKey
  let titles: string[]
  let live: LiveService

  beforeAll(async () => {
    site = await startSite()
    address = await site.addPage('live')
  })
  afterAll(() => site?.[Symbol.asyncDispose]())
  beforeEach(async () => {
    context = await site.browser.newContext()
    key = ServiceKey.generate()
    titles = []
    live = await startService(site.server, site.port, key, titles)
  })
  afterEach(async () => {
    await context.close()
    await live[Symbol.asyncDispose]()
  })

  const open = (capability: Capability, where = context): Promise<Tab> =>
    openTab(where, linkTo(capability, address))
  const told = (tab: Tab) => toldBy<{ href: string; code: string; whoami?: string }>(tab)
  const ask = <T>(tab: Tab, code: string): Promise<T> => tab.page.evaluate<T>(`page.${code}`)

  test('the capability is taken out of the address and of the history, and never asked of the server', async () => {
    const requested: string[] = []
    site.onRequest = (url) => requested.push(url)
    const capability = live.mint()
    const tab = await openTab(context, `${address}?before`)
    await tab.page.goto(linkTo(capability, address))
    expect(await told(tab)).toMatchObject({ href: address, code: 'connected' })
    await tab.page.reload()
    expect(await told(tab)).toMatchObject({ href: address, code: 'connected' }) // kept in the store
    await tab.page.goBack()
    await tab.page.goForward()
    expect(tab.page.url()).toBe(address)
    expect(requested.length).toBeGreaterThan(3)
    expect(requested.join()).not.toMatch(/noisecap|#|%23/)
    expect(tab.complaints).toEqual([])
  })

  test('the DHs of a greeting are those of Web Cryptography', async () => {
    await context.addInitScript(`
      globalThis.derived = 0
      const { deriveBits } = SubtleCrypto.prototype
      SubtleCrypto.prototype.deriveBits = function (...given) {
        globalThis.derived += 1
        return deriveBits.apply(this, given)
      }`)
    const tab = await open(live.mint())
    expect(await told(tab)).toMatchObject({ code: 'connected' })
    // Two when it is tried out; e, es, ss of IK's hello, then ee and se.
    expect(await tab.page.evaluate('derived')).toBe(2 + 3 + 2)
    expect(tab.complaints).toEqual([])
  })

  test('a browser whose Web Cryptography has no X25519 connects all the same', async () => {
    await context.addInitScript(`
      SubtleCrypto.prototype.deriveBits = async () => {
        throw new DOMException('Unrecognized name', 'NotSupportedError')
      }`)
    const tab = await open(live.mint())
    expect(await told(tab)).toMatchObject({ code: 'connected' })
    expect(tab.complaints).toEqual([])
  })

  test('calls, pipelined calls and 500 at once', async () => {
    const tab = await open(live.mint())
    await told(tab)
    expect(await ask(tab, 'add("one")')).toBe(1)
    expect(await ask(tab, 'pipelined(["two", "three"])')).toEqual(['one', 'two'])
    expect(await ask(tab, 'many(500)')).toBe(500)
    expect(titles).toEqual(['one', 'two', 'three'])
    expect(tab.complaints).toEqual([])
  })

  test('streams of bytes down and up, a stream of items up, each complete and in order', async () => {
    const tab = await open(live.mint())
    await told(tab)
    let sum = 0
    for (let i = 0; i < 1_000_000; i++)
      sum = (sum * 31 + (((i % 50_000) + Math.floor(i / 50_000) * 50_000) % 251)) >>> 0
    expect(await ask(tab, 'download(1000000)')).toEqual({ received: 1_000_000, sum })
    expect(await ask(tab, 'uploadBytes(1000000)')).toEqual({ received: 1_000_000, sum })
    expect(await ask(tab, 'upload(1000)')).toBe(500_500)
    expect(tab.complaints).toEqual([])
  })

  test('what others change is observed; a restart of the service is survived', async () => {
    const tab = await open(live.mint())
    const other = await open(live.mint())
    await Promise.all([told(tab), told(other)])
    await ask(other, 'add("from the other")')
    await expect.poll(() => ask(tab, 'seen.at(-1)')).toEqual({ status: 'live', value: ['from the other'] })
    await live[Symbol.asyncDispose]()
    await expect.poll(() => ask(tab, 'seen.at(-1).status')).toBe('away')
    titles.push('while away')
    live = await startService(site.server, site.port, key, titles)
    await expect
      .poll(() => ask(tab, 'seen.at(-1)'))
      .toEqual({ status: 'live', value: ['from the other', 'while away'] })
    expect(await ask(tab, 'count()')).toBe(2)
  })

  test('revocation reaches an open page at once, and a page that is opened later', async () => {
    const capability = live.mint()
    const tab = await open(capability)
    await told(tab)
    await expect.poll(() => ask(tab, 'seen.at(-1).status')).toBe('live')
    await live.service.revoke(capability)
    await expect.poll(() => ask(tab, 'broken')).toEqual(['session/revoked'])
    expect(await ask(tab, 'seen.at(-1).status')).toBe('over')
    expect(await ask(tab, 'seen.at(-1).error.code')).toBe('session/revoked')
    expect(await ask(tab, 'count()')).toBe('session/revoked')
    expect((await told(await open(capability))).code).toBe('session/revoked')
  })

  test('two tabs with different rights, one of which can only read', async () => {
    const whole = await open(live.mint())
    const narrowed = await open(
      live.mint({ methods: ['count', 'watch', 'whoami'] }),
      await site.browser.newContext(),
    )
    await Promise.all([told(whole), told(narrowed)])
    expect(await ask(whole, 'add("mine")')).toBe(1)
    expect(await ask(narrowed, 'add("not mine")')).toBe('rpc/permission_denied')
    await expect.poll(() => ask(narrowed, 'seen.at(-1).value')).toEqual(['mine'])
    expect(titles).toEqual(['mine'])
    await narrowed.page.context().close()
  })

  test('a key of the store is the same after a reload and in another tab, another one elsewhere', async () => {
    const capability = live.mint()
    const tab = await open(capability)
    const { whoami } = await told(tab)
    expect(whoami).toMatch(/^[0-9a-f]{64}$/)
    await tab.page.reload()
    expect((await told(tab)).whoami).toBe(whoami)
    expect((await told(await open(capability))).whoami).toBe(whoami)
    const elsewhere = await site.browser.newContext()
    expect((await told(await open(capability, elsewhere))).whoami).not.toBe(whoami)
    await elsewhere.close()
  })

  test('what the store keeps is ciphertext under a key that cannot be exported', async () => {
    const capability = live.mint()
    const tab = await open(capability)
    await told(tab)
    const kept = await tab.page.evaluate<{
      values: [string, string][]
      exported: string
      extractable: boolean
    }>(DUMP)
    expect(kept).toMatchObject({ exported: 'InvalidAccessError', extractable: false })
    expect(kept.values.map(([name]) => name)).toEqual(['capability board', 'key pair client'])
    const secret = Buffer.from(capability.export()).toString('hex')
    for (const [, hex] of kept.values) expect(hex).not.toContain(secret.slice(-60))
    // Altered, or moved to another name, it does not open.
    await tab.page.evaluate(SWAP)
    await tab.page.reload()
    expect(await toldBy<{ code: string }>(tab)).toMatchObject({ code: 'browser/store' })
  })

  test('a link that is cut off, capability/malformed, and taken out of the address too', async () => {
    const tab = await openTab(context, linkTo(live.mint(), address).slice(0, -20))
    expect(await toldBy(tab)).toMatchObject({ code: 'capability/malformed' })
    expect(tab.page.url()).toBe(address)
  })
})

/** Everything in the database of the page, as hexadecimal, and what an export of its key says. */
const DUMP = `(async () => {
  const done = (request) => new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
  const database = await done(indexedDB.open('live'))
  const values = database.transaction('values').objectStore('values')
  const names = await done(values.getAllKeys())
  const all = []
  let exported
  let extractable
  for (const name of names) {
    const value = await done(database.transaction('values').objectStore('values').get(name))
    if (value instanceof CryptoKey) {
      extractable = value.extractable
      exported = await crypto.subtle.exportKey('raw', value).then(() => 'exported', (error) => error.name)
    } else all.push([name, Array.from(value, (byte) => byte.toString(16).padStart(2, '0')).join('')])
  }
  database.close()
  return { values: all, exported, extractable }
})()`

/** Put the key pair where the capability is. */
const SWAP = `(async () => {
  const done = (request) => new Promise((resolve) => (request.onsuccess = () => resolve(request.result)))
  const database = await done(indexedDB.open('live'))
  const values = database.transaction('values', 'readwrite').objectStore('values')
  const moved = await done(values.get('key pair client'))
  await done(values.put(moved, 'capability board'))
  database.close()
})()`
