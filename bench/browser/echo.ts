// The interface of the calls that bench/browser.ts times, for the service, the page and Node's client; and their timing.
import { iface, method } from 'noisecap'

export const Echo = iface('Echo', { echo: method<number, number>() })

/** Answered calls a second of `outstanding` loops, for `ms`. Each answer is looked at. */
export async function rateOf(
  echo: { echo(value: number): PromiseLike<number> },
  outstanding: number,
  ms: number,
): Promise<number> {
  const start = performance.now()
  let calls = 0
  const loop = async (): Promise<void> => {
    while (performance.now() - start < ms) {
      const sent = calls
      calls += 1
      if ((await echo.echo(sent)) !== sent) throw new Error('The answer is wrong')
    }
  }
  await Promise.all(Array.from({ length: outstanding }, loop))
  return calls / ((performance.now() - start) / 1_000)
}
