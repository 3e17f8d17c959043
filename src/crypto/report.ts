// What a selection of providers tells of itself: which one serves each primitive and why, for `noisecap doctor` and tests.
// Apart from the selection so that a page, which asks for neither, does not load it.
import { PREFERENCE } from '#native'
import { PROVIDER_NAMES } from './contract.js'
import type { CryptoProvider, PrimitiveName, ProviderName } from './provider.js'
import { lackOf, type Selection } from './select.js'

/** Which provider serves a primitive, and why. */
export interface PrimitiveChoice {
  readonly primitive: PrimitiveName
  /** Undefined where the forced provider lacks the primitive. */
  readonly provider: ProviderName | undefined
  readonly reason: string
}

// Spelled out because Object.keys would put the integer-like names first, in numeric order.
const PRIMITIVE_NAMES: readonly PrimitiveName[] = [
  '25519',
  '448',
  'ChaChaPoly',
  'AESGCM',
  'SHA256',
  'SHA512',
  'BLAKE2s',
  'BLAKE2b',
  'random',
]

/** One line a primitive. */
export function reportOf(of: Selection): readonly PrimitiveChoice[] {
  return PRIMITIVE_NAMES.map((primitive) => {
    const skipped: string[] = []
    for (const name of of.order(primitive)) {
      const loaded = of.load(name)
      if ('provider' in loaded && has(loaded.provider, primitive)) {
        return { primitive, provider: name, reason: reasonOf(of, primitive, skipped) }
      }
      skipped.push(lackOf(loaded, name, primitive))
    }
    return { primitive, provider: undefined, reason: skipped.join('; ') }
  })
}

/** What else is worth knowing: a provider that could not be loaded and why, a forced choice. */
export function notesOf({ forced, load }: Selection): readonly string[] {
  const notes = forced === undefined ? [] : [`${forced.by} forces ${forced.name}`]
  for (const name of PROVIDER_NAMES) {
    const loaded = load(name)
    if ('failure' in loaded) notes.push(`${name} is not available: ${loaded.failure}`)
  }
  return notes
}

function reasonOf({ forced }: Selection, primitive: PrimitiveName, skipped: readonly string[]): string {
  if (forced !== undefined) return `forced by ${forced.by}`
  const { because } = PREFERENCE[primitive]
  return skipped.length === 0 ? `fastest: ${because}` : `fastest that is here: ${skipped.join('; ')}`
}

function has(provider: CryptoProvider, primitive: PrimitiveName): boolean {
  switch (primitive) {
    case '25519':
    case '448':
      return provider.dh(primitive) !== undefined
    case 'ChaChaPoly':
    case 'AESGCM':
      return provider.aead(primitive) !== undefined
    case 'SHA256':
    case 'SHA512':
    case 'BLAKE2s':
    case 'BLAKE2b':
      return provider.hash(primitive) !== undefined
    case 'random':
      return true
  }
}
