// The story of a shared document: `npm run demo:rpc`. The shelf and Carol are processes of their own, this one is Ada's;
// the wire is real TCP, and the way to the shelf is made long by a proxy. Every number is measured in this run and every
// step is checked: the exit code is 1 if anything differs. The steps themselves are in chapters.ts.
import { connect } from 'noisecap'
import { Story, wantsColour } from '../notes/story.js'
import * as chapters from './chapters.js'
import { Door, Shelf } from './document.js'
import { FarLink } from './far-link.js'
import { Host } from './host.js'

const ONE_WAY_MS = 20

const story = new Story(console.log, wantsColour(process.stdout, process.env))
await tell()
console.log()
if (story.failures === 0) console.log(`OK: all ${story.checks} checks hold.`)
else console.log(`FAILED: ${story.failures} of ${story.checks} checks.`)
process.exitCode = story.failures === 0 ? 0 : 1

async function tell(): Promise<void> {
  await using shelfProcess = await Host.start('./shelf.ts')
  await using carol = await Host.start('./carol.ts')
  using link = await FarLink.to(shelfProcess.location, ONE_WAY_MS)
  const options = { resolvers: [] } // only where the capability itself says
  await using shelf = await connect(shelfProcess.at(link.location), Shelf, options)
  await using door = await connect(carol.at(carol.location), Door, options)
  const scene = { story, link, shelf, door }
  await chapters.pipelining(scene)
  await chapters.quoting(scene)
  await chapters.watching(scene)
  await chapters.streaming(scene)
  await chapters.introducing(scene)
}
