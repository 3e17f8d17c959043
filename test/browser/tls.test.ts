// A page from https: that calls its service over wss:, in a browser that was told to take the certificate, and in one that was
// not.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { linkTo } from '../../src/browser/index.js'
import { ServiceKey } from '../../src/index.js'
import { type Certificate, makeCertificate, noOpenssl } from '../integration/certificate.js'
import { type LiveService, startService } from './live-service.js'
import { noChromium, openTab, type Site, startSite, toldBy } from './site.js'

describe.skipIf(noChromium || noOpenssl)('wss: in Chromium', () => {
  let certificate: Certificate
  let site: Site
  let live: LiveService
  const titles: string[] = []
  beforeAll(async () => {
    certificate = makeCertificate()
    site = await startSite(certificate)
    live = await startService(site.server, site.port, ServiceKey.generate(), titles)
  })
  afterAll(async () => {
    await live?.[Symbol.asyncDispose]()
    await site?.[Symbol.asyncDispose]()
    certificate?.[Symbol.dispose]()
  })

  test('a page from https: calls, and follows a stream', async () => {
    const capability = live.mint()
    expect(capability.locations).toEqual([`wss://127.0.0.1:${site.port}/live`])
    const context = await site.browser.newContext({ ignoreHTTPSErrors: true })
    const tab = await openTab(context, linkTo(capability, await site.addPage('live')))
    const ask = <T>(code: string): Promise<T> => tab.page.evaluate<T>(`page.${code}`)
    expect(await toldBy(tab)).toMatchObject({ href: `${site.origin}/live`, code: 'connected' })
    expect(await ask('add("over TLS")')).toBe(1)
    await expect.poll(() => ask('seen.at(-1)')).toEqual({ status: 'live', value: ['over TLS'] })
    expect(await ask('download(300000)')).toMatchObject({ received: 300_000 })
    expect(await ask('uploadBytes(300000)')).toMatchObject({ received: 300_000 })
    expect(titles).toEqual(['over TLS'])
    expect(tab.complaints).toEqual([])
    await context.close()
  })

  test('a certificate that the browser was not told to take, transport/unreachable', async () => {
    await using plain = await startSite()
    const policy = `default-src 'none'; script-src 'self'; connect-src wss://127.0.0.1:${site.port}`
    const tab = await openTab(plain.browser, linkTo(live.mint(), await plain.addPage('live', policy)))
    expect(await toldBy(tab)).toMatchObject({ code: 'transport/unreachable' })
    expect(tab.complaints.join()).toContain('ERR_CERT_AUTHORITY_INVALID')
    await expect.poll(() => live.service.openSessions).toBe(0) // that of the other page has ended
  })
})
