// What a relay can do to messages that the table of attackers of a mailbox does not say: their order, their absence, groups.
import { describe, expect, test } from 'vitest'
import { utf8 } from '../../src/bytes.js'
import { aliasHash, parseAlias } from '../../src/mailbox/alias.js'
import { sealToGroup } from '../../src/mailbox/envelope.js'
import { type CollectAddress, newGroupName } from '../../src/mailbox/index.js'
import { ada, mailbox, take } from '../mailbox/parties.js'
import { expiry, headerNow } from './attackers/mailbox-scene.js'

/** A relay that lies: it rules over its store. */
async function lyingRelay() {
  const all = await mailbox()
  const { store } = all
  const idOf = async ({ capability }: CollectAddress) => {
    const alias = parseAlias(capability.object!.split('/')[1]!)!
    return (await store.find(aliasHash(alias), Date.now()))!.box
  }
  const box = await idOf(all.collect)
  /** What was in the box, which is empty then. */
  const takeOut = async () => {
    const request = { consumer: new Uint8Array(8), maxMessages: 10, maxBytes: 1_000_000, leaseMs: 60_000 }
    const { messages } = await store.lease(box, request, Date.now())
    const settlements = messages.map(({ receipt }) => ({ kind: 'ack', receipt }) as const)
    await store.settle(box, settlements, Date.now())
    return messages.map(({ envelope }) => envelope)
  }
  let count = 0
  const putIn = async (envelopes: readonly Uint8Array[], into = box) => {
    const messages = envelopes.map((envelope) => {
      count += 1
      return { id: new Uint8Array(16).fill(count), envelope, expiresMs: expiry() }
    })
    expect((await store.deposit(into, 0, messages, Date.now())).accepted).toBe(envelopes.length)
  }
  return { ...all, takeOut, putIn, idOf }
}

describe('a relay', () => {
  test('reorders what different senders sent, and nothing shows it; of one sender the numbers do', async () => {
    const { outbox, takeOut, putIn, inbox } = await lyingRelay()
    const [one, two] = [outbox(), outbox()]
    await one.send('first')
    await one.flush()
    await two.send('second')
    await two.flush()
    await putIn((await takeOut()).reverse())
    const taken = await take(inbox(), 2)
    expect(taken.map(({ value, series }) => [value, series.sequence])).toEqual([
      ['second', 0],
      ['first', 0],
    ])

    await one.send('third')
    await one.send('fourth')
    await one.flush()
    await putIn((await takeOut()).reverse())
    const more = await take(inbox(), 2)
    expect(more.map(({ value, series }) => [value, series.sequence])).toEqual([
      ['fourth', 2],
      ['third', 1],
    ])
  })

  test('drops a message, and a gap shows it if a later one comes', async () => {
    const { outbox, takeOut, putIn, inbox } = await lyingRelay()
    const out = outbox()
    for (const value of ['a', 'b', 'c']) await out.send(value)
    await out.flush()
    const [a, , c] = await takeOut()
    await putIn([a!, c!])
    const taken = await take(inbox(), 2)
    expect(taken.map(({ series }) => series.sequence)).toEqual([0, 2])
  })

  test('has a message to a group taken in each box of the reader that takes the group', async () => {
    const { open, outbox, putIn, idOf, inbox, collect } = await lyingRelay()
    const group = newGroupName()
    const [copy] = sealToGroup(group, [ada.publicKey], { header: headerNow(), body: utf8('"all"') })
    const other = (await open()).collect
    for (const address of [collect, other]) {
      await putIn([copy!], await idOf(address))
      const [message] = await take(inbox({ groups: [group] }, address), 1)
      expect(message).toMatchObject({ value: 'all' })
    }
    // Where the group is not taken, it is refused, and what was sent to that box itself comes.
    const third = await open()
    const refused: unknown[] = []
    await putIn([copy!], await idOf(third.collect))
    await outbox({}, third.deposit).send('own')
    const [own] = await take(inbox({ onUnreadable: (error) => refused.push(error) }, third.collect), 1)
    expect(own).toMatchObject({ value: 'own' })
    expect(refused).toMatchObject([{ code: 'seal/altered' }])
  })
})
