// A relay as a process: `tsx examples/mailbox/relay.ts DIRECTORY LOCATION`. Prints where it listens and, on the next line, a
// capability for opening boxes. Its key and its boxes lie in the directory, or the boxes where NOISECAP_RELAY_STORE says
// (relay-store.ts), so it can be killed and started again.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Service } from 'noisecap'
import { Relay } from 'noisecap/mailbox'
import { openStore } from './relay-store.js'

const [directory = './relay', location = 'tcp://127.0.0.1:0'] = process.argv.slice(2)
mkdirSync(directory, { recursive: true, mode: 0o700 })
const service = await Service.open(join(directory, 'relay.key'), { announcers: [] })
const store = await openStore(directory, process.env['NOISECAP_RELAY_STORE'])
const relay = new Relay(service, store)
const at = await service.listen(location)
console.log(at)
console.log(relay.boxes.mint({}, { at: [at] }).export())
