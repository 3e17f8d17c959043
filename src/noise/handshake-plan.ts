// A pattern made ready to run: which keys each role must hold, and of every message its sender, its tokens and the exact
// number of bytes around its payload. All of it is fixed by the protocol name, so it is worked out once per name and
// every length can be checked before memory is taken. Leaves out the running (handshake-state.ts).
import { AEAD_TAG_BYTES, type AeadName, type DhName, type HashName } from '../crypto/index.js'
import type { HandshakePattern, KeyToken, Role, Token } from './pattern-notation.js'

/** One message, ready to be written or read. */
export interface MessagePlan {
  readonly sender: Role
  readonly tokens: readonly Token[]
  /** Length of the message without its payload, bytes. */
  readonly overhead: number
  /** Numbers of the psk tokens in it. */
  readonly psks: readonly number[]
}

/** The keys that a role brings, each exactly when it is needed. */
export interface KeyNeeds {
  readonly s: boolean
  readonly rs: boolean
  readonly e: boolean
  readonly re: boolean
  /** Whether the role sends an ephemeral key in a message. */
  readonly sendsEphemeral: boolean
}

/** A pattern, ready to run. */
export interface HandshakePlan {
  readonly preMessages: readonly { readonly owner: Role; readonly key: KeyToken }[]
  readonly messages: readonly MessagePlan[]
  /** Numbers of all psk tokens, in the order of the protocol name; empty means that this is no PSK handshake. */
  readonly psks: readonly number[]
  readonly needs: Readonly<Record<Role, KeyNeeds>>
  readonly oneWay: boolean
}

/** A protocol, ready to run. */
export interface Protocol {
  readonly name: string
  /** The name as it is hashed; do not alter. */
  readonly bytes: Uint8Array
  readonly dh: DhName
  readonly cipher: AeadName
  readonly hash: HashName
  readonly plan: HandshakePlan
}

/** The plan of `pattern`.
 * @param dhLength - DHLEN, bytes. */
export function planOf(pattern: HandshakePattern, dhLength: number): HandshakePlan {
  const psks = pattern.messages.flatMap(pskNumbers).sort((a, b) => a - b)
  const preMessages = [
    ...pattern.initiatorPre.map((key) => ({ owner: 'initiator' as const, key })),
    ...pattern.responderPre.map((key) => ({ owner: 'responder' as const, key })),
  ]
  return {
    preMessages,
    messages: planMessages(pattern, dhLength, psks.length > 0),
    psks,
    needs: { initiator: needsOf(pattern, 'initiator'), responder: needsOf(pattern, 'responder') },
    oneWay: pattern.oneWay,
  }
}

/** Whether a symmetric key exists is decided by the tokens alone, so the number of tags is as well. */
function planMessages(pattern: HandshakePattern, dhLength: number, pskMode: boolean): readonly MessagePlan[] {
  let hasKey = pskMode && (pattern.initiatorPre.includes('e') || pattern.responderPre.includes('e'))
  return pattern.messages.map((tokens, index) => {
    let overhead = 0
    for (const token of tokens) {
      if (token === 'e') overhead += dhLength
      else if (token === 's') overhead += dhLength + (hasKey ? AEAD_TAG_BYTES : 0)
      hasKey ||= token === 'e' ? pskMode : token !== 's'
    }
    if (hasKey) overhead += AEAD_TAG_BYTES
    return { sender: senderOf(index), tokens, overhead, psks: pskNumbers(tokens) }
  })
}

function needsOf(pattern: HandshakePattern, role: Role): KeyNeeds {
  const [own, other] =
    role === 'initiator'
      ? [pattern.initiatorPre, pattern.responderPre]
      : [pattern.responderPre, pattern.initiatorPre]
  const sends = (token: KeyToken): boolean =>
    pattern.messages.some((tokens, index) => senderOf(index) === role && tokens.includes(token))
  return {
    s: own.includes('s') || sends('s'),
    rs: other.includes('s'),
    e: own.includes('e'),
    re: other.includes('e'),
    sendsEphemeral: sends('e'),
  }
}

function senderOf(messageIndex: number): Role {
  return messageIndex % 2 === 0 ? 'initiator' : 'responder'
}

function pskNumbers(tokens: readonly Token[]): readonly number[] {
  return tokens.filter((token) => token.startsWith('psk')).map((token) => Number(token.slice('psk'.length)))
}
