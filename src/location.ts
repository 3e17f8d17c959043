// Locations: where a service can be dialled, as a URI with exactly one spelling (spec/resolve.md §2).
// Parsing says what was expected and what was found; a scheme that is not known here may still be known to others.
// One parser for capabilities, directories and transports. Leaves out how far away a location is, the order in which
// several are tried (src/resolve), and dialling (src/transport).
import { NoisecapError } from './errors.js'
import { LOCATION_MAX_CHARS } from './limits.js'

/** A location taken apart. */
export type ParsedLocation =
  | { readonly scheme: 'tcp'; readonly host: string; readonly port: number }
  | {
      readonly scheme: 'ws' | 'wss' | 'http' | 'https'
      readonly host: string
      readonly port: number
      readonly path: string
    }
  | { readonly scheme: 'unix'; readonly path: string }

const FORMS = 'tcp://host:port, ws://host:port/path, wss://…, http://…, https://… or unix:/path'
/** Schemes of URLs with a path, and the port where none is written. */
const PATH_PORTS = { ws: 80, wss: 443, http: 80, https: 443 } as const
/** What every scheme has in common; also what capabilities and records hold locations to. No capability, and no fragment
 * that could be the secret part of one: locations are shown and logged. */
const ANY_LOCATION = /^(?!noisecap:)[a-z][a-z0-9+.-]*:[\x21\x22\x24-\x7e]+$/
const AUTHORITY = /^(?<host>\[[^\]]*\]|[^:[\]@]*)(?::(?<port>[0-9]*))?$/
const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)$/
const DNS_LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/
/** The shortest `sun_path` among supported systems is 104 bytes with its final zero. */
const UNIX_PATH_MAX_CHARS = 103
const SHOWN_CHARS = 80

/** Whether `uri` has the form of a location, whatever its scheme. */
export function isLocation(uri: string): boolean {
  return uri.length <= LOCATION_MAX_CHARS && ANY_LOCATION.test(uri)
}

/** What a location is for: port 0, "any free port", makes sense to a listener only. */
export type LocationPurpose = 'dial' | 'listen'

/** `uri` taken apart, its parts in canonical form.
 * @throws `transport/bad_location` naming what was expected and what was found. */
export function parseLocation(uri: string, purpose: LocationPurpose = 'dial'): ParsedLocation {
  if (uri.length > LOCATION_MAX_CHARS) throw bad(`at most ${LOCATION_MAX_CHARS} characters`, `${uri.length}`)
  const [, scheme, rest] = /^([a-z][a-z0-9+.-]*):(.*)$/is.exec(uri) ?? []
  if (scheme === undefined || rest === undefined) throw bad(FORMS, show(uri))
  switch (scheme.toLowerCase()) {
    case 'tcp':
      return { scheme: 'tcp', ...parseAuthority(afterSlashes(rest, uri), uri, purpose) }
    case 'ws':
      return parseWithPath('ws', afterSlashes(rest, uri), uri, purpose)
    case 'wss':
      return parseWithPath('wss', afterSlashes(rest, uri), uri, purpose)
    case 'http':
      return parseWithPath('http', afterSlashes(rest, uri), uri, purpose)
    case 'https':
      return parseWithPath('https', afterSlashes(rest, uri), uri, purpose)
    case 'unix':
      return { scheme: 'unix', path: parseUnixPath(rest, uri) }
    default:
      throw bad(FORMS, `the scheme ${show(scheme)}`)
  }
}

/** `uri` taken apart for the transport of `scheme`.
 * @throws `transport/bad_location` as {@link parseLocation}, and for another scheme. */
export function parseLocationOf<Scheme extends 'tcp' | 'unix'>(
  scheme: Scheme,
  uri: string,
  purpose: LocationPurpose,
): Extract<ParsedLocation, { readonly scheme: Scheme }> {
  const parsed = parseLocation(uri, purpose)
  if (!hasScheme(parsed, scheme)) throw bad(`${scheme}:`, show(uri))
  return parsed
}

function hasScheme<Scheme extends ParsedLocation['scheme']>(
  location: ParsedLocation,
  scheme: Scheme,
): location is Extract<ParsedLocation, { readonly scheme: Scheme }> {
  return location.scheme === scheme
}

/** The one spelling of `location`. */
export function formatLocation(location: ParsedLocation): string {
  switch (location.scheme) {
    case 'tcp':
      return `tcp://${location.host}:${location.port}`
    case 'ws':
    case 'wss':
    case 'http':
    case 'https':
      return `${location.scheme}://${location.host}:${location.port}${location.path}`
    case 'unix':
      return `unix:${location.path}`
  }
}

/** `uri` in its one spelling.
 * @throws `transport/bad_location` as {@link parseLocation}. */
export function canonicalLocation(uri: string): string {
  return formatLocation(parseLocation(uri))
}

function afterSlashes(rest: string, uri: string): string {
  if (!rest.startsWith('//')) throw bad('// after the scheme', show(uri))
  return rest.slice(2)
}

function parseWithPath(
  scheme: keyof typeof PATH_PORTS,
  rest: string,
  uri: string,
  purpose: LocationPurpose,
): ParsedLocation {
  const slash = rest.indexOf('/')
  const path = slash === -1 ? '/' : rest.slice(slash)
  if (!/^\/[\x21-\x7e]*$/.test(path) || /[?#\\]/.test(path)) {
    throw bad('a path of printable ASCII without ? and #', show(uri))
  }
  const authority = slash === -1 ? rest : rest.slice(0, slash)
  return { scheme, ...parseAuthority(authority, uri, purpose, PATH_PORTS[scheme]), path }
}

function parseAuthority(text: string, uri: string, purpose: LocationPurpose, defaultPort?: number) {
  if (text.includes('@')) throw bad('host:port without user information', 'an @')
  const { host, port } = AUTHORITY.exec(text)?.groups ?? {}
  if (host === undefined) throw bad('host:port, with an IPv6 address in brackets', show(uri))
  if (port === '0' && purpose === 'listen') return { host: parseHost(host), port: 0 }
  return { host: parseHost(host), port: parsePort(port, uri, defaultPort) }
}

function parsePort(text: string | undefined, uri: string, defaultPort: number | undefined): number {
  if (text === undefined && defaultPort !== undefined) return defaultPort
  if (text === undefined || text === '') throw bad('a port', show(uri))
  const port = Number(text)
  if (!/^[1-9][0-9]{0,4}$/.test(text) || port > 65_535) throw bad('a port from 1 to 65535', show(text))
  return port
}

function parseHost(host: string): string {
  const lower = host.toLowerCase()
  if (lower.startsWith('[')) return parseIpv6(lower)
  if (lower === '') throw bad('a host', 'none')
  const labels = lower.split('.')
  // A name whose last label is a number is an IPv4 address to some parsers, whatever comes before: 0x7f.1, 127.1.
  if (/^(?:[0-9]+|0x[0-9a-f]*)$/.test(labels.at(-1) ?? '')) {
    if (!IPV4.test(lower)) throw bad('an IPv4 address of four decimal numbers', show(host))
    return lower
  }
  if (lower.length > 253 || !labels.every((label) => DNS_LABEL.test(label))) {
    throw bad('a host name in ASCII (international names as xn--…) or an address', show(host))
  }
  return lower
}

/** The canonical spelling of an IPv6 address comes from the URL parser, which every platform has. */
function parseIpv6(bracketed: string): string {
  if (/^\[[0-9a-f:.]+\]$/.test(bracketed)) {
    try {
      return new URL(`http://${bracketed}/`).hostname
    } catch {
      // Falls through to the one error for all addresses that are none.
    }
  }
  throw bad('an IPv6 address without zone in brackets', show(bracketed))
}

function parseUnixPath(rest: string, uri: string): string {
  // With an empty authority, as file: URIs are often written, it is the same path.
  const path = rest.startsWith('///') ? rest.slice(2) : rest
  const plain = /^(?:\/[\x21-\x7e]+)$/.test(path) && !/[%?#\\]/.test(path)
  if (!plain || path.split('/').slice(1).some(isDirection)) {
    throw bad('unix: and an absolute path of printable ASCII without //, . and ..', show(uri))
  }
  if (path.length > UNIX_PATH_MAX_CHARS) {
    throw bad(`a path of at most ${UNIX_PATH_MAX_CHARS} characters`, `${path.length}`)
  }
  return path
}

function isDirection(segment: string): boolean {
  return segment === '' || segment === '.' || segment === '..'
}

function show(text: string): string {
  return JSON.stringify(text.length > SHOWN_CHARS ? `${text.slice(0, SHOWN_CHARS)}…` : text)
}

function bad(expected: string, found: string): NoisecapError<'transport/bad_location'> {
  return new NoisecapError(
    'transport/bad_location',
    `Cannot use location: expected ${expected}, got ${found}`,
  )
}
