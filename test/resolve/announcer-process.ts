// A process of its own that announces one location in a file registry, for file.test.ts. Arguments: directory, public key
// in hexadecimal, location, what to do: `hold` until stdin ends, `end` at once, or `churn` a number of times.
import { once } from 'node:events'
import { hexDecode } from '../../src/bytes.js'
import { asPublicKey } from '../../src/crypto/index.js'
import { FileRegistry } from '../../src/resolve/file.js'

const [directory = '', key = '', uri = '', task = '', times = '0'] = process.argv.slice(2)
const registry = new FileRegistry({ directory })
const publicKey = asPublicKey(hexDecode(key))
const announce = () => registry.announce(publicKey, [{ uri, priority: 0, weight: 0 }])

if (task === 'churn') {
  for (let i = 0; i < Number(times); i++) await (await announce()).withdraw()
} else {
  const announcement = await announce()
  console.log('announced')
  if (task === 'hold') {
    process.stdin.resume()
    await once(process.stdin, 'end')
    await announcement.withdraw()
  }
}
