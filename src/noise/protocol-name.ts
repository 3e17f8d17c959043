// Protocol names such as `Noise_IKpsk2_25519_ChaChaPoly_BLAKE2b` (Noise rev 34 §8): strict parsing, and for a near miss
// the name that was probably meant. A name decides everything about a handshake, PSKs included; nothing else does.
// Messages never quote the name, which may have come from a peer. Leaves out several algorithms in one section, which
// no pattern or modifier of the spec calls for.

import { utf8 } from '../bytes.js'
import type { AeadName, DhName, HashName } from '../crypto/index.js'
import { NoisecapError } from '../errors.js'
import { NOISE_PROTOCOL_NAME_MAX_BYTES } from '../limits.js'
import { type Protocol, planOf } from './handshake-plan.js'
import { applyModifiers, canonicalOrder, ModifierFault, splitModifiers } from './modifiers.js'
import { patternOf } from './patterns.js'
import { validityFault } from './validity.js'

/** The parts of a protocol name. */
export interface ProtocolName extends Protocol {
  /** Base pattern, such as `XX`. */
  readonly pattern: string
  /** Such as `fallback` and `psk0`, in order. */
  readonly modifiers: readonly string[]
}

const DH_LENGTHS = { '25519': 32, '448': 56 } as const satisfies Record<DhName, number>
const DH_NAMES = ['25519', '448'] as const satisfies readonly DhName[]
const CIPHER_NAMES = ['ChaChaPoly', 'AESGCM'] as const satisfies readonly AeadName[]
const HASH_NAMES = ['SHA256', 'SHA512', 'BLAKE2s', 'BLAKE2b'] as const satisfies readonly HashName[]

/** Spellings from other places, in lower case without punctuation. */
const ALIASES: Readonly<Record<string, string>> = {
  x25519: '25519',
  curve25519: '25519',
  x448: '448',
  curve448: '448',
  chacha20poly1305: 'ChaChaPoly',
  chachapoly1305: 'ChaChaPoly',
  aes256gcm: 'AESGCM',
  sha2256: 'SHA256',
  sha2512: 'SHA512',
}

/** Names in use at a time are few; names from outside must not fill memory. */
const CACHE_MAX = 256
const cache = new Map<string, ProtocolName>()

/** The parts of `name` and the handshake that it stands for.
 * @param name - at most 255 ASCII characters.
 * @throws `noise/bad_protocol_name` when the name is not exactly one that Noise rev 34 defines; the hint may hold the name
 * that was meant.
 * Source: Noise rev 34 §8. */
export function parseProtocolName(name: string): ProtocolName {
  const cached = cache.get(name)
  if (cached !== undefined) return cached
  const parsed = parse(name)
  if (typeof parsed === 'string') {
    const meant = suggestionFor(name)
    throw new NoisecapError('noise/bad_protocol_name', `Cannot use protocol name: ${parsed}`, {
      ...(meant === undefined ? {} : { hint: `Did you mean ${meant}?` }),
    })
  }
  if (cache.size >= CACHE_MAX) cache.clear()
  cache.set(name, parsed)
  return parsed
}

/** The parsed name, or what is wrong with it. */
function parse(name: string): ProtocolName | string {
  if (typeof name !== 'string') throw new TypeError('Cannot use protocol name: expected a string')
  if (name.length > NOISE_PROTOCOL_NAME_MAX_BYTES) {
    return `expected at most ${NOISE_PROTOCOL_NAME_MAX_BYTES} bytes, got ${name.length}`
  }
  const [prefix, patternSection = '', dhSection, cipherSection, hashSection, ...more] = name.split('_')
  if (prefix !== 'Noise' || hashSection === undefined || more.length > 0) {
    return 'expected Noise_<pattern>_<DH>_<cipher>_<hash>'
  }
  const dh = DH_NAMES.find((known) => known === dhSection)
  if (dh === undefined) return `expected the DH ${DH_NAMES.join(' or ')}`
  const cipher = CIPHER_NAMES.find((known) => known === cipherSection)
  if (cipher === undefined) return `expected the cipher ${CIPHER_NAMES.join(' or ')}`
  const hash = HASH_NAMES.find((known) => known === hashSection)
  if (hash === undefined) return `expected the hash ${HASH_NAMES.join(', ')}`
  const handshake = parsePattern(patternSection, DH_LENGTHS[dh])
  return typeof handshake === 'string'
    ? handshake
    : { name, bytes: utf8(name), ...handshake, dh, cipher, hash }
}

function parsePattern(
  section: string,
  dhLength: number,
): Pick<ProtocolName, 'pattern' | 'modifiers' | 'plan'> | string {
  const pattern = /^[A-Z0-9]*/.exec(section)![0] // the expression matches the empty text too
  const base = patternOf(pattern)
  if (base === undefined) return 'expected a pattern of Noise rev 34, such as XX or NK1'
  const modifiers = splitModifiers(section.slice(pattern.length))
  try {
    const modified = applyModifiers(base, modifiers)
    const fault = validityFault(modified)
    if (fault !== undefined) return `the pattern is not valid by Noise rev 34 ${fault.section}: ${fault.rule}`
    return { pattern, modifiers, plan: planOf(modified, dhLength) }
  } catch (error) {
    if (error instanceof ModifierFault) return error.message
    throw error
  }
}

/** The valid name that differs from `name` by spelling and order only; built from our own words, nothing is echoed. */
function suggestionFor(name: string): string | undefined {
  if (name.length > NOISE_PROTOCOL_NAME_MAX_BYTES) return undefined
  const [prefix, patternSection = '', ...algorithms] = name.trim().split('_')
  if (prefix?.toLowerCase() !== 'noise' || algorithms.length !== 3) return undefined
  const base = /^([a-z0-9]*?)((?:fallback|psk).*)?$/.exec(patternSection.toLowerCase())
  if (base === null) return undefined
  const modifiers = canonicalOrder(splitModifiers(base[2] ?? ''))
  const known = [...DH_NAMES, ...CIPHER_NAMES, ...HASH_NAMES]
  const meant = algorithms.map((text) => {
    const plain = text.toLowerCase().replace(/[^a-z0-9]/g, '')
    return known.find((candidate) => candidate.toLowerCase() === plain) ?? ALIASES[plain] ?? ''
  })
  const candidate = ['Noise', base[1]!.toUpperCase() + modifiers.join('+'), ...meant].join('_')
  return candidate !== name && typeof parse(candidate) !== 'string' ? candidate : undefined
}
