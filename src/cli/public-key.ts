// Public keys on the command line: hexadecimal, or base64url as `noisecap keygen` prints them.
import { base64urlDecode, hexDecode } from '../bytes.js'
import { asPublicKey, type PublicKey } from '../crypto/index.js'
import { UsageError } from './usage-error.js'

/** The public key that an option was given.
 * @param option - for messages, such as `--holder`. */
export function readPublicKey(text: string, option: string, hint: string): PublicKey {
  try {
    return asPublicKey(/^[0-9a-fA-F]{64}$/.test(text) ? hexDecode(text) : base64urlDecode(text))
  } catch {
    throw new UsageError(
      `Cannot read ${option}: expected a public key of 64 hexadecimal digits or 43 characters of base64url, got ${text.length} characters`,
      hint,
    )
  }
}
