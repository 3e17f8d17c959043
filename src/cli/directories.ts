// The directories that `call` and `resolve` ask after the hints in a capability: the file registry, then DNS where the user names
// zones. Leaves out how they answer (src/resolve).
import type { Command } from 'commander'
import { DnsResolver } from '../resolve/dns.js'
import { defaultRegistryDirectory, FileRegistry } from '../resolve/file.js'
import type { Resolver } from '../resolve/index.js'
import { type Context, several } from './input.js'
import { UsageError } from './usage-error.js'

/** What a user says about directories. */
export interface DirectoryOptions {
  readonly dns?: readonly string[]
  readonly dnsServer?: readonly string[]
  readonly dnsPrivate?: true
}

/** Add the options to `command`. */
export function addDirectoryOptions(command: Command): Command {
  return command
    .option('--dns <zone>', 'look in this DNS zone, after the file registry; may be repeated', several)
    .option(
      '--dns-server <host:port>',
      'ask this DNS server instead of those of the system; may be repeated',
      several,
    )
    .option('--dns-private', 'accept loopback and private addresses from DNS')
}

/** The directories, in the order in which they are asked. */
export function directories({ io }: Context, options: DirectoryOptions): Resolver[] {
  const registry = new FileRegistry({ directory: defaultRegistryDirectory(io.env) })
  const { dns: zones, dnsServer: servers, dnsPrivate: allowPrivate } = options
  if (zones !== undefined) return [registry, new DnsResolver({ zones, servers, allowPrivate })]
  if (servers === undefined && allowPrivate === undefined) return [registry]
  throw new UsageError('Cannot use DNS: expected a zone with --dns, got none')
}
