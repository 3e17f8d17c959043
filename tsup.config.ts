// Two builds of the same sources. For Node: one bundle an entry point, declarations beside it. For browsers: one file a
// module under dist/browser, since a bundler leaves out whole files that nothing of a page needs, and can do that with few
// parts of a file. Every entry of package.json "exports" stands here once.
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { defineConfig, type Options } from 'tsup'

/** Entry points that browsers have too; what they reach may not import Node, else the build fails. */
const BROWSER_ENTRIES = [
  'browser-index',
  'browser/index',
  'noise/index',
  'capability/index',
  'seal/index',
  'mailbox/index',
  'mailbox/browser',
  'resolve/index',
  'testing/index',
  'transport/http',
  'transport/http-handler',
  'transport/message-port',
  'transport/websocket',
  // Not for import by name: what `#native`, `#noble` and `#noble-every` of package.json stand for.
  'crypto/no-native-providers',
  'crypto/noble-libraries',
  'crypto/noble-libraries-every',
]

/** Every module that these entry points are made of. */
async function browserModules(): Promise<string[]> {
  const { metafile } = await build({
    absWorkingDir: fileURLToPath(new URL('.', import.meta.url)),
    entryPoints: BROWSER_ENTRIES.map((entry) => `src/${entry}.ts`),
    bundle: true,
    write: false,
    outdir: 'nowhere',
    metafile: true,
    platform: 'browser', // in which an import of node:* fails
    format: 'esm',
    packages: 'external',
    external: ['#*'],
    tsconfigRaw: {},
  })
  return Object.keys(metafile.inputs)
}

const shared: Options = {
  format: 'esm',
  target: ['node20.19', 'es2022'],
  platform: 'neutral',
  external: [/^node:/, /^#/, 'lmdb', 'pg', /^@nats-io\//],
}

export default defineConfig(async () => [
  {
    ...shared,
    entry: {
      index: 'src/index.ts',
      'browser-index': 'src/browser-index.ts', // for its declarations: browsers get the other build
      browser: 'src/browser/index.ts',
      noise: 'src/noise/index.ts',
      capability: 'src/capability/index.ts',
      'capability/files': 'src/capability/files.ts',
      'session/files': 'src/session/files.ts',
      seal: 'src/seal/index.ts',
      'seal/rows': 'src/seal/rows/index.ts',
      'seal/drizzle': 'src/seal/drizzle/index.ts',
      mailbox: 'src/mailbox/index.ts',
      'mailbox/browser': 'src/mailbox/browser.ts',
      'mailbox/lmdb': 'src/mailbox/lmdb.ts',
      'mailbox/nats': 'src/mailbox/nats.ts',
      'mailbox/postgres': 'src/mailbox/postgres.ts',
      resolve: 'src/resolve/index.ts',
      'resolve/file': 'src/resolve/file.ts',
      'resolve/dns': 'src/resolve/dns.ts',
      cli: 'src/cli/main.ts',
      'transport/tcp': 'src/transport/tcp.ts',
      'transport/unix': 'src/transport/unix.ts',
      'transport/http': 'src/transport/http.ts',
      'transport/http-handler': 'src/transport/http-handler.ts',
      'transport/message-port': 'src/transport/message-port.ts',
      'transport/stdio': 'src/transport/stdio.ts',
      'transport/websocket': 'src/transport/websocket.ts',
      'transport/websocket-node': 'src/transport/websocket-node.ts',
      'transport/websocket-server': 'src/transport/websocket-server.ts',
      // Not for import by name, as above.
      'crypto/native-providers': 'src/crypto/native-providers.ts',
      'crypto/noble-libraries-node': 'src/crypto/noble-libraries-node.ts',
      testing: 'src/testing/index.ts',
    },
    splitting: true,
    // Node parses all that it loads before it runs any of it: this takes half as long. Names stay, for stack traces.
    minifyWhitespace: true,
    minifySyntax: true,
    // Of an error that nobody caught Node prints the line where it was thrown: not a whole file.
    esbuildOptions: (options) => {
      options.lineLimit = 160
    },
    clean: ['!browser/**'], // the other build's, which runs at the same time
    sourcemap: true,
    dts: { banner: '/// <reference lib="esnext.disposable" />' },
  },
  {
    ...shared,
    entry: await browserModules(),
    outDir: 'dist/browser',
    bundle: false,
    splitting: false,
    sourcemap: false,
    dts: false,
    clean: true,
  },
])
