// What the live tests call, shared by service and page. zod compiles its checks with `new Function` unless it is told not to,
// which a strict Content-Security-Policy would refuse, with a complaint.
import { bytes, iface, method, type StreamSource, stream } from 'noisecap'
import { z } from 'zod'

z.config({ jitless: true })

const isStream = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Symbol.asyncIterator in value

export const Card = iface('Card', { title: method<void, string>() })

export const Board = iface('Board', {
  add: method(z.string().max(100), z.number()),
  count: method(z.void(), z.number(), { idempotent: true }),
  card: method(z.number(), Card),
  /** All titles, at once and after each change. */
  watch: stream(z.void(), z.array(z.string())),
  download: stream(z.number(), bytes),
  keep: method(
    z.custom<StreamSource<Uint8Array>>(isStream),
    z.object({ received: z.number(), sum: z.number() }),
  ),
  sum: method(z.custom<StreamSource<number>>(isStream), z.number()),
  whoami: method(z.void(), z.string()),
})
