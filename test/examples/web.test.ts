// The web demo as people use it, in a real browser: an owner, a reader on another device, revocation, a restart, and what the
// server's log holds. With NOISECAP_SCREENSHOTS pictures at two widths are kept in that folder, to be looked at.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import axe from 'axe-core'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startWebDemo, type WebDemo } from '../../examples/web/server.js'
import { startChromium } from '../../scripts/chromium.mjs'
import { noChromium } from '../browser/site.js'

/** What is used of the results of axe-core. */
interface AxeResults {
  readonly passes: readonly unknown[]
  readonly violations: readonly {
    readonly id: string
    readonly impact: string
    readonly nodes: readonly { readonly html: string }[]
  }[]
}

const PHONE = { width: 390, height: 844 }
const DESKTOP = { width: 1280, height: 800 }

describe.skipIf(noChromium)('the web demo', { timeout: 120_000 }, () => {
  let browser: Browser
  let folder: string
  let log: string[]
  let demo: WebDemo
  beforeAll(async () => {
    browser = await startChromium()
  })
  afterAll(() => browser?.close())
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'noisecap-web-'))
    log = []
    demo = await startWebDemo(folder, 0, (line) => log.push(line))
  })
  afterEach(async () => {
    await demo[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  })

  async function open(link: string, viewport = DESKTOP): Promise<Page> {
    const context = await browser.newContext({ viewport })
    const page = await context.newPage()
    await page.goto(link)
    return page
  }
  const status = (page: Page) => page.locator('#status').textContent()
  const notes = (page: Page) => page.locator('#notes li > span').allTextContents()
  async function picture(page: Page, name: string): Promise<void> {
    const pictures = process.env['NOISECAP_SCREENSHOTS']
    if (pictures !== undefined) await page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true })
  }

  test('owner writes, reader reads and has no way to write, revoking ends it at once, a restart is survived', async () => {
    const owner = await open(demo.link)
    await expect.poll(() => status(owner)).toBe('Live')
    expect(owner.url()).toBe(`http://127.0.0.1:${demo.port}/`)
    await owner.keyboard.press('Tab') // the keyboard is enough
    await owner.keyboard.type('Buy oranges')
    await owner.keyboard.press('Enter')
    await expect.poll(() => notes(owner)).toContain('Buy oranges')

    await owner.getByRole('button', { name: 'Make a read-only link' }).click()
    await owner.getByRole('img', { name: 'QR code of the read-only link' }).waitFor()
    const link = (await owner.locator('#links li').getAttribute('data-link')) ?? ''
    await picture(owner, 'owner-desktop')
    await owner.setViewportSize(PHONE)
    expect(await owner.evaluate('document.documentElement.scrollWidth')).toBe(PHONE.width)
    await picture(owner, 'owner-phone')

    const reader = await open(link, PHONE)
    await expect.poll(() => status(reader)).toBe('Live, read only')
    await expect.poll(() => notes(reader)).toContain('Buy oranges')
    expect(await reader.getByRole('button').count()).toBe(0)
    expect(await reader.getByRole('textbox').count()).toBe(0)
    await picture(reader, 'reader-phone')

    await demo[Symbol.asyncDispose]()
    await expect.poll(() => status(owner)).toBe('Away')
    expect(await owner.getByRole('alert').textContent()).toContain('cannot be reached')
    // What needs the service waits for it, what does not works.
    const buttons = owner.getByRole('button')
    const disabled = await buttons.evaluateAll(
      (all) => all.map((each) => [each.textContent, (each as unknown as { disabled: boolean }).disabled]), // compiled without the DOM
    )
    expect(disabled).toEqual([
      ['Add', true],
      ['Remove', true],
      ['Remove', true],
      ['Make a read-only link', true],
      ['Copy the link', false],
      ['Revoke', true],
    ])
    await picture(owner, 'owner-away')
    demo = await startWebDemo(folder, demo.port, (line) => log.push(line))
    await expect.poll(() => status(owner)).toBe('Live')
    await expect.poll(() => status(reader)).toBe('Live, read only')

    await owner.getByRole('button', { name: 'Make a read-only link' }).click()
    await expect.poll(() => owner.locator('#links li').count()).toBe(2)
    const second = (await owner.locator('#links li').first().getAttribute('data-link')) ?? ''
    const other = await open(second)
    await expect.poll(() => status(other)).toBe('Live, read only')
    await owner.locator('#links li').first().getByRole('button', { name: 'Revoke' }).click()
    await expect.poll(() => status(other)).toBe('Closed')
    expect(await other.getByRole('alert').textContent()).toContain('This link was revoked')
    await picture(other, 'reader-revoked')
    await other.reload()
    await expect.poll(() => status(other)).toBe('Closed')
    expect(await status(reader)).toBe('Live, read only')
    // A link from before the restart is taken back like any other.
    await owner.getByRole('button', { name: 'Revoke' }).click()
    await expect.poll(() => status(reader)).toBe('Closed')

    expect(log.length).toBeGreaterThan(6)
    expect(log.join('\n')).not.toMatch(/noisecap|#|%23|\?/)
    expect(new Set(log)).toEqual(new Set(['GET /', 'GET /page.css', 'GET /page.js', 'UPGRADE /live']))
    await Promise.all([owner, reader, other].map((page) => page.context().close()))
  })

  test('axe finds no serious or critical barrier, at either width, in any state', async () => {
    const barriers = async (page: Page): Promise<readonly string[]> => {
      const found: string[] = []
      for (const viewport of [DESKTOP, PHONE]) {
        await page.setViewportSize(viewport)
        // Asked from outside, by text: the policy of the page lets no foreign script in.
        await page.evaluate(axe.source)
        const { violations, passes } = await page.evaluate<AxeResults>('axe.run(document)')
        expect(passes.length).toBeGreaterThan(10)
        for (const { id, impact, nodes } of violations)
          if (impact === 'serious' || impact === 'critical')
            found.push(`${viewport.width}: ${id} ${nodes.map(({ html }) => html).join(' ')}`)
      }
      return found
    }
    const owner = await open(demo.link)
    await expect.poll(() => status(owner)).toBe('Live')
    await owner.getByRole('button', { name: 'Make a read-only link' }).click()
    await owner.getByRole('img', { name: 'QR code of the read-only link' }).waitFor()
    const link = (await owner.locator('#links li').getAttribute('data-link')) ?? ''
    const reader = await open(link)
    await expect.poll(() => status(reader)).toBe('Live, read only')
    const cut = await open(demo.link.slice(0, -15))
    await expect.poll(() => cut.getByRole('alert').textContent()).toContain('This link is incomplete')
    expect({ owner: await barriers(owner), reader: await barriers(reader) }).toEqual({
      owner: [],
      reader: [],
    })
    await owner.getByRole('button', { name: 'Revoke' }).click()
    await expect.poll(() => status(reader)).toBe('Closed')
    expect({ revoked: await barriers(reader), cut: await barriers(cut) }).toEqual({ revoked: [], cut: [] })
    await Promise.all([owner, reader, cut].map((page) => page.context().close()))
  })

  test('what is wrong is said in plain words: expired, cut off, none', async () => {
    const cut = await open(demo.link.slice(0, -15))
    await expect.poll(() => cut.getByRole('alert').textContent()).toContain('This link is incomplete')
    const none = await open(`http://127.0.0.1:${demo.port}/`)
    await expect.poll(() => none.getByRole('alert').textContent()).toContain('This page needs a link')
    expect(await status(none)).toBe('No link')
    const expired = await open(demo.expiredLink())
    await expect.poll(() => expired.getByRole('alert').textContent()).toContain('This link has expired')
    await Promise.all([cut, none, expired].map((page) => page.context().close()))
  })
})
