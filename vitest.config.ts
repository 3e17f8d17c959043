import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const source = (path: string): string => fileURLToPath(new URL(`src/${path}`, import.meta.url))

export default defineConfig({
  // As tsconfig.json says: what package.json means by it is only there after a build.
  resolve: {
    alias: {
      '#native': source('crypto/native-providers.ts'),
      '#noble-every': source('crypto/noble-libraries-node.ts'),
      '#noble': source('crypto/noble-libraries-node.ts'),
      'noisecap/browser': source('browser/index.ts'),
      'noisecap/transport/websocket-server': source('transport/websocket-server.ts'),
      noisecap: source('index.ts'),
    },
  },
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Node 20 has the WebSocket of browsers behind this flag, which later versions take and ignore.
    execArgv: ['--experimental-websocket'],
    // A loaded machine is no failure: what is polled for may take its time.
    expect: { poll: { timeout: 20_000 } },
    typecheck: { enabled: true, include: ['test/types/**/*.test-d.ts'], tsconfig: './tsconfig.json' },
  },
})
