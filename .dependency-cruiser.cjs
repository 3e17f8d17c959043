// The layers of the architecture as rules: imports point downwards only, through a layer's door, without cycles,
// and `node:*` stays in the files that are named here. Run by `npm run check:layers`.
const below = {
  crypto: [],
  'append-log': ['crypto'],
  transport: [],
  noise: ['crypto'],
  capability: ['crypto', 'append-log', 'noise'],
  resolve: ['crypto', 'capability'],
  session: ['crypto', 'append-log', 'noise', 'capability', 'transport'],
  seal: ['crypto', 'noise', 'capability'],
  rpc: ['crypto', 'capability', 'session', 'transport'],
  browser: ['crypto', 'capability'],
  mailbox: ['crypto', 'capability', 'seal', 'rpc'],
}
// A relay is a service, and its clients connect to it: the mailbox stands on what joins the layers below.
const above = { mailbox: ['^src/(service|offer|connect|index|browser-index)\\.ts$'] }
const foundationFiles =
  '^src/(abort-listeners|disposing|errors|limits|bytes|lasting|dcbor|redact|clock|indexed-db|kept-memory|location|padded-item|standard-schema|web-stream)\\.ts$'
const nodeFiles =
  '^src/(crypto/(node|sodium|select)|transport/(tcp|unix|socket-file|socket-pipe|allowed-lookup|stdio|ws-link|websocket-node|websocket-server)|append-log/(log-file|open-log)|capability/(key-file|files|atomic-file)|resolve/(file|dns-exchange)|mailbox/(lmdb|lmdb-store|postgres-socket)|storage/.*)\\.ts$|^src/cli/|^src/atomic-file\\.ts$'

/** Optional peer dependencies: installed here for the tests, and by whoever uses what needs them. */
const optionalPeers =
  '^node_modules/((@types/)?ws|drizzle-orm|lmdb|(@types/)?pg|@nats-io/(jetstream|transport-node))/'

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'foundation-imports-nothing-above',
      severity: 'error',
      from: { path: foundationFiles },
      to: { path: '^src/', pathNot: foundationFiles },
    },
    ...Object.entries(below).map(([layer, allowed]) => ({
      name: `${layer}-imports-downwards`,
      severity: 'error',
      from: { path: `^src/${layer}/` },
      to: {
        path: '^src/',
        pathNot: [
          foundationFiles,
          '^src/atomic-file\\.ts$',
          `^src/(${[layer, ...allowed].join('|')})/`,
          ...(above[layer] ?? []),
        ],
      },
    })),
    {
      name: 'nobody-imports-the-cli',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/cli/' },
      to: { path: '^src/cli/' },
    },
    {
      name: 'nobody-imports-the-mailbox',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(mailbox|cli)/' },
      to: { path: '^src/mailbox/' },
    },
    {
      name: 'the-mailbox-runs-in-browsers',
      comment: 'Files and databases are behind doors of their own.',
      severity: 'error',
      from: { path: '^src/mailbox/', pathNot: '^src/mailbox/(lmdb|lmdb-store)\\.ts$' },
      to: { path: '^src/(index|node-environment|node-service)\\.ts$' },
    },
    {
      name: 'nobody-imports-the-test-network',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/testing/' },
      to: { path: '^src/testing/' },
    },
    {
      name: 'the-test-network-runs-in-browsers',
      comment:
        'Nothing that it reaches is Node only, except the choice of a cryptography provider, which looks first.',
      severity: 'error',
      from: { path: '^src/testing/' },
      to: {
        path: '^src/(node-environment|node-service|index|transport/(tcp|unix|socket-file|socket-pipe|allowed-lookup|stdio|ws-link|websocket-node|websocket-server)|append-log/(log-file|open-log)|capability/(key-file|files)|session/(files|contact-file)|resolve/(file|dns-exchange)|atomic-file)\\.ts$',
        reachable: true,
      },
    },
    {
      name: 'layers-are-entered-by-their-door',
      comment: 'Another layer is imported through its index.ts, or through a named Node-only door.',
      severity: 'error',
      from: { path: '^src/([^/]+)/' },
      to: {
        path: '^src/[^/]+/',
        pathNot: [
          '^src/$1/',
          '^src/[^/]+/index\\.ts$',
          '^src/(noise/own-handshake|capability/files|session/files|resolve/(file|dns)|mailbox/(browser|lmdb|nats|postgres)|transport/(tcp|unix|http|http-handler|message-port|stdio|websocket|websocket-node|websocket-server))\\.ts$',
        ],
      },
    },
    {
      name: 'node-only-in-its-places',
      severity: 'error',
      from: { path: '^src/', pathNot: nodeFiles },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'no-dev-dependencies-in-src',
      severity: 'error',
      from: { path: '^src/' },
      to: {
        dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown', 'unknown', 'undetermined'],
        pathNot: optionalPeers,
      },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'default'] },
  },
}
