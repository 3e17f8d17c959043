// Pattern modifiers: `fallback` (Noise rev 34 §10.2) and `psk0`, `psk1`, … (§9.4), in the one order that is allowed.
// Order: `fallback` stands first, for it renumbers the messages that a psk modifier counts; after it, where order does not
// matter, modifiers are sorted alphabetically (§8.1). `hfs` is recognised so that its refusal says what it is.
// Leaves out the base patterns (patterns.ts) and the rules of validity (validity.ts).
import type { DhToken, HandshakePattern, KeyToken, PskToken, Token } from './pattern-notation.js'

/** Why a list of modifiers cannot be applied; a phrase that follows "Cannot use protocol name: ". */
export class ModifierFault extends Error {}

const PSK = /^psk(0|[1-9][0-9]*)$/
const SWAPPED_DH = { ee: 'ee', es: 'se', se: 'es', ss: 'ss' } as const satisfies Record<DhToken, DhToken>

/** Split what follows the base pattern, such as `fallback+psk0`; empty text has none. */
export function splitModifiers(text: string): readonly string[] {
  return text === '' ? [] : text.split('+')
}

/** `modifiers` in canonical order, without repetitions. */
export function canonicalOrder(modifiers: readonly string[]): readonly string[] {
  const sorted = [...new Set(modifiers)].sort((a, b) => (a < b ? -1 : 1))
  return sorted.includes('fallback') ? ['fallback', ...sorted.filter((name) => name !== 'fallback')] : sorted
}

/** `pattern` with all `modifiers` applied from left to right.
 * @throws {@link ModifierFault} when one is unknown, out of order, repeated or does not fit.
 * Source: Noise rev 34 §8.1. */
export function applyModifiers(pattern: HandshakePattern, modifiers: readonly string[]): HandshakePattern {
  for (const modifier of modifiers) {
    if (modifier === 'hfs') throw new ModifierFault('the modifier hfs is not supported')
    if (modifier !== 'fallback' && !PSK.test(modifier)) {
      throw new ModifierFault('expected the modifiers fallback, psk0, psk1, …')
    }
  }
  if (new Set(modifiers).size !== modifiers.length) throw new ModifierFault('a modifier occurs twice')
  if (canonicalOrder(modifiers).some((modifier, index) => modifier !== modifiers[index])) {
    throw new ModifierFault('the modifiers are not in canonical order')
  }
  return modifiers.reduce(
    (modified, modifier) =>
      modifier === 'fallback'
        ? withFallback(modified)
        : withPsk(modified, Number(modifier.slice('psk'.length))),
    pattern,
  )
}

/** `pattern` with its first message turned into a pre-message. The responder of `pattern` becomes the initiator: in
 * canonical form that swaps the pre-messages and the letters of each DH.
 * Source: Noise rev 34 §10.2, §7.2. */
function withFallback(pattern: HandshakePattern): HandshakePattern {
  const [first = [], ...rest] = pattern.messages
  const keys = first.filter((token): token is KeyToken => token === 'e' || token === 's')
  if (keys.length !== first.length) {
    throw new ModifierFault('fallback needs a pattern whose first message is e, or e and s')
  }
  if (pattern.initiatorPre.length > 0) {
    // §7.1 allows e, s and "e, s" as pre-messages; a key known before would stand in front of e.
    throw new ModifierFault('fallback needs a pattern whose initiator has no pre-message')
  }
  return {
    initiatorPre: pattern.responderPre,
    responderPre: keys,
    messages: rest.map((tokens) => tokens.map(swapped)),
    oneWay: pattern.oneWay,
  }
}

function swapped(token: Token): Token {
  return Object.hasOwn(SWAPPED_DH, token) ? SWAPPED_DH[token as DhToken] : token
}

/** `pattern` with a psk token before the first message (0) or at the end of message `number`.
 * Source: Noise rev 34 §9.4. */
function withPsk(pattern: HandshakePattern, number: number): HandshakePattern {
  const last = pattern.messages.length
  if (number > last) throw new ModifierFault(`this pattern takes psk0 to psk${last}, got a higher number`)
  const token: PskToken = `psk${number}`
  const place = Math.max(0, number - 1)
  const messages = pattern.messages.map((tokens, index) => {
    if (index !== place) return tokens
    return number === 0 ? [token, ...tokens] : [...tokens, token]
  })
  return { ...pattern, messages }
}
