// A TSIG key: the secret that a DNS server shares with those who may update a zone (RFC 8945 §4.2, §6).
// Reads what operators have: `algorithm:name:secret`, as keymgr, kdig and nsupdate write it, and the key clause of BIND.
// Leaves out signing (tsig.ts). Prints redacted everywhere.
import { base64Decode, wipe } from '../bytes.js'
import { type HashName, primitives } from '../crypto/index.js'
import { TSIG_SECRET_MAX_BYTES, TSIG_SECRET_MIN_BYTES } from '../limits.js'
import { redact } from '../redact.js'
import { parseName } from './dns-record.js'

/** Algorithms that are spoken; the older ones (MD5, SHA-1) are not. */
export type TsigAlgorithm = 'hmac-sha256' | 'hmac-sha512'

const HASHES: Readonly<Record<TsigAlgorithm, HashName>> = {
  'hmac-sha256': 'SHA256',
  'hmac-sha512': 'SHA512',
}
const EXPECTED =
  'Cannot read TSIG key: expected algorithm:name:secret, or key "name" { algorithm …; secret "…"; };'

/** A named secret. `using` wipes it. */
export class TsigKey implements Disposable {
  /** Canonical, without the final dot. */
  readonly name: string
  readonly algorithm: TsigAlgorithm
  readonly #secret: Uint8Array

  static {
    redact(TsigKey, ({ name, algorithm }) => `TsigKey ${name} (${algorithm}) [redacted]`)
  }

  /** @param secret - 16 to 512 bytes; copied.
   * @throws RangeError for a name, algorithm or length that cannot be. */
  constructor(name: string, algorithm: string, secret: Uint8Array) {
    this.name = parseName(name, 'TSIG key')
    const known = algorithm.toLowerCase().replace(/\.$/, '')
    if (!isAlgorithm(known)) {
      throw new RangeError(
        `Cannot use TSIG key: expected the algorithm hmac-sha256 or hmac-sha512, got another`,
      )
    }
    this.algorithm = known
    if (secret.length < TSIG_SECRET_MIN_BYTES || secret.length > TSIG_SECRET_MAX_BYTES) {
      throw new RangeError(
        `Cannot use TSIG key: expected a secret of ${TSIG_SECRET_MIN_BYTES} to ${TSIG_SECRET_MAX_BYTES} bytes, got ${secret.length}`,
      )
    }
    this.#secret = secret.slice()
  }

  /** The key in `text`: `algorithm:name:secret` with the secret in base64 (without an algorithm: hmac-sha256), or BIND's
   * key clause. Lines that begin with `#` or `//` are comments, unless the whole key stands in one, as keymgr writes it.
   * @throws RangeError when it is neither; the message does not hold the text. */
  static parse(text: string): TsigKey {
    const plain = text.replaceAll(/^\s*(?:#|\/\/).*$/gm, '').trim()
    return parseLine(plain) ?? parseClause(plain) ?? parseKeymgr(text) ?? fail()
  }

  /** HMAC over `parts`. */
  mac(...parts: readonly Uint8Array[]): Uint8Array {
    return primitives()
      .hash(HASHES[this.algorithm])
      .hmac(this.#secret, ...parts)
  }

  [Symbol.dispose](): void {
    wipe(this.#secret)
  }
}

function isAlgorithm(name: string): name is TsigAlgorithm {
  return Object.hasOwn(HASHES, name)
}

function parseLine(text: string): TsigKey | undefined {
  const [, algorithm = 'hmac-sha256', name, secret] =
    /^(?:([A-Za-z0-9-]+):)?([A-Za-z0-9._-]+):([A-Za-z0-9+/]+=*)$/.exec(text) ?? []
  return name === undefined || secret === undefined ? undefined : make(name, algorithm, secret)
}

function parseClause(text: string): TsigKey | undefined {
  const clause = /^key\s+"?([A-Za-z0-9._-]+)"?\s*\{([^{}]*)\}\s*;?$/.exec(text)
  const algorithm = /(?:^|[\s;])algorithm\s+"?([A-Za-z0-9.-]+)"?\s*;/.exec(clause?.[2] ?? '')?.[1]
  const secret = /(?:^|[\s;])secret\s+"?([A-Za-z0-9+/]+=*)"?\s*;/.exec(clause?.[2] ?? '')?.[1]
  if (clause?.[1] === undefined || algorithm === undefined || secret === undefined) return undefined
  return make(clause[1], algorithm, secret)
}

/** `keymgr -t` writes Knot's configuration, and the key in one line as a comment before it. */
function parseKeymgr(text: string): TsigKey | undefined {
  return parseLine(/^# *(hmac-[a-z0-9]+:\S+)$/m.exec(text)?.[1] ?? '')
}

function make(name: string, algorithm: string, secret: string): TsigKey {
  let bytes: Uint8Array
  try {
    bytes = base64Decode(secret)
  } catch {
    throw new RangeError('Cannot read TSIG key: expected a secret in base64')
  }
  try {
    return new TsigKey(name, algorithm, bytes)
  } finally {
    wipe(bytes)
  }
}

function fail(): never {
  throw new RangeError(EXPECTED)
}
