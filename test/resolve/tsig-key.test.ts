import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { TsigKey } from '../../src/resolve/dns.js'

const SECRET = 'MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE='

describe('TsigKey.parse', () => {
  test.each([
    ['with an algorithm', `hmac-sha512:Publisher.:${SECRET}\n`, 'publisher', 'hmac-sha512'],
    ['without', `a.b_c-d:${SECRET}`, 'a.b_c-d', 'hmac-sha256'],
    ['behind a comment', `# from the operator\n\nhmac-sha256:k:${SECRET}\n`, 'k', 'hmac-sha256'],
    [
      'of BIND',
      `key "k.example" {\n\talgorithm hmac-sha256;\n\tsecret "${SECRET}";\n};\n`,
      'k.example',
      'hmac-sha256',
    ],
    ['of BIND, in another order', `key k { secret ${SECRET}; algorithm HMAC-SHA512; }`, 'k', 'hmac-sha512'],
    [
      'of keymgr',
      `# hmac-sha256:k:${SECRET}\nkey:\n  - id: k\n    algorithm: hmac-sha256\n    secret: ${SECRET}\n`,
      'k',
      'hmac-sha256',
    ],
  ])('%s', (_name, text, name, algorithm) => {
    using key = TsigKey.parse(text)
    expect([key.name, key.algorithm]).toEqual([name, algorithm])
    using same = new TsigKey(name, algorithm, new TextEncoder().encode('01234567890123456789012345678901'))
    expect(key.mac(new Uint8Array(3))).toEqual(same.mac(new Uint8Array(3)))
  })

  test.each([
    ['nothing', ''],
    ['a secret alone', SECRET],
    ['a weak algorithm', `hmac-md5:k:${SECRET}`],
    ['a short secret', 'k:AAAA'],
    ['a secret that is not canonical base64', `k:${SECRET.slice(0, -2)}F=`],
    ['a name that is none', `a..b:${SECRET}`],
    ['a clause without a secret', 'key k { algorithm hmac-sha256; };'],
  ])('%s: RangeError, which does not quote it', (_name, text) => {
    let error: unknown
    try {
      TsigKey.parse(text)
    } catch (thrown) {
      error = thrown
    }
    expect(error).toBeInstanceOf(RangeError)
    expect(String(error)).not.toContain(SECRET.slice(0, 10))
  })
})

test('a TsigKey prints redacted, and is of no use once disposed', () => {
  const key = TsigKey.parse(`k:${SECRET}`)
  const before = key.mac()
  for (const text of [String(key), JSON.stringify(key), inspect(key, { showHidden: true, depth: 9 })]) {
    expect(text).toContain('TsigKey k (hmac-sha256) [redacted]')
    expect(text).not.toContain('MDEy')
  }
  key[Symbol.dispose]()
  expect(key.mac()).not.toEqual(before)
})
