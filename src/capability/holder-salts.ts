// Salts of holder caveats as a peer shows them: in a hello and inside of a seal. Leaves out what is judged by them (judge.ts).
import type { Dcbor } from '../dcbor.js'
import { CAVEATS_MAX, HOLDER_SALT_BYTES } from '../limits.js'

/** The salts; undefined where the item has another shape. */
export function readHolderSalts(item: Dcbor | undefined): readonly Uint8Array[] | undefined {
  if (!Array.isArray(item) || item.length > CAVEATS_MAX) return undefined
  const salts: Uint8Array[] = []
  for (const salt of item as readonly Dcbor[]) {
    if (!(salt instanceof Uint8Array) || salt.length !== HOLDER_SALT_BYTES) return undefined
    salts.push(salt)
  }
  return salts
}
