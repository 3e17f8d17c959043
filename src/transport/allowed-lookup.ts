// The system's look-up of host names, held to the addresses that may be dialled: a name that a directory gave may lead
// anywhere (spec/resolve.md §8). For Node's sockets. Leaves out which addresses those are.
import type { LookupFunction } from 'node:net'
import type { AddressFilter } from './pipe.js'

/** Look up as the system does, without the addresses that `allows` denies. */
export function lookupAllowed(allows: AddressFilter): LookupFunction {
  return (hostname, options, callback) => {
    // Not imported: it takes two milliseconds of the start of every process, and few dial by name at another's word.
    process.getBuiltinModule('node:dns').lookup(hostname, { ...options, all: true }, (error, addresses) => {
      const allowed = error === null ? addresses.filter(({ address }) => allows(address)) : []
      const [first] = allowed
      if (first === undefined) callback(error ?? notAllowed(), [])
      else if (options.all) callback(null, allowed)
      else callback(null, first.address, first.family)
    })
  }
}

/** Why an address is not dialled. */
export function notAllowed(): NodeJS.ErrnoException {
  return Object.assign(new Error('the address is not one of the public internet'), { code: 'EACCES' })
}

/** What brackets in a URI set off is written without them everywhere else. */
export function withoutBrackets(host: string): string {
  return host.startsWith('[') ? host.slice(1, -1) : host
}
