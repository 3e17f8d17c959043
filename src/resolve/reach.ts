// How far a location reaches: this machine, a private network, or anywhere (spec/resolve.md §8).
// A directory on a network must not send clients to loopback or to neighbours behind their firewall unless they opt in.
// Judges addresses as written; leaves out what a host name resolves to, which is known at the dial only.
import { parseLocation } from '../location.js'
import type { Location } from './resolver.js'

/** Where a location leads. `name` is a host name that could lead anywhere. */
export type Reach = 'loopback' | 'link-local' | 'private' | 'public' | 'name'

/** Where `uri` leads; unix sockets are loopback.
 * @throws `transport/bad_location` when it cannot be parsed. */
export function reachOf(uri: string): Reach {
  const location = parseLocation(uri)
  if (location.scheme === 'unix') return 'loopback'
  return reachOfHost(location.host)
}

/** Where a canonical host leads: a name, an IPv4 address, or an IPv6 address in brackets. */
export function reachOfHost(host: string): Reach {
  if (host.startsWith('[')) return reachOfIpv6(host.slice(1, -1))
  if (/^[0-9.]+$/.test(host)) return reachOfIpv4(host.split('.').map(Number))
  return host === 'localhost' || host.endsWith('.localhost') ? 'loopback' : 'name'
}

/** Whether `address`, IPv4 or IPv6 as a socket writes it, is one of the public internet. An unknown form is not. */
export function isPublicAddress(address: string): boolean {
  const host = address.includes(':') ? `[${address}]` : address
  try {
    return reachOf(`tcp://${host}:1`) === 'public'
  } catch {
    return false
  }
}

/** Of what a directory on a network names, the locations to which it may send a client: public addresses, and host names,
 * which are judged again at the dial. */
export function publicLocations(locations: readonly Location[]): Location[] {
  return locations
    .filter(({ uri }) => mayBePublic(uri))
    .map((location) => ({ ...location, publicOnly: true as const }))
}

function mayBePublic(uri: string): boolean {
  try {
    const reach = reachOf(uri)
    return reach === 'public' || reach === 'name'
  } catch {
    // Of a scheme that is not known here nobody can say where it leads.
    return false
  }
}

/** Source: RFC 6890, the ranges that are not globally reachable. */
function reachOfIpv4([a = 0, b = 0]: readonly number[]): Reach {
  if (a === 127 || a === 0) return 'loopback'
  if (a === 169 && b === 254) return 'link-local'
  if (a === 10 || (a === 172 && b >= 16 && b < 32) || (a === 192 && b === 168)) return 'private'
  // Shared by carriers (RFC 6598), benchmarks (RFC 2544), multicast and reserved.
  if ((a === 100 && b >= 64 && b < 128) || (a === 198 && (b === 18 || b === 19)) || a >= 224) return 'private'
  return 'public'
}

function reachOfIpv6(address: string): Reach {
  if (address === '::1' || address === '::') return 'loopback'
  const words = expand(address)
  const [first = 0] = words
  const embedded = embeddedIpv4(words)
  if (embedded !== undefined) return reachOfIpv4(embedded)
  if ((first & 0xffc0) === 0xfe80) return 'link-local'
  // Unique local, the deprecated site-local, multicast.
  if ((first & 0xfe00) === 0xfc00 || (first & 0xffc0) === 0xfec0 || first >= 0xff00) return 'private'
  return 'public'
}

/** The eight words of a canonical address. */
function expand(address: string): number[] {
  const [head = '', tail] = address.split('::')
  const before = wordsOf(head)
  if (tail === undefined) return before
  const after = wordsOf(tail)
  return [...before, ...new Array<number>(8 - before.length - after.length).fill(0), ...after]
}

function wordsOf(text: string): number[] {
  return text === '' ? [] : text.split(':').map((word) => Number.parseInt(word, 16))
}

/** The IPv4 address inside a mapped (::ffff:0:0/96), compatible (::/96), translated (64:ff9b::/96) or 6to4 address. */
function embeddedIpv4(words: readonly number[]): number[] | undefined {
  const [w0, w1 = 0, w2 = 0, w3, w4, w5, high = 0, low = 0] = words
  if (w0 === 0x2002) return [w1 >> 8, w1 & 0xff, w2 >> 8, w2 & 0xff]
  const zeros = w1 === 0 && w2 === 0 && w3 === 0 && w4 === 0
  const mapped = w0 === 0 && zeros && (w5 === 0xffff || w5 === 0)
  const translated = w0 === 0x64 && w1 === 0xff9b && w2 === 0 && w3 === 0 && w4 === 0 && w5 === 0
  if (!mapped && !translated) return undefined
  return [high >> 8, high & 0xff, low >> 8, low & 0xff]
}
