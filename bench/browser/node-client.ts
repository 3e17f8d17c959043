// Node's client of bench/browser.ts: run with NOISECAP_CRYPTO=noble, it has the cryptography of a page. Told by its parent how
// many calls to keep open and for how long, it answers with the calls a second.
import { connect } from 'noisecap'
import { Echo, rateOf } from './echo.js'

const echo = await connect(process.argv[2] ?? '', Echo, { resolvers: [] })
process.on('message', (asked: { readonly outstanding: number; readonly ms: number }) => {
  void rateOf(echo, asked.outstanding, asked.ms).then((rate) => process.send?.(rate))
})
process.send?.(0)
