// A web server for pages of the tests and a real Chromium that opens them: each page is one bundled script under a strict
// Content-Security-Policy, and whatever the browser complains of fails the test. Where there is no Chromium, tests are
// skipped with a reason that cannot be overlooked. Leaves out what pages do (test/browser/pages).
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { bundleForBrowser } from '../../scripts/bundle.mjs'
import { findChromium, startChromium } from '../../scripts/chromium.mjs'

/** Whether tests have to do without a browser. */
export const noChromium = findChromium() === undefined
if (noChromium) {
  console.warn('SKIPPED: no Chromium. Tests in a browser need it: node scripts/chromium.mjs --install')
}

/** No eval, no inline script, nothing from elsewhere: what a careful page allows. */
export function strictPolicy(connectTo: readonly string[] = []): string {
  return `default-src 'none'; script-src 'self'; style-src 'self'; connect-src ${["'self'", ...connectTo].join(' ')}; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'`
}

/** A server of scripts, one page each, and a browser. */
export interface Site extends AsyncDisposable {
  readonly origin: string
  readonly browser: Browser
  /** Serve a script; the page is `/<name>`.
   * @returns its address. */
  addScript(name: string, code: string): string
  /** Bundle a page of test/browser/pages and serve it. */
  addPage(name: string): Promise<string>
  /** Allow pages that are served from now on to connect there. */
  allowConnections(...origins: readonly string[]): void
}

/** Start both. */
export async function startSite(): Promise<Site> {
  const scripts = new Map<string, string>()
  const allowed: string[] = []
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://site').pathname.slice(1)
    const script = scripts.get(path.replace(/\.js$/, ''))
    if (script === undefined) {
      response.writeHead(path === 'favicon.ico' ? 204 : 404).end()
      return
    }
    response.setHeader('content-security-policy', strictPolicy(allowed))
    if (path.endsWith('.js')) response.writeHead(200, { 'content-type': 'text/javascript' }).end(script)
    else response.writeHead(200, { 'content-type': 'text/html' }).end(htmlOf(path))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}` // TCP, so not a pipe's name
  const browser = await startChromium()
  const addScript = (name: string, code: string): string => {
    scripts.set(name, code)
    return `${origin}/${name}`
  }
  return {
    origin,
    browser,
    addScript,
    addPage: async (name) =>
      addScript(name, await bundleForBrowser(fileURLToPath(new URL(`pages/${name}.ts`, import.meta.url)))),
    allowConnections: (...origins) => allowed.push(...origins),
    [Symbol.asyncDispose]: async () => {
      await browser.close()
      await closeServer(server)
    },
  }
}

function htmlOf(name: string): string {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>${name}</title><script type="module" src="/${name}.js"></script></html>`
}

async function closeServer(server: Server): Promise<void> {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
}

/** A page that keeps what the browser complained of. */
export interface Tab {
  readonly page: Page
  /** Uncaught errors, refusals of the policy, warnings. */
  readonly complaints: readonly string[]
}

/** Open an address in a tab of its own. */
export async function openTab(context: Browser | BrowserContext, address: string): Promise<Tab> {
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
  })
  await page.goto(address)
  return { page, complaints }
}

/** What a page's script says by `tell`, once it has.
 * @throws what it complained of, when that is all that came. */
export async function toldBy<T>({ page, complaints }: Tab): Promise<T> {
  try {
    await page.waitForFunction('globalThis.told !== undefined', undefined, { timeout: 20_000 })
  } catch (error) {
    throw new Error(`The page said nothing; complaints: ${complaints.join('; ')}`, { cause: error })
  }
  return await page.evaluate<T>('globalThis.told')
}
