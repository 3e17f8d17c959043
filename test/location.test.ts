import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { NoisecapError } from '../src/errors.js'
import { parseLocationOf } from '../src/location.js'
import { canonicalLocation, formatLocation, isLocation, parseLocation } from '../src/resolve/index.js'

const canonical: [string, string][] = [
  ['tcp://127.0.0.1:7000', 'tcp://127.0.0.1:7000'],
  ['TCP://Example.COM:1', 'tcp://example.com:1'],
  ['tcp://localhost:65535', 'tcp://localhost:65535'],
  ['tcp://_noise.xn--bcher-kva.example:7', 'tcp://_noise.xn--bcher-kva.example:7'],
  ['tcp://a.b2:7', 'tcp://a.b2:7'],
  ['tcp://[::1]:7000', 'tcp://[::1]:7000'],
  ['tcp://[0:0:0:0:0:0:0:1]:7000', 'tcp://[::1]:7000'],
  ['tcp://[2001:DB8:0:0:1:0:0:1]:7', 'tcp://[2001:db8::1:0:0:1]:7'],
  ['tcp://[::ffff:127.0.0.1]:7', 'tcp://[::ffff:7f00:1]:7'],
  ['ws://example.com', 'ws://example.com:80/'],
  ['wss://example.com', 'wss://example.com:443/'],
  ['http://example.com/Fn', 'http://example.com:80/Fn'],
  ['HTTPS://Example.com', 'https://example.com:443/'],
  ['wss://Example.com:8443/Notes', 'wss://example.com:8443/Notes'],
  ['ws://[::1]/a', 'ws://[::1]:80/a'],
  ['unix:/run/noisecap/notes.sock', 'unix:/run/noisecap/notes.sock'],
  ['unix:///run/noisecap/notes.sock', 'unix:/run/noisecap/notes.sock'],
]

const refused: [string, string][] = [
  ['', 'tcp://host:port, ws://host:port/path, wss://…, http://…, https://… or unix:/path, got ""'],
  ['127.0.0.1:7000', 'or unix:/path, got "127.0.0.1:7000"'],
  ['localhost:7000', 'or unix:/path, got the scheme "localhost"'],
  ['ftp://example.com', 'got the scheme "ftp"'],
  ['tcp:127.0.0.1:7000', '// after the scheme'],
  ['tcp:/127.0.0.1:7000', '// after the scheme'],
  ['tcp://127.0.0.1', 'a port, got "tcp://127.0.0.1"'],
  ['tcp://127.0.0.1:', 'a port, got "tcp://127.0.0.1:"'],
  ['tcp://127.0.0.1:0', 'a port from 1 to 65535, got "0"'],
  ['tcp://127.0.0.1:65536', 'a port from 1 to 65535, got "65536"'],
  ['tcp://127.0.0.1:07000', 'a port from 1 to 65535, got "07000"'],
  ['tcp://127.0.0.1:70x', 'host:port, with an IPv6 address in brackets'],
  ['tcp://127.0.0.1:-1', 'host:port, with an IPv6 address in brackets'],
  ['tcp://::1:7000', 'host:port, with an IPv6 address in brackets'],
  ['tcp://127.0.0.1:7000/', 'host:port'],
  ['tcp://:7000', 'a host, got none'],
  ['tcp://user:secret@host:7000', 'host:port without user information, got an @'],
  ['tcp://127.1:7', 'an IPv4 address of four decimal numbers, got "127.1"'],
  ['tcp://0x7f.0.0.1:7', 'an IPv4 address of four decimal numbers'],
  ['tcp://0x7f000001:7', 'an IPv4 address of four decimal numbers'],
  ['tcp://2130706433:7', 'an IPv4 address of four decimal numbers'],
  ['tcp://127.0.0.01:7', 'an IPv4 address of four decimal numbers'],
  ['tcp://256.0.0.1:7', 'an IPv4 address of four decimal numbers'],
  ['tcp://1.2.3.4.5:7', 'an IPv4 address of four decimal numbers'],
  ['tcp://a..b:7', 'a host name in ASCII'],
  ['tcp://example.com.:7', 'a host name in ASCII'],
  ['tcp://-a.example:7', 'a host name in ASCII'],
  ['tcp://a_.exa mple:7', 'a host name in ASCII'],
  ['tcp://bücher.example:7', 'a host name in ASCII (international names as xn--…) or an address'],
  ['tcp://ex%61mple.com:7', 'a host name in ASCII'],
  [`tcp://${'a'.repeat(64)}.example:7`, 'a host name in ASCII'],
  ['tcp://[fe80::1%eth0]:7', 'an IPv6 address without zone in brackets'],
  ['tcp://[::g]:7', 'an IPv6 address without zone in brackets'],
  ['tcp://[1:2:3]:7', 'an IPv6 address without zone in brackets'],
  ['tcp://[127.0.0.1]:7', 'an IPv6 address without zone in brackets'],
  ['tcp://[]:7', 'an IPv6 address without zone in brackets'],
  ['ws://example.com/a b', 'a path of printable ASCII without ? and #'],
  ['wss://example.com/a?token=1', 'a path of printable ASCII without ? and #'],
  ['wss://example.com/#x', 'a path of printable ASCII without ? and #'],
  ['wss://example.com?x', 'a host name in ASCII'],
  ['unix:run/notes.sock', 'unix: and an absolute path'],
  ['unix://run/notes.sock', 'unix: and an absolute path'],
  ['unix:////run/notes.sock', 'unix: and an absolute path'],
  ['unix:///', 'unix: and an absolute path'],
  ['unix:/run/../etc/x', 'unix: and an absolute path'],
  ['unix:/run/./x', 'unix: and an absolute path'],
  ['unix:/run/x/', 'unix: and an absolute path'],
  ['unix:/', 'unix: and an absolute path'],
  ['unix:/run/%2e%2e/x', 'unix: and an absolute path'],
  [`unix:/${'a'.repeat(103)}`, 'a path of at most 103 characters, got 104'],
  [`tcp://${'a.'.repeat(126)}a:7000`, 'at most 255 characters, got 264'],
]

describe('parseLocation', () => {
  test.each(canonical)('%s is written %s', (uri, expected) => {
    expect(canonicalLocation(uri)).toBe(expected)
    expect(isLocation(expected)).toBe(true)
  })

  test.each(refused)('%s is refused: expected %s', (uri, message) => {
    let error: unknown
    try {
      parseLocation(uri)
    } catch (thrown) {
      error = thrown
    }
    expect(error).toBeInstanceOf(NoisecapError)
    expect(error).toMatchObject({ code: 'transport/bad_location' })
    expect((error as Error).message).toContain('Cannot use location: expected ')
    expect((error as Error).message).toContain(message)
  })

  test('gives the parts', () => {
    expect(parseLocation('tcp://[::1]:7000')).toEqual({ scheme: 'tcp', host: '[::1]', port: 7000 })
    expect(parseLocation('wss://a.b/c')).toEqual({ scheme: 'wss', host: 'a.b', port: 443, path: '/c' })
    expect(parseLocation('unix:/a/b')).toEqual({ scheme: 'unix', path: '/a/b' })
  })

  test('the canonical form is canonical, and other text gives transport/bad_location only', () => {
    const part = fc.constantFrom(
      'tcp',
      'ws',
      'unix',
      ':',
      '/',
      '//',
      '[',
      ']',
      '::1',
      '127.0.0.1',
      'a.b',
      '.',
      '7',
      '@',
      '%',
      'Ä',
    )
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(part, { maxLength: 9 }).map((parts) => parts.join('')),
    )
    fc.assert(
      fc.property(text, (uri) => {
        let parsed: ReturnType<typeof parseLocation>
        try {
          parsed = parseLocation(uri)
        } catch (error) {
          expect(error).toMatchObject({ code: 'transport/bad_location' })
          return
        }
        const written = formatLocation(parsed)
        expect(parseLocation(written)).toEqual(parsed)
        expect(canonicalLocation(written)).toBe(written)
      }),
      { numRuns: 5_000 },
    )
  })
})

describe('parseLocationOf', () => {
  test('port 0 is for listening only', () => {
    const any = { scheme: 'tcp', host: '127.0.0.1', port: 0 }
    expect(parseLocationOf('tcp', 'tcp://127.0.0.1:0', 'listen')).toEqual(any)
    const code = { code: 'transport/bad_location' }
    for (const [uri, purpose] of [
      ['tcp://127.0.0.1:0', 'dial'],
      ['tcp://127.0.0.1:00', 'listen'],
      ['tcp://127.0.0.1:', 'listen'],
    ] as const) {
      expect(() => parseLocationOf('tcp', uri, purpose)).toThrow(expect.objectContaining(code))
    }
  })

  test('another scheme is refused, be it known or not', () => {
    const refusal = (message: string) =>
      expect.objectContaining({ message: expect.stringContaining(message) })
    expect(() => parseLocationOf('tcp', 'unix:/a', 'dial')).toThrow(refusal('expected tcp:, got "unix:/a"'))
    expect(() => parseLocationOf('unix', 'tcp://a:1', 'listen')).toThrow(refusal('expected unix:, got'))
    expect(() => parseLocationOf('unix', 'pipe:/a', 'dial')).toThrow(refusal('got the scheme "pipe"'))
  })
})

describe('isLocation', () => {
  test.each([
    ['later:x', true],
    ['h2+tls:whatever', true],
    [`x:${'a'.repeat(253)}`, true],
    [`x:${'a'.repeat(254)}`, false],
    ['x:', false],
    ['1x:a', false],
    ['X:a', false],
    ['x:a b', false],
    ['x:a\n', false],
    ['x:ä', false],
  ])('%j is %s', (uri, expected) => {
    expect(isLocation(uri)).toBe(expected)
  })
})
