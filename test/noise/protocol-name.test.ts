// Protocol names: what parses, what is refused and how a near miss is answered.
import { describe, expect, test } from 'vitest'
import type { NoisecapError } from '../../src/errors.js'
import { PATTERN_NAMES, parseProtocolName } from '../../src/noise/index.js'
import { errorOf, failureOf } from './parties.js'

const BAD = 'noise/bad_protocol_name'

function refusalOf(name: string): NoisecapError {
  return errorOf(() => parseProtocolName(name))
}

describe('parseProtocolName', () => {
  test('gives the parts of a name', () => {
    const parsed = parseProtocolName('Noise_XXfallback+psk0_448_AESGCM_SHA512')
    expect(parsed).toMatchObject({
      name: 'Noise_XXfallback+psk0_448_AESGCM_SHA512',
      pattern: 'XX',
      modifiers: ['fallback', 'psk0'],
      dh: '448',
      cipher: 'AESGCM',
      hash: 'SHA512',
    })
  })

  test('every pattern parses with every suite', () => {
    let count = 0
    for (const pattern of PATTERN_NAMES) {
      for (const dh of ['25519', '448']) {
        for (const cipher of ['ChaChaPoly', 'AESGCM']) {
          for (const hash of ['SHA256', 'SHA512', 'BLAKE2s', 'BLAKE2b']) {
            expect(parseProtocolName(`Noise_${pattern}_${dh}_${cipher}_${hash}`).pattern).toBe(pattern)
            count += 1
          }
        }
      }
    }
    expect(count).toBe(38 * 16)
  })

  test.each([
    ['empty', ''],
    ['no prefix', 'XX_25519_ChaChaPoly_BLAKE2b'],
    ['a section missing', 'Noise_XX_25519_ChaChaPoly'],
    ['a section too many', 'Noise_XX_25519_ChaChaPoly_BLAKE2b_X'],
    ['white space', ' Noise_XX_25519_ChaChaPoly_BLAKE2b'],
    ['a line end', 'Noise_XX_25519_ChaChaPoly_BLAKE2b\n'],
    ['no pattern', 'Noise__25519_ChaChaPoly_BLAKE2b'],
    ['an unknown pattern', 'Noise_XY_25519_ChaChaPoly_BLAKE2b'],
    ['a name of Object.prototype as pattern', 'Noise_constructor_25519_ChaChaPoly_BLAKE2b'],
    ['an unknown modifier', 'Noise_XXsig_25519_ChaChaPoly_BLAKE2b'],
    ['an empty modifier', 'Noise_XXpsk0+_25519_ChaChaPoly_BLAKE2b'],
    ['a modifier without its number', 'Noise_XXpsk_25519_ChaChaPoly_BLAKE2b'],
    ['a number with a leading zero', 'Noise_XXpsk00_25519_ChaChaPoly_BLAKE2b'],
    ['a modifier twice', 'Noise_XXpsk0+psk0_25519_ChaChaPoly_BLAKE2b'],
    ['several DH functions', 'Noise_XX_25519+448_ChaChaPoly_BLAKE2b'],
    ['an unknown hash', 'Noise_XX_25519_ChaChaPoly_SHA3/256'],
  ])('refuses %s', (_what, name) => {
    expect(failureOf(() => parseProtocolName(name))).toBe(BAD)
  })

  test.each([
    ['psk5 where XX has three messages', 'XXpsk5'],
    ['psk4, one past the last message', 'XXpsk4'],
    ['psk3 where NK has two messages', 'NKpsk3'],
    ['psk2 in a one-way pattern', 'Npsk2'],
    ['psk3 after fallback took a message away', 'XXfallback+psk3'],
  ])('refuses a psk index out of range: %s', (_what, pattern) => {
    expect(refusalOf(`Noise_${pattern}_25519_ChaChaPoly_BLAKE2b`)).toMatchObject({
      code: BAD,
      message: expect.stringContaining('got a higher number'),
    })
  })

  test.each([
    ['psk2+psk0', 'psk0+psk2'],
    ['psk1+fallback', 'fallback+psk1'],
    ['psk0+fallback', 'fallback+psk0'],
  ])('modifiers are parsed in canonical order only: %s is refused and %s suggested', (written, meant) => {
    const error = refusalOf(`Noise_XX${written}_25519_ChaChaPoly_BLAKE2b`)
    expect(error.message).toBe('Cannot use protocol name: the modifiers are not in canonical order')
    expect(error.hint).toBe(`Did you mean Noise_XX${meant}_25519_ChaChaPoly_BLAKE2b?`)
    expect(parseProtocolName(`Noise_XX${meant}_25519_ChaChaPoly_BLAKE2b`).modifiers).toEqual(meant.split('+'))
  })

  test('hfs is parsed and refused as unsupported, in either order', () => {
    for (const modifiers of ['hfs', 'hfs+psk2', 'psk2+hfs']) {
      expect(refusalOf(`Noise_NN${modifiers}_25519_ChaChaPoly_BLAKE2b`).message).toBe(
        'Cannot use protocol name: the modifier hfs is not supported',
      )
    }
  })

  test.each([
    ['Noise_XX_X25519_ChaChaPoly_BLAKE2b', 'Noise_XX_25519_ChaChaPoly_BLAKE2b'],
    ['Noise_XX_25519_ChaCha20Poly1305_BLAKE2b', 'Noise_XX_25519_ChaChaPoly_BLAKE2b'],
    ['Noise_XX_25519_AES-256-GCM_SHA-256', 'Noise_XX_25519_AESGCM_SHA256'],
    ['noise_xx_25519_chachapoly_blake2B', 'Noise_XX_25519_ChaChaPoly_BLAKE2b'],
    ['Noise_IKPSK2_25519_ChaChaPoly_BLAKE2b', 'Noise_IKpsk2_25519_ChaChaPoly_BLAKE2b'],
    [' Noise_XX_25519_ChaChaPoly_BLAKE2b', 'Noise_XX_25519_ChaChaPoly_BLAKE2b'],
  ])('a near miss is refused with the name that was meant: %s', (written, meant) => {
    expect(refusalOf(written).hint).toBe(`Did you mean ${meant}?`)
  })

  test('a name that is like none gets no hint and is not echoed', () => {
    const error = refusalOf('Noise_secret_25519_ChaChaPoly_BLAKE2b')
    expect(error.hint).toBeUndefined()
    expect(error.message).not.toContain('secret')
  })

  test('at most 255 bytes', () => {
    const longest = `Noise_XXpsk0_25519_ChaChaPoly_${'S'.repeat(255 - 30)}`
    expect(longest).toHaveLength(255)
    expect(refusalOf(longest).message).toContain('expected the hash')
    expect(refusalOf(`${longest}S`).message).toBe(
      'Cannot use protocol name: expected at most 255 bytes, got 256',
    )
  })

  test('anything but a string is a TypeError', () => {
    expect(failureOf(() => parseProtocolName(undefined as unknown as string))).toBe('TypeError') // a caller without types
  })
})
