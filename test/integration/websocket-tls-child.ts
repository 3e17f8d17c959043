// Client process of the wss: tests: connects with the capability of its first argument, and prints what came of its calls.
import { connect } from '../../src/index.js'
import { Notes } from './notes.js'

await using ada = await connect(process.argv[2] ?? '', Notes, { resolvers: [] })
const [whoami, echoed] = await Promise.all([ada.whoami(), ada.echo('x'.repeat(300_000))])
process.stdout.write(JSON.stringify({ whoami, echoed: (echoed as string).length })) // an echo
