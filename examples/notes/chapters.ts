// The chapters of the demo, in the order in which demo.ts tells them. Leaves out the processes (processes.ts), the
// eavesdropper (wiretap.ts) and the telling (story.ts).
import { once } from 'node:events'
import { readdir, readFile, stat } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Capability, type PublicKey, type Stub } from 'noisecap'
import { openKeyPair } from 'noisecap/capability/files'
import type { ClientAnswer } from './client.js'
import { type AdminCalls, type Note, Notes, type NotesCapability } from './notes.js'
import type { Person } from './processes.js'
import type { Story } from './story.js'
import { type Frame, Wiretap } from './wiretap.js'

/** How long strangers wait for an answer, ms. */
export const SILENCE_MS = 2_000
const NOTE = 'Buy milk before the museum closes'

/** What every chapter needs. */
export interface Scene {
  readonly story: Story
  /** The service's directory. */
  readonly data: string
  /** The directory of all else. */
  readonly directory: string
  readonly admin: Stub<AdminCalls>
  /** Where the service listens. */
  readonly location: string
}

type People<Name extends string> = Readonly<Record<Name, Person>>

export async function mint({ story, data, admin }: Scene): Promise<NotesCapability> {
  story.chapter('The service mints a capability for Ada')
  const text = await admin.mint({ owner: 'ada' })
  const ada = Capability.parse(text).withInterface(Notes)
  story.tell('No account, no login: whoever holds this may use notes/ada.')
  story.tell(`${ada}`)
  story.measured(`${text.length} characters of text, with the secret that is shown as [redacted]`)
  const secret = text.slice(text.indexOf('#') + 1)
  story.check(!`${ada} ${JSON.stringify(ada)}`.includes(secret), 'printing it does not give the secret away')
  const { mode } = await stat(join(data, 'service.key'))
  story.check((mode & 0o777) === 0o600, "the service's key file has mode 0600")
  return ada
}

export async function findAndCall(scene: Scene, ada: Person, forAda: NotesCapability): Promise<void> {
  const { story, data, directory } = scene
  story.chapter('Ada finds the service by the hash of its key, and writes a note')
  story.check(forAda.locations.length === 0, 'her capability says who the service is, not where')
  story.check(valueIn(await ada.connect(forAda)) === 'connected', 'her process connects')
  story.check(valueIn(await ada.do(`add ${NOTE}`)) === 1, 'add answers 1: the first note')
  const records = join(directory, 'registry', forAda.keyHash)
  const [name = ''] = await readdir(records)
  const record = await readFile(join(records, name))
  story.measured(`the file registry holds ${record.length} bytes about the service`)
  story.check(!record.includes('127.0.0.1'), 'they are sealed: they do not show where it listens')
  const file = await readFile(join(data, 'ada.jsonl'), 'utf8')
  story.check(file.includes(NOTE), 'the note is on the disk of the service')
}

export async function listenIn(scene: Scene, ada: Person, forAda: NotesCapability): Promise<void> {
  const { story, location } = scene
  story.chapter('Somebody listens in while Ada connects, reads it and closes')
  using tap = await Wiretap.before(location)
  await ada.connect(forAda.withLocations([tap.location]))
  story.check(textsIn(await ada.do('list')).join() === NOTE, 'list answers her note')
  await ada.do('close')
  for (const { from, bytes } of tap.frames) story.measured(`${ARROWS[from]}  ${bytes} bytes`)
  const [sent, received] = [tap.bytes('client'), tap.bytes('service')]
  story.tell('(The first two are the handshake, the others are records. Sizes include the length prefix.)')
  story.measured(`${sent} bytes to the service, ${received} back, ${tap.roundTrips} round trips`)
  const words = [NOTE, 'notes/ada', 'list', forAda.keyHash]
  story.check(tap.frames.length > 2 && !words.some((word) => tap.saw(word)), 'no word of it is in clear')
  await ada.connect(forAda)
  const times = await ada.do('time')
  if (!('callMicroseconds' in times)) throw new Error('Expected times')
  story.measured(`to find, connect and shake hands: ${times.connectMicroseconds} µs, median of 50`)
  story.measured(`one call and its answer: ${times.callMicroseconds} µs, median of 1,000`)
}

export async function narrow(
  { story }: Scene,
  { ada, bob }: People<'ada' | 'bob'>,
  forAda: NotesCapability,
): Promise<Capability> {
  story.chapter('Ada gives Bob less than she has: read only, for one hour')
  const began = performance.now()
  const forBob = forAda.attenuate({ methods: ['list'], expiresIn: '1h' })
  const microseconds = Math.round((performance.now() - began) * 1_000)
  story.measured(`narrowed in ${microseconds} µs (the first time), with neither the service nor the network`)
  await bob.connect(forBob)
  story.check(textsIn(await bob.do('list')).join() === NOTE, 'Bob reads the note')
  const refused = await bob.do('add by Bob')
  checkRefused(story, refused, 'rpc/permission_denied', 'Bob writes one, and is refused')
  story.check(textsIn(await ada.do('list')).length === 1, 'nothing was written')
  return forBob
}

export async function bind(
  { story, location }: Scene,
  { ada, carol, mallory }: People<'ada' | 'carol' | 'mallory'>,
  { forAda, carolKey }: { readonly forAda: NotesCapability; readonly carolKey: string },
): Promise<void> {
  story.chapter("Ada binds a capability to Carol's key, and Mallory gets hold of it")
  using key = await openKeyPair(carolKey)
  const forCarol = forAda.attenuate({ holder: key.publicKey })
  await carol.connect(forCarol)
  story.check(textsIn(await carol.do('list')).length === 1, 'with her key Carol reads the note')
  await mallory.connect(forCarol)
  const wrong = await mallory.do('watch')
  checkRefused(story, wrong, 'session/denied', 'with a key of his own Mallory is refused by the service')
  using tap = await Wiretap.before(location)
  const none = await ada.connect(forCarol.withLocations([tap.location]))
  checkRefused(story, none, 'session/denied', 'with no key even Ada is refused, by her own library')
  story.check(tap.bytes('client') === 0, 'in that case before a byte was sent')
}

export async function expire({ story }: Scene, ada: Person, forAda: NotesCapability): Promise<void> {
  story.chapter('A capability runs out')
  const expired = forAda.attenuate({ expiresAt: new Date(Date.now() - 120_000) })
  const refused = await ada.connect(expired)
  checkRefused(story, refused, 'session/expired', 'one that ended two minutes ago is refused, and says why')
}

/** What became of two strangers. */
export interface Strangers {
  readonly withoutKey: { readonly sent: number; readonly received: number }
  readonly withKey: { readonly sent: number; readonly received: number; readonly outcome: ClientAnswer }
}

/** One stranger knows where the service listens; the other has its public key, too, but no capability. */
export async function meetStrangers(
  location: string,
  publicKey: PublicKey,
  stranger: Person,
): Promise<Strangers> {
  using tap = await Wiretap.before(location)
  const guess = crypto.getRandomValues(new Uint8Array(32))
  const guessed = Capability.fromPair(publicKey, guess, { locations: [tap.location] })
  const [withoutKey, outcome] = await Promise.all([knock(location), stranger.connect(guessed)])
  return { withoutKey, withKey: { sent: tap.bytes('client'), received: tap.bytes('service'), outcome } }
}

/** Send bytes that look like a hello, and count what comes back. */
async function knock(location: string): Promise<Strangers['withoutKey']> {
  const { hostname, port } = new URL(location)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => {}).resume()
  await once(socket, 'connect')
  // A hello begins with its length, version 1, the pattern NK and the suite; the rest is random.
  const random = crypto.getRandomValues(new Uint8Array(509))
  socket.write(Buffer.concat([Buffer.from([0x02, 0x00, 1, 1, 1]), random]))
  await delay(SILENCE_MS)
  const { bytesWritten: sent, bytesRead: received } = socket
  socket.destroy()
  return { sent, received }
}

export function tellOfStrangers({ story }: Scene, { withoutKey, withKey }: Strangers): void {
  story.chapter(`Two strangers have been waiting for an answer, for ${SILENCE_MS / 1_000} seconds each`)
  story.measured(`without the public key: ${withoutKey.sent} bytes sent, ${withoutKey.received} received`)
  story.check(withoutKey.sent > 0 && withoutKey.received === 0, 'the first meets silence')
  story.measured(`with the public key: ${withKey.sent} bytes sent, ${withKey.received} received`)
  story.check(withKey.sent > 0 && withKey.received === 0, 'so does the second, whose hello is well-formed')
  checkRefused(story, withKey.outcome, 'session/no_answer', 'all that his library can say')
}

export async function revoke(
  { story, admin }: Scene,
  { ada, bob }: People<'ada' | 'bob'>,
  { forAda, forBob }: { readonly forAda: NotesCapability; readonly forBob: Capability },
): Promise<void> {
  story.chapter('Bob is connected when the service revokes what he has')
  story.check(textsIn(await bob.do('list')).length === 1, 'he reads the note once more')
  const watching = bob.do('watch')
  const began = performance.now()
  const [last] = await Promise.all([watching, admin.revoke({ id: forBob.ids().at(-1) ?? '' })])
  story.measured(`${(performance.now() - began).toFixed(1)} ms from the order to the report of Bob's process`)
  checkRefused(story, last, 'session/revoked', 'his connection ends, and he is told why')
  checkRefused(story, await bob.connect(forBob), 'session/revoked', 'he connects again, and is refused')
  await ada.connect(forAda)
  story.check(textsIn(await ada.do('list')).length === 1, 'Ada, from whom he had it, is not affected')
}

const ARROWS: Readonly<Record<Frame['from'], string>> = { client: '->', service: '<-' }

function checkRefused(story: Story, answer: ClientAnswer, code: string, line: string): void {
  const got = 'refused' in answer ? answer.refused : 'not refused'
  story.check(got === code, `${line} (${got})`)
}

function valueIn(answer: ClientAnswer): unknown {
  return 'value' in answer ? answer.value : undefined
}

function textsIn(answer: ClientAnswer): string[] {
  const value = valueIn(answer)
  return Array.isArray(value) ? (value as Note[]).map(({ text }) => text) : []
}
