// A client as a user writes it, with the built package: import, connect, one call, its answer to the standard output.
import { connect, iface, method } from 'noisecap'

const [, , capability, payload] = process.argv
const Echo = iface('Echo', { plain: method() })
const echo = await connect(capability, Echo, { resolvers: [] })
console.log(JSON.stringify(await echo.plain(JSON.parse(payload))))
