// The web server of the examples that have a page: three files under a strict policy. It sees addresses without their
// fragments, so its log holds no capability. Leaves out the service behind the page, which takes its upgrades.
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { bundleForBrowser } from '../scripts/bundle.mjs'

const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

/** A server of one page. */
export interface PageServer extends AsyncDisposable {
  readonly server: Server
  readonly port: number
}

/** What is served. */
export interface PageOptions {
  /** Folder of `index.html` and `page.css`. */
  readonly folder: string
  /** File in it, from which `page.js` is bundled. */
  readonly script: string
  /** On 127.0.0.1; 0 for any that is free. */
  readonly port: number
  /** Gets one line a request. */
  readonly log: (line: string) => void
  /** Whether libraries are bundled with their checks for developers; default false. */
  readonly development?: boolean | undefined
}

/** Bundle the page and serve it. */
export async function startPageServer({
  folder,
  script,
  port,
  log,
  development = false,
}: PageOptions): Promise<PageServer> {
  const bundle = await bundleForBrowser(join(folder, script), { development })
  const files: Record<string, readonly [type: string, body: string]> = {
    '/': ['text/html; charset=utf-8', readFileSync(join(folder, 'index.html'), 'utf8')],
    '/page.css': ['text/css', readFileSync(join(folder, 'page.css'), 'utf8')],
    '/page.js': ['text/javascript', bundle],
  }
  const server = createServer((request, response) => {
    log(`${request.method} ${request.url}`)
    const file = files[request.url ?? '']
    response.setHeader('content-security-policy', POLICY).setHeader('referrer-policy', 'no-referrer')
    if (file === undefined) response.writeHead(404).end()
    else response.writeHead(200, { 'content-type': file[0] }).end(file[1])
  })
  server.on('upgrade', (request) => log(`UPGRADE ${request.url}`))
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return {
    server,
    port: (server.address() as AddressInfo).port, // TCP, so not a pipe's name
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
