// `npm run demo:mailbox`: ana writes to bob, and the two are never online together. In between the relay, a process of its own,
// is killed with SIGKILL and started again. Every step is checked: the exit code is 1 unless everything came, once and in order.
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Capability, generateKeyPair } from 'noisecap'
import { Inbox, Outbox, RelayClient } from 'noisecap/mailbox/lmdb'
import { RelayProcess } from './relay-process.js'

const MESSAGES = 20
const directory = await mkdtemp(join(tmpdir(), 'noisecap-mailbox-'))
let failures = 0
const check = (holds: boolean, what: string) => {
  console.log(`${holds ? '  ok' : 'FAIL'}  ${what}`)
  if (!holds) failures += 1
}

try {
  await using relay = await new RelayProcess(join(directory, 'relay')).start()
  const bob = generateKeyPair()
  await using client = new RelayClient(Capability.parse(relay.opener))
  const { deposit, collect } = await client.openBox({ to: bob.publicKey })
  console.log('bob has a box, and gave its deposit address to ana; then he went offline')

  const sent: string[] = []
  const write = async (from: number, to: number) => {
    await using out = new Outbox<{ text: string }>(join(directory, 'ana'), deposit)
    for (let i = from; i < to; i++) {
      await out.send({ text: `canary number ${i}` })
      sent.push(`canary number ${i}`)
    }
    return out.waiting
  }
  await write(0, MESSAGES / 2)
  await relay.kill()
  console.log('ana wrote ten messages; the relay was killed with SIGKILL while they went out')
  const waiting = await write(MESSAGES / 2, MESSAGES)
  check(waiting >= MESSAGES / 2, `ana wrote ten more with no relay there: ${waiting} wait on her disk`)
  await relay.start()
  {
    await using out = new Outbox(join(directory, 'ana'), deposit)
    await out.flush()
    check(out.waiting === 0, 'the relay is back, and everything went out; ana goes offline')
  }
  await relay.kill()
  await relay.start()
  console.log('the relay was killed and started once more')

  check(await nowhere(join(directory, 'relay'), 'canary'), 'no plaintext in the files of the relay')
  check(await nowhere(join(directory, 'relay'), Buffer.from(bob.publicKey)), "nor bob's public key")

  const got: string[] = []
  for (const count of [MESSAGES / 2, MESSAGES / 2]) {
    await using inbox = new Inbox<{ text: string }>(collect, bob, undefined, { seen: join(directory, 'bob') })
    let left = count
    for await (const message of inbox) {
      got.push(message.value.text)
      await message.ack()
      left -= 1
      if (left === 0) break
    }
    await relay.kill()
    await relay.start()
  }
  check(got.length === MESSAGES, `bob got ${got.length} messages, with another SIGKILL in between`)
  check(JSON.stringify(got) === JSON.stringify(sent), 'nothing lost, nothing twice, in order')
} finally {
  await rm(directory, { recursive: true, force: true })
}
console.log(failures === 0 ? 'All checks hold.' : `${failures} checks failed.`)
process.exit(failures === 0 ? 0 : 1)

/** Whether no file below `folder` holds `needle`. */
async function nowhere(folder: string, needle: string | Buffer): Promise<boolean> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  for (const entry of entries) {
    if (entry.isFile() && (await readFile(join(entry.parentPath ?? entry.path, entry.name))).includes(needle))
      return false
  }
  return true
}
