// What whoever steals a relay's files, or listens on its wire, can look for and does not find: plaintext, keys of senders and readers,
// names of boxes. Messages of all kinds go through a real relay over TCP, and all files and all bytes are searched.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { keyHash } from '../../src/capability/index.js'
import { Capability, generateKeyPair, Service } from '../../src/index.js'
import { aliasHash, parseAlias } from '../../src/mailbox/alias.js'
import { Relay } from '../../src/mailbox/index.js'
import { Inbox, Outbox, RelayClient } from '../../src/mailbox/lmdb.js'
import { REAL_STORES } from './real-stores.js'
import { TappedWire } from './tapped-wire.js'

const CANARY = 'a canary that nobody but its reader may see'

/** In the forms in which a program could have written it. */
function formsOf(secret: Uint8Array): readonly Buffer[] {
  const bytes = Buffer.from(secret)
  return [
    bytes,
    ...(['hex', 'base64', 'base64url'] as const).map((form) =>
      Buffer.from(bytes.toString(form).replace(/=+$/, '')),
    ),
  ]
}

function filesIn(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .map((name) => join(directory, name))
    .filter((path) => statSync(path).isFile())
}

describe.each(REAL_STORES)('boxes in $name', ({ found, start }) => {
  test.skipIf(!found)(
    'no plaintext, no key and no name of a box is in the files of a relay or on its wire',
    async () => {
      const directory = mkdtempSync(join(tmpdir(), 'noisecap-search-'))
      const [ada, bob] = [generateKeyPair(), generateKeyPair()]
      const place = await start(directory)
      try {
        const secrets: Uint8Array[] = [
          Buffer.from(CANARY),
          ada.publicKey,
          bob.publicKey,
          keyHash(ada.publicKey),
          keyHash(bob.publicKey),
        ]
        const hashes: Uint8Array[] = []
        let wire: Buffer
        {
          await using store = await place.open()
          await using service = Service.create(undefined, { announcers: [] })
          await using relay = new Relay(service, store)
          const at = await service.listen('tcp://127.0.0.1:0')
          using tap = await TappedWire.start(Number(new URL(at.replace('tcp:', 'http:')).port))
          const opener = relay.boxes.mint({}, { at: [`tcp://127.0.0.1:${tap.port}`] })
          await using client = new RelayClient(Capability.parse(opener.export()))
          secrets.push(opener.publicKey, Buffer.from(service.keyHash))
          const { deposit, collect } = await client.openBox({ to: ada.publicKey })
          secrets.push(deposit.box)
          // The name of an object is in its capability, which the wire and the files must not show either.
          for (const { capability } of [deposit, collect]) {
            const name = capability.object!.split('/')[1]!
            const alias = parseAlias(name)!
            secrets.push(Buffer.from(name), alias)
            hashes.push(aliasHash(alias))
          }
          await using out = new Outbox<unknown>(join(directory, 'out'), deposit, {
            as: { pattern: 'X', key: bob },
          })
          await out.send({ text: CANARY }, { headers: { note: CANARY } })
          await out.send(Buffer.from(CANARY.repeat(40_000)), { contentType: 'text/plain' })
          await out.flush()
          const got: unknown[] = []
          await using inbox = new Inbox(collect, ada, undefined, {
            seen: join(directory, 'seen'),
            accept: [{ pattern: 'X', writers: [bob.publicKey] }],
          })
          for await (const message of inbox) {
            got.push(message)
            if (got.length === 1) await message.nack({ delayMs: 3_600_000 })
            else break
          }
          wire = tap.bytes
        }
        const kept = filesIn(place.files)
          .map((path) => readFileSync(path))
          .filter((bytes) => bytes.length > 0)
        // The body at least has passed, and lies there.
        expect(wire.length).toBeGreaterThan(CANARY.length * 40_000)
        expect(kept.reduce((sum, bytes) => sum + bytes.length, 0)).toBeGreaterThan(CANARY.length * 40_000)
        // What may be there is found: of names, the hashes.
        for (const hash of hashes)
          expect(formsOf(hash).some((form) => kept.some((bytes) => bytes.includes(form)))).toBe(true)
        for (const [n, secret] of secrets.entries()) {
          for (const form of formsOf(secret)) {
            expect({ n, onTheWire: wire.includes(form) }).toEqual({ n, onTheWire: false })
            expect({ n, inFiles: kept.some((bytes) => bytes.includes(form)) }).toEqual({ n, inFiles: false })
          }
        }
      } finally {
        await place.stop()
        rmSync(directory, { recursive: true, force: true })
      }
    },
    60_000,
  )
})
