// What makes a handshake pattern safe to run: the four rules of Noise rev 34 §7.3 and the PSK rule of §9.3, checked for
// every pattern that is compiled, so that neither a typing error in the tables nor a modifier can weaken one unseen.
// Leaves out what a pattern costs in bytes (handshake-plan.ts).
import type { DhToken, HandshakePattern, KeyToken, Role, Token } from './pattern-notation.js'

/** The rule that a pattern breaks. */
export interface ValidityFault {
  readonly section: '§7.3' | '§9.3'
  readonly rule: string
}

/** What has happened up to some token of a walk. */
interface Walk {
  /** Whether `e` and `s` of each party are known to the other one. */
  readonly sent: Record<Role, Set<KeyToken>>
  readonly dhs: Set<DhToken>
  pskProcessed: boolean
  hasKey: boolean
}

/** A DH with the encryptor's static key, and the DH with his ephemeral key and the same remote key that must come with it. */
const EPHEMERAL_PARTNERS = {
  initiator: [
    ['se', 'ee'],
    ['ss', 'es'],
  ],
  responder: [
    ['es', 'ee'],
    ['ss', 'se'],
  ],
} as const satisfies Record<Role, readonly (readonly [DhToken, DhToken])[]>

/** The first rule that `pattern` breaks, undefined when it is valid.
 * Source: Noise rev 34 §7.3 and §9.3. */
export function validityFault(pattern: HandshakePattern): ValidityFault | undefined {
  const pskMode = pattern.messages.some((tokens) => tokens.some((token) => token.startsWith('psk')))
  const walk: Walk = {
    sent: { initiator: new Set(), responder: new Set() },
    dhs: new Set(),
    pskProcessed: false,
    hasKey: false,
  }
  for (const key of pattern.initiatorPre) walk.sent.initiator.add(key)
  for (const key of pattern.responderPre) walk.sent.responder.add(key)
  walk.hasKey = pskMode && (walk.sent.initiator.has('e') || walk.sent.responder.has('e'))
  for (const [index, tokens] of pattern.messages.entries()) {
    const sender: Role = index % 2 === 0 ? 'initiator' : 'responder'
    for (const token of tokens) {
      const fault = stepFault(walk, sender, token, pskMode)
      if (fault !== undefined) return fault
    }
    const fault = encryptionFault(walk, sender) // of the payload
    if (fault !== undefined) return fault
  }
  return undefined
}

function stepFault(walk: Walk, sender: Role, token: Token, pskMode: boolean): ValidityFault | undefined {
  switch (token) {
    case 'e':
    case 's': {
      if (walk.sent[sender].has(token)) return { section: '§7.3', rule: `the ${sender} sends ${token} twice` }
      const fault = token === 's' ? encryptionFault(walk, sender) : undefined
      if (fault !== undefined) return fault
      walk.sent[sender].add(token)
      walk.hasKey ||= token === 'e' && pskMode
      return undefined
    }
    case 'ee':
    case 'es':
    case 'se':
    case 'ss': {
      if (walk.dhs.has(token)) return { section: '§7.3', rule: `${token} occurs twice` }
      const known =
        walk.sent.initiator.has(token[0] as KeyToken) && walk.sent.responder.has(token[1] as KeyToken) // a DH token is two key tokens
      if (!known) return { section: '§7.3', rule: `${token} uses a key that was not sent` }
      walk.dhs.add(token)
      walk.hasKey = true
      return undefined
    }
    default:
      walk.pskProcessed = true
      walk.hasKey = true
      return undefined
  }
}

/** The rule that `sender` would break by encrypting now; sending without a key is not encrypting. */
function encryptionFault(walk: Walk, sender: Role): ValidityFault | undefined {
  if (!walk.hasKey) return undefined
  for (const [withStatic, withEphemeral] of EPHEMERAL_PARTNERS[sender]) {
    if (walk.dhs.has(withStatic) && !walk.dhs.has(withEphemeral)) {
      return { section: '§7.3', rule: `the ${sender} encrypts after ${withStatic} without ${withEphemeral}` }
    }
  }
  if (walk.pskProcessed && !walk.sent[sender].has('e')) {
    return { section: '§9.3', rule: `the ${sender} encrypts after psk without having sent e` }
  }
  return undefined
}
