// A capability that nobody minted: the locator of a genuine one, which is not secret, around a secret of one's own.
import { base64urlDecode, base64urlEncode } from '../../src/bytes.js'
import { decodeToken, encodeToken, type Token } from '../../src/capability/token.js'

/** The text of such a one. */
export function madeUp(text: string, final?: boolean): string {
  const start = text.indexOf('#') + 1
  const token = decodeToken(base64urlDecode(text.slice(start)))
  const key = token.secret.key.map((byte) => byte ^ 1)
  const secret = { final: final ?? token.secret.final, key } as Token['secret']
  return text.slice(0, start) + base64urlEncode(encodeToken({ ...token, secret }))
}
