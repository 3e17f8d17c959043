// `noisecap publish`: makes a service findable in a DNS zone, once, or takes its record away. For services that announce
// themselves see DnsPublisher; this is for those that do not. The TSIG secret comes from a file or NOISECAP_TSIG, never from an
// argument. Leaves out the update itself (src/resolve/dns-publisher.ts).
import { stat } from 'node:fs/promises'
import type { Command } from 'commander'
import { readServiceKey } from '../capability/files.js'
import type { PublicKey } from '../crypto/index.js'
import { DnsPublisher, TsigKey } from '../resolve/dns.js'
import { canonicalLocation, reachOf } from '../resolve/index.js'
import { type Context, readDuration, readPassphrase, readTextFile, several } from './input.js'
import { UsageError } from './usage-error.js'

interface Options {
  readonly zone: string
  readonly server: string
  readonly tsigFile?: string
  readonly passphraseFile?: string
  readonly at?: readonly string[]
  readonly ttl: string
  readonly expires: string
  readonly withdraw?: true
}

/** Add the command to `program`. */
export function addPublish(program: Command, context: Context): Command {
  return program
    .command('publish <keyfile>')
    .description('publish where a service lives in a DNS zone, by signed update')
    .requiredOption('--zone <zone>', 'DNS zone, as its server names it')
    .requiredOption('--server <host:port>', 'DNS server that takes updates of the zone')
    .option(
      '--tsig-file <file>',
      'TSIG key, as algorithm:name:secret or a key clause (default: NOISECAP_TSIG)',
    )
    .option('--passphrase-file <file>', 'passphrase of the key file')
    .option('--at <location>', 'where the service listens; may be repeated, tried in this order', several)
    .option('--ttl <duration>', 'how long resolvers may keep it, in seconds or such as 5m', '300')
    .option('--expires <duration>', 'life of the record, at most 7d', '7d')
    .option('--withdraw', 'take the record away instead')
    .action(async (file: string, options: Options) => {
      const expirySeconds = readDuration(options.expires, '--expires')
      const ttlSeconds = readTtl(options.ttl)
      const locations = readLocations(options)
      using key = await readTsigKey(context, options.tsigFile)
      const { zone, server } = options
      const publisher = new DnsPublisher({ zone, server, key, ttlSeconds, expirySeconds })
      const publicKey = await readPublicKey(file, options.passphraseFile)
      if (locations === undefined) await withdraw(context, publisher, publicKey)
      else await publish(context, publisher, publicKey, locations)
    })
}

async function publish(
  { output }: Context,
  publisher: DnsPublisher,
  publicKey: PublicKey,
  uris: readonly string[],
): Promise<void> {
  const inner = uris.filter((uri) => !['public', 'name'].includes(reachOf(uri)))
  if (inner.length > 0) {
    output.warn(
      `clients pass over ${inner.join(', ')} unless they accept private addresses from DNS (--dns-private)`,
    )
  }
  const locations = uris.map((uri, priority) => ({ uri, priority, weight: 0 }))
  const { name, expires } = await publisher.publish(publicKey, locations)
  const until = new Date(expires * 1_000).toISOString()
  output.result([name], { published: name, expires: until, locations })
  output.note(`published in ${publisher.name} until ${until}; nothing refreshes it, so publish again before`)
}

async function withdraw({ output }: Context, publisher: DnsPublisher, publicKey: PublicKey): Promise<void> {
  const name = await publisher.withdraw(publicKey)
  output.result([name], { withdrawn: name })
  output.note(`withdrawn from ${publisher.name}; resolvers may keep it for its TTL`)
}

/** The locations in their one spelling; undefined when the record shall be taken away. */
function readLocations({ at, withdraw: isWithdrawal }: Options): readonly string[] | undefined {
  if (isWithdrawal && at !== undefined) {
    throw new UsageError('Cannot publish: expected --at or --withdraw, got both')
  }
  if (isWithdrawal) return undefined
  if (at === undefined) {
    throw new UsageError('Cannot publish: expected at least one location with --at, got none')
  }
  return at.map(canonicalLocation)
}

function readTtl(text: string): number {
  return /^[0-9]{1,9}$/.test(text) ? Number(text) : readDuration(text, '--ttl')
}

async function readPublicKey(file: string, passphraseFile: string | undefined): Promise<PublicKey> {
  const passphrase = await readPassphrase(passphraseFile)
  using key = await readServiceKey(file, { passphrase })
  return key.publicKey
}

async function readTsigKey({ io, output }: Context, file: string | undefined): Promise<TsigKey> {
  if (file !== undefined) {
    const text = await readTextFile(file, 'TSIG file')
    if (process.platform !== 'win32' && ((await stat(file)).mode & 0o077) !== 0) {
      output.warn(`others can read the TSIG key in ${file}; run chmod 600 ${file}`)
    }
    return TsigKey.parse(text)
  }
  const variable = io.env['NOISECAP_TSIG']
  if (variable !== undefined && variable !== '') return TsigKey.parse(variable)
  throw new UsageError(
    'Cannot publish: expected a TSIG key, got none',
    'Name its file with --tsig-file, or set NOISECAP_TSIG to algorithm:name:secret',
  )
}
