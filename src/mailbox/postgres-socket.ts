// A socket to Postgres that sends at once what one turn writes: `pg` writes each statement by itself, and each would be a call of the
// system here, a packet, and one more call there. Leaves out what is written (postgres-transaction.ts).
import { Socket } from 'node:net'

/** From the first statement that corks it (those with values do) until the turn is over, it keeps what is written. */
export class GatheringSocket extends Socket {
  #gathers = false

  override cork(): void {
    super.cork()
    if (this.#gathers) return
    this.#gathers = true
    super.cork()
    process.nextTick(() => {
      this.#gathers = false
      this.uncork()
    })
  }
}
