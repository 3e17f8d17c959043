// X25519 of Web Cryptography, and DHs computed ahead with it: the published results, and that nothing depends on it.
import { describe, expect, test } from 'vitest'
import { hexDecode, hexEncode } from '../../src/bytes.js'
import {
  asPublicKey,
  asSecretKey,
  DhAhead,
  type DhFunction,
  type LaterX25519,
  primitives,
  webX25519,
} from '../../src/crypto/index.js'
import { tried } from '../../src/crypto/web-x25519.js'
import { DH_VECTORS } from './dh-vectors.js'

const { multiplications, alice, bob, shared, lowOrder } = DH_VECTORS['25519']
const usual = primitives().dh('25519')
const secretOf = (hex: string) => asSecretKey(hexDecode(hex))
const publicOf = (hex: string) => asPublicKey(hexDecode(hex))

async function web(): Promise<LaterX25519> {
  const later = await webX25519()
  if (later === undefined) throw new Error('this host has no X25519 in Web Cryptography')
  return later
}

/** The usual X25519, and what it was asked for. */
function counted(): { readonly dh: DhFunction; readonly asked: string[] } {
  const asked: string[] = []
  const dh: DhFunction = {
    ...usual,
    publicKeyOf: (secretKey) => {
      asked.push('publicKeyOf')
      return usual.publicKeyOf(secretKey)
    },
    dh: (secretKey, publicKey) => {
      asked.push('dh')
      return usual.dh(secretKey, publicKey)
    },
  }
  return { dh, asked }
}

describe('X25519 of Web Cryptography', () => {
  test.each(multiplications)(
    'RFC 7748 §5.2 scalar $scalar, published result',
    async ({ scalar, u, result }) => {
      const held = await (await web()).hold(secretOf(scalar))
      expect(hexEncode((await held?.dh(publicOf(u)))!)).toBe(result)
    },
  )

  test.each(Object.entries(lowOrder))('a point of low order, %s, no result', async (_, u) => {
    const held = await (await web()).hold(secretOf(alice.secretKey))
    expect(held).toBeDefined()
    expect(await held?.dh(publicOf(u))).toBeUndefined()
  })

  test('random keys, the results of the usual provider', async () => {
    for (let i = 0; i < 50; i++) {
      const secretKey = usual.generateSecretKey()
      const publicKey = asPublicKey(primitives().randomBytes(32))
      const held = await (await web()).hold(secretKey)
      expect(await held?.dh(publicKey)).toEqual(usual.dh(secretKey, publicKey))
    }
  })

  test('a host without Web Cryptography, or with one that has no X25519 or computes otherwise, has none', async () => {
    const { subtle } = globalThis.crypto
    const importKey = async (): Promise<object> => ({})
    const refuse = async (): Promise<never> => {
      throw new DOMException('Unrecognized name', 'NotSupportedError')
    }
    expect(await tried(undefined)).toBeUndefined()
    expect(await tried({ importKey: refuse, deriveBits: refuse })).toBeUndefined()
    expect(await tried({ importKey, deriveBits: async () => new ArrayBuffer(32) })).toBeUndefined()
    expect(await tried(subtle as unknown as Parameters<typeof tried>[0])).toBeDefined() // the same methods, of DOM's types
  })
})

describe('DhAhead', () => {
  test('gives what was computed ahead without asking the usual provider', async () => {
    const { dh, asked } = counted()
    using ahead = new DhAhead(await web(), dh)
    const secretKey = secretOf(alice.secretKey)
    await Promise.all([ahead.compute(secretKey), ahead.compute(secretKey, publicOf(bob.publicKey))])
    expect(hexEncode(ahead.function.publicKeyOf(secretKey))).toBe(alice.publicKey)
    expect(hexEncode(ahead.function.dh(secretKey, publicOf(bob.publicKey)))).toBe(shared)
    expect(asked).toEqual([])
  })

  test('gives each result once, and computes the second one', async () => {
    const { dh, asked } = counted()
    using ahead = new DhAhead(await web(), dh)
    const secretKey = secretOf(alice.secretKey)
    await ahead.compute(secretKey, publicOf(bob.publicKey))
    const first = ahead.function.dh(secretKey, publicOf(bob.publicKey))
    first.fill(0) // as the engine wipes it
    expect(hexEncode(ahead.function.dh(secretKey, publicOf(bob.publicKey)))).toBe(shared)
    expect(asked).toEqual(['dh'])
  })

  test('a result belongs to its two keys: others are computed', async () => {
    const { dh, asked } = counted()
    using ahead = new DhAhead(await web(), dh)
    const secretKey = secretOf(alice.secretKey)
    await ahead.compute(secretKey, publicOf(bob.publicKey))
    expect(ahead.function.dh(secretOf(bob.secretKey), publicOf(bob.publicKey))).toHaveLength(32)
    expect(ahead.function.dh(secretKey, publicOf(alice.publicKey))).toHaveLength(32)
    expect(asked).toEqual(['dh', 'dh'])
  })

  test.each(Object.entries(lowOrder))('a point of low order, %s, is refused as ever', async (_, u) => {
    using ahead = new DhAhead(await web(), usual)
    const secretKey = secretOf(alice.secretKey)
    await ahead.compute(secretKey, publicOf(u))
    expect(() => ahead.function.dh(secretKey, publicOf(u))).toThrow(
      expect.objectContaining({ code: 'crypto/bad_public_key' }),
    )
  })

  test('an all-zero result from outside is refused too', async () => {
    const zero: LaterX25519 = { hold: async () => ({ dh: async () => new Uint8Array(32) }) }
    using ahead = new DhAhead(zero, usual)
    const secretKey = secretOf(alice.secretKey)
    await ahead.compute(secretKey, publicOf(bob.publicKey))
    expect(() => ahead.function.dh(secretKey, publicOf(bob.publicKey))).toThrow(
      expect.objectContaining({ code: 'crypto/bad_public_key' }),
    )
  })

  test.each([
    ['refuses the key', async () => undefined],
    ['refuses the point', async () => ({ dh: async () => undefined })],
    ['fails', () => Promise.reject(new Error('no'))],
    ['fails with the point', async () => ({ dh: () => Promise.reject(new Error('no')) })],
  ] satisfies [string, LaterX25519['hold']][])(
    'what %s is computed by the usual provider',
    async (_, hold) => {
      using ahead = new DhAhead({ hold }, usual)
      const secretKey = secretOf(alice.secretKey)
      await ahead.compute(secretKey, publicOf(bob.publicKey))
      expect(hexEncode(ahead.function.dh(secretKey, publicOf(bob.publicKey)))).toBe(shared)
    },
  )

  test('the ephemeral key is given once: the next one is another', async () => {
    using ahead = new DhAhead(await web(), usual)
    const secretKey = ahead.makeEphemeral()
    expect(ahead.function.generateSecretKey()).toBe(secretKey)
    expect(ahead.function.generateSecretKey()).not.toEqual(secretKey)
  })

  test("disposal wipes an ephemeral key that nobody took, and none that is the engine's", async () => {
    const ahead = new DhAhead(await web(), usual)
    const taken = ahead.makeEphemeral()
    expect(ahead.function.generateSecretKey()).toBe(taken)
    const untaken = ahead.makeEphemeral()
    ahead[Symbol.dispose]()
    expect(hexEncode(untaken)).toBe('00'.repeat(32))
    expect(hexEncode(taken)).not.toBe('00'.repeat(32))
  })

  test('disposal wipes results, those under way too', async () => {
    const results: Uint8Array[] = []
    const later = await web()
    const noted: LaterX25519 = {
      hold: async (secretKey) => {
        const held = await later.hold(secretKey)
        return { dh: async (publicKey) => results[results.push((await held?.dh(publicKey))!) - 1] }
      },
    }
    const ahead = new DhAhead(noted, usual)
    const secretKey = secretOf(alice.secretKey)
    await ahead.compute(secretKey)
    const under = ahead.compute(secretKey, publicOf(bob.publicKey))
    ahead[Symbol.dispose]()
    await under
    expect(results.map(hexEncode)).toEqual(['00'.repeat(32), '00'.repeat(32)])
  })
})
