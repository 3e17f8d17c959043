// The pre-shared keys of one handshake, one slot for every psk modifier of the protocol name and none beside them.
// A slot may be filled late, but no psk token is processed with an empty one, on reading and writing alike: nothing ever
// falls back to a handshake without its PSK (spec/noise-profile.md §4). Leaves out where the tokens stand (handshake-plan.ts).
import { wipe } from '../bytes.js'
import { NoisecapError } from '../errors.js'
import { PSK_BYTES } from '../limits.js'

/** PSKs by the number of their modifier, copied and wiped once used. */
export class PskSlots implements Disposable {
  readonly #numbers: readonly number[]
  readonly #psks = new Map<number, Uint8Array>()
  readonly #used = new Set<number>()

  /** @param numbers - of the modifiers, in the order of the protocol name.
   * @param psks - in the same order, copied; undefined or left out at the end where one comes later.
   * @throws `noise/bad_psk` for more PSKs than modifiers or a wrong length. */
  constructor(numbers: readonly number[], psks: readonly (Uint8Array | undefined)[] = []) {
    if (psks.length > numbers.length) {
      throw badPsk(`the protocol name asks for ${numbers.length}, got ${psks.length}`)
    }
    this.#numbers = numbers
    for (const [index, psk] of psks.entries()) if (psk !== undefined) this.set(numbers[index]!, psk)
  }

  /** Fill the slot of modifier `psk<number>`, once.
   * @throws `noise/bad_psk` when the name has no such modifier, the slot was filled before, or the length is wrong. */
  set(number: number, psk: Uint8Array): void {
    if (!this.#numbers.includes(number)) {
      const names = this.#numbers.map((known) => `psk${known}`).join(', ')
      throw badPsk(`expected one of the modifiers in the protocol name (${names === '' ? 'none' : names})`)
    }
    if (this.#psks.has(number) || this.#used.has(number)) throw badPsk(`psk${number} has been set before`)
    if (!(psk instanceof Uint8Array)) throw badPsk('expected a Uint8Array')
    if (psk.length !== PSK_BYTES) throw badPsk(`expected ${PSK_BYTES} bytes, got ${psk.length}`)
    this.#psks.set(number, Uint8Array.from(psk))
  }

  /** @throws `noise/bad_psk` unless all of `numbers` have been set. */
  require(numbers: readonly number[]): void {
    for (const number of numbers) {
      if (!this.#psks.has(number)) throw badPsk(`psk${number} is missing, this message needs it`)
    }
  }

  /** Hand the PSK of a required slot to `use` and wipe it. */
  spend(number: number, use: (psk: Uint8Array) => void): void {
    const psk = this.#psks.get(number)! // `require` came before
    this.#psks.delete(number)
    this.#used.add(number)
    use(psk)
    wipe(psk)
  }

  [Symbol.dispose](): void {
    wipe(...this.#psks.values())
    this.#psks.clear()
  }
}

function badPsk(what: string): NoisecapError<'noise/bad_psk'> {
  return new NoisecapError('noise/bad_psk', `Cannot use PSK: ${what}`)
}
