// `npm run demo:web`: prints the link of a notebook and serves it until Ctrl-C. Key and notes lie in a folder, so that open
// pages go on after a restart.
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startWebDemo } from './server.js'

const folder = process.env['NOISECAP_DEMO'] ?? join(tmpdir(), 'noisecap-web-demo')
const port = Number(process.env['PORT'] ?? 7080)
const demo = await startWebDemo(folder, port, (line) => console.log(line))
console.log(
  `Open this link; who has it may write:\n\n  ${demo.link}\n\nCtrl-C stops the service; open pages find it again when it is back.`,
)
process.once('SIGINT', () => void demo[Symbol.asyncDispose]().then(() => process.exit(0)))
