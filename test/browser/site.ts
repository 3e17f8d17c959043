// A web server for pages of the tests and a real Chromium that opens them: each page is one bundled script under a strict
// Content-Security-Policy, and whatever the browser complains of fails the test. Where there is no Chromium, tests are
// skipped with a reason that cannot be overlooked. Leaves out what pages do (test/browser/pages).
import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https'
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
const STRICT_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

/** The same without trusted types, by which no page may start a worker from an address. */
export const WORKER_POLICY = STRICT_POLICY.replace(/; require-trusted-types-for .*$/, '')

/** A server of scripts, one page each, and a browser. */
export interface Site extends AsyncDisposable {
  readonly origin: string
  readonly port: number
  readonly server: Server | TlsServer
  readonly browser: Browser
  /** Serve a script; the page is `/<name>`.
   * @returns its address. */
  addScript(name: string, code: string, policy?: string): string
  /** Bundle a page of test/browser/pages and serve it. */
  addPage(name: string, policy?: string): Promise<string>
  /** Told of the URL of each request, as the server gets it. */
  onRequest: (url: string) => void
}

/** Start both.
 * @param tls - serves over https instead of http. */
export async function startSite(tls?: { readonly key: Buffer; readonly cert: Buffer }): Promise<Site> {
  const scripts = new Map<string, { readonly code: string; readonly policy: string }>()
  const listener: RequestListener = (request, response) => {
    site.onRequest(request.url ?? '')
    const path = new URL(request.url ?? '/', 'http://site').pathname.slice(1)
    const script = scripts.get(path.replace(/\.js$/, ''))
    if (script === undefined) {
      response.writeHead(path === 'favicon.ico' ? 204 : 404).end()
      return
    }
    response.setHeader('content-security-policy', script.policy)
    if (path.endsWith('.js')) response.writeHead(200, { 'content-type': 'text/javascript' }).end(script.code)
    else response.writeHead(200, { 'content-type': 'text/html' }).end(htmlOf(path))
  }
  const server =
    tls === undefined ? createServer(listener) : createTlsServer({ key: tls.key, cert: tls.cert }, listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // TCP, so not a pipe's name
  const origin = `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`
  const browser = await startChromium()
  const addScript = (name: string, code: string, policy = STRICT_POLICY): string => {
    scripts.set(name, { code, policy })
    return `${origin}/${name}`
  }
  const site: Site = {
    origin,
    port,
    server,
    browser,
    addScript,
    addPage: async (name, policy) => {
      const page = fileURLToPath(new URL(`pages/${name}.ts`, import.meta.url))
      return addScript(name, await bundleForBrowser(page), policy)
    },
    onRequest: () => undefined,
    [Symbol.asyncDispose]: async () => {
      await browser.close()
      await closeServer(server)
    },
  }
  return site
}

function htmlOf(name: string): string {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>${name}</title><script type="module" src="/${name}.js"></script></html>`
}

async function closeServer(server: Server | TlsServer): Promise<void> {
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

const TOLD_DEADLINE_MS = 20_000
const TOLD_POLL_MS = 50

/** What a page's script says by `tell`, once it has. Asked again and again from outside: inside, the policy of the page forbids
 * what playwright would do.
 * @throws what it complained of, when that is all that came. */
export async function toldBy<T>({ page, complaints }: Tab): Promise<T> {
  const deadline = Date.now() + TOLD_DEADLINE_MS
  while (Date.now() < deadline) {
    const told = await page.evaluate<T | undefined>('globalThis.told')
    if (told !== undefined) return told
    await new Promise((resolve) => setTimeout(resolve, TOLD_POLL_MS))
  }
  throw new Error(`The page said nothing; complaints: ${complaints.join('; ')}`)
}
