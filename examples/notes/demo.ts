// The story of one notes service: `npm run demo`. The service and every client are processes of their own, the wire is
// real TCP, all files lie in a temporary directory. Every number is measured in this run, and every step is checked:
// the exit code is 1 if anything differs from what is expected. The steps themselves are in chapters.ts.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Capability, connect } from 'noisecap'
import * as chapters from './chapters.js'
import { Admin } from './notes.js'
import { Person, ServiceProcess } from './processes.js'
import { Story, wantsColour } from './story.js'

const directory = await mkdtemp(join(tmpdir(), 'noisecap-demo-'))
process.env['NOISECAP_REGISTRY'] = join(directory, 'registry')
const story = new Story(console.log, wantsColour(process.stdout, process.env))
try {
  await tell()
} finally {
  await rm(directory, { recursive: true, force: true })
}
console.log()
if (story.failures === 0) console.log(`All ${story.checks} checks hold.`)
else console.log(`${story.failures} of ${story.checks} checks failed.`)
process.exitCode = story.failures === 0 ? 0 : 1

async function tell(): Promise<void> {
  const data = join(directory, 'service')
  const carolKey = join(directory, 'carol.key')
  await using service = new ServiceProcess(data)
  await using ada = new Person()
  await using bob = new Person()
  await using carol = new Person(['--key', carolKey])
  await using mallory = new Person(['--key', join(directory, 'mallory.key')])
  await using stranger = new Person(['--direct', '--timeout', String(chapters.SILENCE_MS)])

  const location = await service.listening()
  const adminText = await readFile(join(data, 'admin.capability'), 'utf8')
  // The strangers wait for an answer while the story goes on.
  const silence = chapters.meetStrangers(location, Capability.parse(adminText).publicKey, stranger)
  silence.catch(() => {}) // told where it is awaited, unless another step failed first
  await using admin = await connect(adminText, Admin)
  const scene = { story, data, directory, admin, location }
  const forAda = await chapters.mint(scene)
  await chapters.findAndCall(scene, ada, forAda)
  await chapters.listenIn(scene, ada, forAda)
  const forBob = await chapters.narrow(scene, { ada, bob }, forAda)
  await chapters.bind(scene, { ada, carol, mallory }, { forAda, carolKey })
  await chapters.expire(scene, ada, forAda)
  chapters.tellOfStrangers(scene, await silence)
  await chapters.revoke(scene, { ada, bob }, { forAda, forBob })
}
