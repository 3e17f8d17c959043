// Finds a secret in whatever is shown: its bytes as they are, as hexadecimal, base64, base64url, base32 or numbers, at any
// offset within something longer, over line breaks; and secret texts as they are.

/** Bytes of a secret that a sight must share with it. */
const WINDOW = 10
const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567'

/** `bytes` in digits of `bits` bits, `skip` bits of something else before them: only digits that hold nothing else. */
function digitsOf(bytes: Uint8Array, bits: number, skip: number, alphabet: string): string {
  const binary = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  const start = (bits - (skip % bits)) % bits
  let text = ''
  for (let at = start; at + bits <= binary.length; at += bits) {
    text += alphabet[Number.parseInt(binary.slice(at, at + bits), 2)]
  }
  return text
}

/** Every form in which `window` may stand, without white space. */
function formsOf(window: Uint8Array): Record<string, string> {
  const buffer = Buffer.from(window)
  const forms: Record<string, string> = {
    raw: buffer.toString('latin1').replaceAll(/\s/g, ''),
    utf8: buffer.toString('utf8').replaceAll(/\s/g, ''),
    hex: buffer.toString('hex'),
    HEX: buffer.toString('hex').toUpperCase(),
    numbers: [...window].join(','),
  }
  for (const before of [0, 1, 2, 3, 4]) {
    const base64 = digitsOf(window, 6, before * 8, BASE64)
    forms[`base64 after ${before}`] = base64
    forms[`base64url after ${before}`] = base64.replaceAll('+', '-').replaceAll('/', '_')
    forms[`base32 after ${before}`] = digitsOf(window, 5, before * 8, BASE32)
    forms[`BASE32 after ${before}`] = digitsOf(window, 5, before * 8, BASE32).toUpperCase()
  }
  return forms
}

/** Secrets by name, and the search for any of them. */
export class Canaries {
  readonly #needles: { readonly name: string; readonly needle: string }[] = []

  /** @param secrets - bytes, or a text that is itself the secret. */
  constructor(secrets: Readonly<Record<string, Uint8Array | string>>) {
    for (const [name, secret] of Object.entries(secrets)) {
      if (typeof secret === 'string') {
        this.#needles.push({ name, needle: secret.replaceAll(/\s/g, '') })
        continue
      }
      for (let start = 0; start + WINDOW <= secret.length; start += 3) {
        for (const [form, needle] of Object.entries(formsOf(secret.subarray(start, start + WINDOW)))) {
          this.#needles.push({ name: `${name} as ${form}`, needle })
        }
      }
    }
  }

  /** Names and forms of the secrets that `shown` holds; none is what it should be. */
  seenIn(shown: string): string[] {
    const joined = shown.replaceAll(/\s/g, '')
    // Typed arrays as objects: {"0":12,"1":34} and Object.entries: [["0",12],["1",34]].
    const listed = joined.replaceAll(/["']?\d+["']?:(?=\d)/g, '').replaceAll(/\[["']\d+["'],(\d+)\]/g, '$1')
    const found = this.#needles.filter(({ needle }) => joined.includes(needle) || listed.includes(needle))
    return [...new Set(found.map(({ name }) => name))]
  }
}
