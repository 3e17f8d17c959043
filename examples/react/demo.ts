// `npm run demo:react`: prints the link of a poll and serves it until Ctrl-C.
import { startReactDemo } from './server.js'

const demo = await startReactDemo(Number(process.env['PORT'] ?? 7081))
console.log(
  `Open this link in two windows; who has it may vote:\n\n  ${demo.link}\n\nCtrl-C stops the service.`,
)
process.once('SIGINT', () => void demo[Symbol.asyncDispose]().then(() => process.exit(0)))
