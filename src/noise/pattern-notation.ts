// Patterns in the notation of Noise rev 34 §7, and their reading into tokens. Leaves out which patterns there are
// (patterns.ts, own-handshake.ts).

/** The party that writes the first message, or the other one. */
export type Role = 'initiator' | 'responder'
/** A public key that is sent, or known beforehand. */
export type KeyToken = 'e' | 's'
/** A DH between an initiator's key (first letter) and a responder's key (second letter). */
export type DhToken = 'ee' | 'es' | 'se' | 'ss'
/** A pre-shared key, with the number of the modifier that placed it. */
export type PskToken = `psk${number}`
/** One step of a message pattern. */
export type Token = KeyToken | DhToken | PskToken

/** Pre-messages and messages; the messages alternate, beginning with the initiator's. */
export interface HandshakePattern {
  readonly initiatorPre: readonly KeyToken[]
  readonly responderPre: readonly KeyToken[]
  readonly messages: readonly (readonly Token[])[]
  /** Whether transport messages go from the initiator only. */
  readonly oneWay: boolean
}

/** A pattern out of the spec's notation, one line an element. */
export function readPattern(lines: readonly string[], oneWay: boolean): HandshakePattern {
  const preLength = Math.max(0, lines.indexOf('...'))
  const pre = lines.slice(0, preLength)
  const messages = lines.slice(preLength === 0 ? 0 : preLength + 1)
  return {
    initiatorPre: keyTokens(pre.find((line) => line.startsWith('->'))),
    responderPre: keyTokens(pre.find((line) => line.startsWith('<-'))),
    messages: messages.map(tokensOf),
    oneWay,
  }
}

function keyTokens(line: string | undefined): readonly KeyToken[] {
  return line === undefined ? [] : (tokensOf(line) as KeyToken[]) // the tables above hold nothing else there
}

function tokensOf(line: string): readonly Token[] {
  return line.slice('-> '.length).split(', ') as Token[] // the tables above are closed, the tests check each token
}
