// Node-only door of the resolve layer to DNS: finding services by TXT records, and publishing them by dynamic update.
export { DnsPublisher, type DnsPublisherOptions } from './dns-publisher.js'
export { DnsResolver, type DnsResolverOptions } from './dns-resolver.js'
export { type TsigAlgorithm, TsigKey } from './tsig-key.js'
