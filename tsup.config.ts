// One bundle an entry point, declarations beside it; every entry of package.json "exports" stands here once.
import { defineConfig } from 'tsup'

export default defineConfig({
  entry: {
    index: 'src/index.ts',
    noise: 'src/noise/index.ts',
    capability: 'src/capability/index.ts',
    'capability/files': 'src/capability/files.ts',
    'session/files': 'src/session/files.ts',
    seal: 'src/seal/index.ts',
    resolve: 'src/resolve/index.ts',
    'resolve/file': 'src/resolve/file.ts',
    'resolve/dns': 'src/resolve/dns.ts',
    cli: 'src/cli/main.ts',
    'transport/tcp': 'src/transport/tcp.ts',
    'transport/unix': 'src/transport/unix.ts',
    'transport/websocket': 'src/transport/websocket.ts',
    'transport/websocket-node': 'src/transport/websocket-node.ts',
    'transport/websocket-server': 'src/transport/websocket-server.ts',
    // Not for import by name: what `#noble` of package.json stands for.
    'crypto/noble-libraries': 'src/crypto/noble-libraries.ts',
    'crypto/noble-libraries-node': 'src/crypto/noble-libraries-node.ts',
    testing: 'src/testing/index.ts',
  },
  format: 'esm',
  target: ['node20.19', 'es2022'],
  platform: 'neutral',
  external: [/^node:/, '#noble'],
  splitting: true,
  clean: true,
  sourcemap: true,
  dts: { banner: '/// <reference lib="esnext.disposable" />' },
})
