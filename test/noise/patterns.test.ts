// The pattern tables, the modifiers on them and the rules of validity.
import { describe, expect, test } from 'vitest'
import { applyModifiers, ModifierFault } from '../../src/noise/modifiers.js'
import type { HandshakePattern } from '../../src/noise/pattern-notation.js'
import { PATTERN_NAMES, patternOf } from '../../src/noise/patterns.js'
import { validityFault } from '../../src/noise/validity.js'

const PSK_SETS = [[], ['psk0'], ['psk1'], ['psk0', 'psk1']] as const

function named(name: string): HandshakePattern {
  const pattern = patternOf(name)
  if (pattern === undefined) throw new Error(`no pattern ${name}`)
  return pattern
}

/** A pattern that the tables would never hold. */
function custom(parts: Partial<HandshakePattern>): HandshakePattern {
  return { initiatorPre: [], responderPre: [], messages: [], oneWay: false, ...parts }
}

describe('patternOf', () => {
  test('there are 38 patterns: 3 one-way, 12 fundamental, 23 deferred', () => {
    const oneWay = PATTERN_NAMES.filter((name) => named(name).oneWay)
    expect(oneWay).toEqual(['N', 'K', 'X'])
    expect(PATTERN_NAMES.filter((name) => /^[NKXI][NKX]$/.test(name))).toHaveLength(12)
    expect(PATTERN_NAMES.filter((name) => name.includes('1'))).toHaveLength(23)
    expect(PATTERN_NAMES).toHaveLength(38)
  })

  test('every pattern holds known tokens only, and the letters of its name', () => {
    for (const name of PATTERN_NAMES) {
      const { initiatorPre, responderPre, messages } = named(name)
      for (const token of messages.flat()) expect(['e', 's', 'ee', 'es', 'se', 'ss']).toContain(token)
      const [initiatorLetter, responderLetter] = name.length === 1 ? [name, 'K'] : name.replaceAll('1', '')
      expect(initiatorPre, name).toEqual(initiatorLetter === 'K' ? ['s'] : [])
      expect(responderPre, name).toEqual(responderLetter === 'K' ? ['s'] : [])
      const sent = (parity: number) =>
        messages
          .filter((_, index) => index % 2 === parity)
          .flat()
          .includes('s')
      expect(sent(0), name).toBe(initiatorLetter === 'X' || initiatorLetter === 'I')
      expect(sent(1), name).toBe(responderLetter === 'X')
    }
  })

  test('a deferred pattern does the DHs of its fundamental one, the marked ones later', () => {
    const place = (name: string, token: string) =>
      named(name).messages.findIndex((tokens) => (tokens as readonly string[]).includes(token))
    for (const name of PATTERN_NAMES.filter((candidate) => candidate.includes('1'))) {
      const base = name.replaceAll('1', '')
      const dhs = named(base)
        .messages.flat()
        .filter((token) => token.length === 2 && token !== 'ss')
      expect(
        named(name)
          .messages.flat()
          .filter((token) => token.length === 2)
          .sort(),
      ).toEqual(dhs.sort())
      if (/^[KXI]1/.test(name)) expect(place(name, 'se'), name).toBeGreaterThan(place(base, 'se'))
      if (/1$/.test(name) && place(base, 'es') >= 0) {
        expect(place(name, 'es'), name).toBeGreaterThan(place(base, 'es'))
      }
    }
  })
})

describe('applyModifiers', () => {
  test('psk0 stands before the first message, psk<n> at the end of message n', () => {
    expect(applyModifiers(named('XX'), ['psk0', 'psk1', 'psk3']).messages).toEqual([
      ['psk0', 'e', 'psk1'],
      ['e', 'ee', 's', 'es'],
      ['s', 'se', 'psk3'],
    ])
  })

  test('XXfallback in canonical form: the old responder begins, DH letters are swapped', () => {
    expect(applyModifiers(named('XX'), ['fallback'])).toEqual({
      initiatorPre: [],
      responderPre: ['e'],
      messages: [
        ['e', 'ee', 's', 'se'],
        ['s', 'es'],
      ],
      oneWay: false,
    })
  })

  test('fallback counts psk modifiers from the message that is now the first', () => {
    expect(applyModifiers(named('XX'), ['fallback', 'psk0']).messages[0]).toEqual([
      'psk0',
      'e',
      'ee',
      's',
      'se',
    ])
    expect(applyModifiers(named('XX'), ['fallback', 'psk2']).messages[1]).toEqual(['s', 'es', 'psk2'])
  })

  test('fallback fits exactly the patterns whose first message can be a pre-message', () => {
    const fits = PATTERN_NAMES.filter((name) => {
      try {
        applyModifiers(named(name), ['fallback'])
        return true
      } catch (error) {
        if (error instanceof ModifierFault) return false
        throw error
      }
    })
    expect(fits.sort()).toEqual(
      'NN NX XN XX IN IX NK1 NX1 X1N XK1 X1K1 X1X XX1 X1X1 I1N IK1 I1K1 I1X IX1 I1X1'.split(' ').sort(),
    )
  })
})

describe('validityFault', () => {
  test('every pattern is valid, with PSKs and after fallback too', () => {
    for (const name of PATTERN_NAMES) {
      for (const modifiers of PSK_SETS) {
        expect(validityFault(applyModifiers(named(name), modifiers)), name).toBeUndefined()
      }
    }
    for (const name of ['NN', 'XX', 'IX', 'X1X1', 'IK1', 'NK1']) {
      for (const modifiers of PSK_SETS) {
        expect(validityFault(applyModifiers(named(name), ['fallback', ...modifiers])), name).toBeUndefined()
      }
    }
  })

  test.each([
    ['the initiator encrypts a payload after psk without e', { messages: [['psk0']] }],
    ['the initiator encrypts s after psk without e', { messages: [['psk0', 's', 'e']] }],
    [
      'the responder answers with psk alone, e of the initiator notwithstanding',
      { messages: [['e', 'psk1'], ['psk2']] },
    ],
    ['only the peer sent e in a pre-message', { responderPre: ['e'], messages: [['psk0']] }],
  ] satisfies [string, Partial<HandshakePattern>][])('§9.3 validity is enforced: %s', (_what, parts) => {
    expect(validityFault(custom(parts))?.section).toBe('§9.3')
  })

  test('§9.3 allows e before or after psk, and in a pre-message', () => {
    expect(validityFault(custom({ messages: [['psk0', 'e']] }))).toBeUndefined()
    expect(validityFault(custom({ messages: [['e', 'psk1']] }))).toBeUndefined()
    expect(validityFault(custom({ initiatorPre: ['e'], messages: [['psk0']] }))).toBeUndefined()
  })

  test.each([
    ['a DH with a key that nobody sent', { messages: [['e', 'es']] }],
    ['e twice', { messages: [['e', 'e']] }],
    ['s in a pre-message and again', { initiatorPre: ['s'], messages: [['e', 's']] }],
    ['one DH twice', { responderPre: ['s'], messages: [['e', 'es', 'es']] }],
    [
      'the initiator encrypts after se without ee',
      { initiatorPre: ['s'], responderPre: ['e'], messages: [['e', 'se']] },
    ],
    [
      'the initiator encrypts after ss without es',
      { initiatorPre: ['s'], responderPre: ['s'], messages: [['e', 'ss']] },
    ],
    ['the responder encrypts after es without ee', { responderPre: ['s'], messages: [['e'], ['es']] }],
    [
      'the responder encrypts after ss without se',
      {
        initiatorPre: ['s'],
        responderPre: ['s'],
        messages: [
          ['e', 'es', 'ss'],
          ['e', 'ee'],
        ],
      },
    ],
  ] satisfies [string, Partial<HandshakePattern>][])('§7.3 validity is enforced: %s', (_what, parts) => {
    expect(validityFault(custom(parts))?.section).toBe('§7.3')
  })
})
