// The pre-shared keys of one handshake, one slot for every psk modifier of the protocol name and none beside them.
// A slot may be filled late, but no psk token is processed with an empty one, on reading and writing alike: nothing ever
// falls back to a handshake without its PSK (spec/noise-profile.md §4). Leaves out where the tokens stand (handshake-plan.ts).
import { wipe } from '../bytes.js'
import { NoisecapError } from '../errors.js'
import { PSK_BYTES } from '../limits.js'

/** PSKs by the number of their modifier, copied and wiped once used. */
export class PskSlots implements Disposable {
  readonly #numbers: readonly number[]
  /** By the position of the modifier in the name; `spent` once used. */
  readonly #slots: (Uint8Array | 'spent' | undefined)[] = []

  /** @param numbers - of the modifiers, in the order of the protocol name.
   * @param psks - in the same order, copied; undefined or left out at the end where one comes later.
   * @throws `noise/bad_psk` for more PSKs than modifiers or a wrong length. */
  constructor(numbers: readonly number[], psks: readonly (Uint8Array | undefined)[] = []) {
    if (psks.length > numbers.length) {
      throw badPsk(`the protocol name asks for ${numbers.length}, got ${psks.length}`)
    }
    this.#numbers = numbers
    for (let index = 0; index < psks.length; index++) {
      const psk = psks[index]
      if (psk !== undefined) this.set(numbers[index]!, psk)
    }
  }

  /** Fill the slot of modifier `psk<number>`, once.
   * @throws `noise/bad_psk` when the name has no such modifier, the slot was filled before, or the length is wrong. */
  set(number: number, psk: Uint8Array): void {
    const index = this.#numbers.indexOf(number)
    if (index < 0) {
      const names = this.#numbers.map((known) => `psk${known}`).join(', ')
      throw badPsk(`expected one of the modifiers in the protocol name (${names === '' ? 'none' : names})`)
    }
    if (this.#slots[index] !== undefined) throw badPsk(`psk${number} has been set before`)
    if (!(psk instanceof Uint8Array)) throw badPsk('expected a Uint8Array')
    if (psk.length !== PSK_BYTES) throw badPsk(`expected ${PSK_BYTES} bytes, got ${psk.length}`)
    this.#slots[index] = new Uint8Array(psk)
  }

  /** @throws `noise/bad_psk` unless all of `numbers` have been set. */
  require(numbers: readonly number[]): void {
    for (const number of numbers) {
      if (!(this.#slots[this.#numbers.indexOf(number)] instanceof Uint8Array)) {
        throw badPsk(`psk${number} is missing, this message needs it`)
      }
    }
  }

  /** Hand the PSK of a required slot to `use` and wipe it. */
  spend(number: number, use: (psk: Uint8Array) => void): void {
    const index = this.#numbers.indexOf(number)
    const psk = this.#slots[index] as Uint8Array // `require` came before
    this.#slots[index] = 'spent'
    use(psk)
    wipe(psk)
  }

  [Symbol.dispose](): void {
    for (let index = 0; index < this.#slots.length; index++) {
      const psk = this.#slots[index]
      if (psk instanceof Uint8Array) wipe(psk)
    }
    this.#slots.length = 0
  }
}

function badPsk(what: string): NoisecapError<'noise/bad_psk'> {
  return new NoisecapError('noise/bad_psk', `Cannot use PSK: ${what}`)
}
