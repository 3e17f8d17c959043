// The React example in a real browser, with React's checks for developers, whose StrictMode mounts twice, and without.
// With NOISECAP_SCREENSHOTS pictures at two widths are kept in that folder, to be looked at.
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ReactDemo, startReactDemo } from '../../examples/react/server.js'
import { startChromium } from '../../scripts/chromium.mjs'
import { noChromium, openTab, type Tab } from './site.js'

const PHONE = { width: 390, height: 844 }

describe.skipIf(noChromium)('the React example', { timeout: 120_000 }, () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await startChromium()
  })
  afterAll(() => browser?.close())

  const status = ({ page }: Tab) => page.getByRole('status').textContent()
  const votes = ({ page }: Tab) => page.locator('.votes').allTextContents()
  async function picture({ page }: Tab, name: string): Promise<void> {
    const folder = process.env['NOISECAP_SCREENSHOTS']
    if (folder === undefined) return
    await page.screenshot({ path: join(folder, `react-${name}.png`) })
    const before = page.viewportSize()
    await page.setViewportSize(PHONE)
    await page.screenshot({ path: join(folder, `react-${name}-phone.png`) })
    await page.setViewportSize(before ?? PHONE)
  }
  const holds = (demo: ReactDemo) => ({ ...demo.held })

  test.each([
    ['for developers, mounted twice', true],
    ['for production', false],
  ])(
    'built %s: live values, a stream while it is shown, nothing held once it is gone',
    async (_, development) => {
      await using demo = await startReactDemo(0, development)
      const tab = await openTab(browser, demo.link)
      const other = await openTab(browser, demo.link)
      await expect.poll(() => status(tab)).toBe('Live')
      await expect.poll(() => status(other)).toBe('Live')
      // One poll and one stream for each page, however often it was mounted.
      await expect.poll(() => holds(demo)).toEqual({ connections: 2, polls: 2, streams: 2 })
      await other.page.getByRole('button', { name: 'Vote for Soup' }).click()
      await other.page.getByRole('button', { name: 'Vote for Soup' }).click()
      await other.page.getByRole('button', { name: 'Vote for Pizza' }).click()
      await expect.poll(() => votes(tab)).toEqual(['0', '1', '2'])
      await picture(tab, 'live')
      await tab.page.setViewportSize(PHONE)
      expect(await tab.page.evaluate('document.documentElement.scrollWidth')).toBe(PHONE.width)

      await tab.page.getByRole('button', { name: 'Hide the results' }).click()
      await expect.poll(() => holds(demo)).toEqual({ connections: 2, polls: 2, streams: 1 })
      await picture(tab, 'hidden')
      await other.page.getByRole('button', { name: 'Vote for Pizza' }).click()
      await tab.page.getByRole('button', { name: 'Show the results' }).click()
      await expect.poll(() => votes(tab)).toEqual(['0', '2', '2'])
      expect(holds(demo)).toEqual({ connections: 2, polls: 2, streams: 2 })

      await tab.page.evaluate('root.unmount()')
      await expect.poll(() => holds(demo)).toEqual({ connections: 1, polls: 1, streams: 1 })
      await other.page.evaluate('root.unmount()')
      await expect.poll(() => holds(demo)).toEqual({ connections: 0, polls: 0, streams: 0 })
      expect([...tab.complaints, ...other.complaints]).toEqual([])
      await Promise.all([tab, other].map(({ page }) => page.close()))
    },
  )

  test('a page that is taken down while it connects holds nothing', async () => {
    await using demo = await startReactDemo(0, true)
    const tab = await openTab(browser, 'about:blank')
    await tab.page.addInitScript(`
      let root
      Object.defineProperty(globalThis, 'root', {
        get: () => root,
        set: (made) => { root = made; setTimeout(() => root.unmount(), 0); globalThis.takenDown = true },
      })`)
    await tab.page.goto(demo.link)
    await expect.poll(() => tab.page.evaluate('globalThis.takenDown')).toBe(true)
    // A later page is served, and the only one that holds anything.
    const later = await openTab(browser, demo.link)
    await expect.poll(() => status(later)).toBe('Live')
    await expect.poll(() => holds(demo)).toEqual({ connections: 1, polls: 1, streams: 1 })
    expect(tab.complaints).toEqual([])
    await Promise.all([tab, later].map(({ page }) => page.close()))
  })

  test('without a link, and cut off, it says so', async () => {
    await using demo = await startReactDemo(0)
    const none = await openTab(browser, demo.link.replace(/#.*/, ''))
    await expect.poll(() => none.page.getByRole('alert').textContent()).toBe('This page needs a link.')
    const cut = await openTab(browser, demo.link.slice(0, -15))
    await expect.poll(() => cut.page.getByRole('alert').textContent()).toBe('This link is incomplete.')
    await picture(cut, 'cut')
    await Promise.all([none, cut].map(({ page }) => page.close()))
  })
})
