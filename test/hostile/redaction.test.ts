// A canary secret through every object, error, log line and copy: never seen. The search itself is tested first.
import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { base32Encode, base64urlEncode } from '../../src/bytes.js'
import {
  createKeyPair,
  createServiceKey,
  RevocationFile,
  readKeyPair,
  readServiceKey,
} from '../../src/capability/files.js'
import {
  durationSeconds,
  keyHash,
  mint,
  Registration,
  RootSecrets,
  type UseKeys,
  verify,
} from '../../src/capability/index.js'
import { decodeToken } from '../../src/capability/token.js'
import { asSecretKey, primitives } from '../../src/crypto/index.js'
import {
  Capability,
  connect,
  type InternalError,
  iface,
  KeyPair,
  method,
  Registrations,
  Service,
  ServiceKey,
} from '../../src/index.js'
import { CipherState, HandshakeState, parseProtocolName } from '../../src/noise/index.js'
import { SymmetricState } from '../../src/noise/symmetric-state.js'
import { FileRegistry } from '../../src/resolve/file.js'
import { parseLocation } from '../../src/resolve/index.js'
import { clientOf, openSessions } from '../session/parties.js'
import { Canaries } from './canary.js'
import { SHOWS, walk } from './shows.js'

const canary = (name: string) => new Uint8Array(createHash('sha256').update(`canary ${name}`).digest())
const EVERYTHING = { showHidden: true, depth: Number.POSITIVE_INFINITY, getters: true }
const PASSPHRASE = 'correct horse battery canary'
const PROTOCOL = 'Noise_IKpsk2_25519_ChaChaPoly_BLAKE2b'

const secrets = {
  secretKey: canary('secret key'),
  clientKey: canary('client key'),
  ephemeral: canary('ephemeral'),
  root: canary('root'),
  pair: canary('pair'),
  psk: canary('psk'),
  cipherKey: canary('cipher key'),
}
const pairOf = (secret: Uint8Array) =>
  KeyPair.fromSecretKey(primitives().dh('25519'), asSecretKey(secret.slice()))
const serviceKey = new ServiceKey(pairOf(secrets.secretKey), RootSecrets.from([[1, secrets.root]]))
const clientKey = pairOf(secrets.clientKey)
const registrations = new Registrations()
registrations.register(secrets.pair, { object: 'notes/pair' })
const Notes = iface('Notes', { list: method<void, string>(), crash: method<void, void>() })
const minted = mint(
  serviceKey,
  { object: 'notes/ada' },
  { methods: ['list'], holder: clientKey.publicKey },
).withInterface(Notes)
const open = mint(serviceKey, { object: 'notes/ada' }).withInterface(Notes)
const fromPair = Capability.fromPair(serviceKey.publicKey, secrets.pair)
const fragmentOf = (text: string) => text.slice(text.indexOf('#') + 1)
const tokenOf = (capability: Capability<unknown>) => Buffer.from(fragmentOf(capability.export()), 'base64url')
const chainKeyOf = (capability: Capability<unknown>) => decodeToken(tokenOf(capability)).secret.key
const pskOf = (capability: Capability<unknown>) => capability.keys().psk(PROTOCOL)

const canaries = new Canaries({
  ...secrets,
  passphrase: PASSPHRASE,
  mintedKey: chainKeyOf(minted),
  openKey: chainKeyOf(open),
  finalKey: chainKeyOf(minted.finalize()),
  mintedPsk: pskOf(minted),
  openPsk: pskOf(open),
  mintedText: fragmentOf(minted.export()),
  openText: fragmentOf(open.export()),
})
const expectUnseen = (shown: string) => expect(canaries.seenIn(shown)).toEqual([])

describe('the search finds a secret', () => {
  const { root } = secrets
  const surrounded = (before: number) => Buffer.concat([Buffer.alloc(before, 7), root, Buffer.alloc(9, 8)])
  const offsets = [0, 1, 2, 3, 4, 35]
  test.each([
    ['raw', Buffer.from(root).toString('latin1')],
    ['as UTF-8', Buffer.from(root).toString('utf8')],
    ['in hexadecimal', Buffer.from(root).toString('hex')],
    ['in upper-case hexadecimal', Buffer.from(root).toString('hex').toUpperCase()],
    ['as an inspected Buffer', inspect(Buffer.from(root))],
    ['as an inspected Uint8Array', inspect(root)],
    ['as JSON of a Uint8Array', JSON.stringify(root)],
    ['as JSON of a Buffer', JSON.stringify(Buffer.from(root))],
    ['as indented JSON', JSON.stringify({ deep: [root] }, undefined, 2)],
    ['as String() of a Uint8Array', String(root)],
    ['as entries', JSON.stringify(Object.entries(root))],
    ['within a walk', walk({ deep: new Map([['a', { root }]]) })],
    ...offsets.flatMap((n): [string, string][] => [
      [`in base64 after ${n} bytes`, surrounded(n).toString('base64')],
      [`in base64url after ${n} bytes`, base64urlEncode(surrounded(n))],
      [`in base32 after ${n} bytes`, base32Encode(surrounded(n))],
    ]),
    [
      'in text, broken over lines',
      surrounded(5)
        .toString('hex')
        .replaceAll(/(.{20})/g, '$1\n  '),
    ],
  ])('%s', (_, shown) => {
    expect(canaries.seenIn(`before ${shown} after`)).not.toEqual([])
  })

  test('that is a text', () => {
    expect(canaries.seenIn(`failed with ${PASSPHRASE}`)).toEqual(['passphrase'])
    expect(canaries.seenIn(open.export())).toContain('openText')
  })

  test.each(Object.keys(SHOWS))('in an object that hides nothing, by %s', (name) => {
    const naked = { bytes: secrets.root, text: Buffer.from(secrets.root).toString('hex') }
    const shown = SHOWS[name]!(naked)
    const showsNothing = ['String()', 'a template', 'toLocaleString', 'inspect of a prototype']
    if (showsNothing.includes(name)) return
    expect(canaries.seenIn(shown)).not.toEqual([])
  })
})

function handshakes(): Record<string, object> {
  const initiator = new HandshakeState({
    protocol: PROTOCOL,
    role: 'initiator',
    s: clientKey,
    rs: serviceKey.publicKey,
    psks: [secrets.psk],
    unsafeEphemeral: pairOf(secrets.ephemeral),
  })
  const responder = new HandshakeState({
    protocol: PROTOCOL,
    role: 'responder',
    s: serviceKey.keyPair,
    psks: [secrets.psk],
  })
  const message = initiator.writeMessage(Uint8Array.of(1))
  responder.readMessage(message)
  const done = { initiator, responder }
  initiator.readMessage(responder.writeMessage())
  return { ...done, ...responder.split() }
}

const aead = primitives().aead('ChaChaPoly')
const symmetric = new SymmetricState(new Uint8Array(64), aead, primitives().hash('BLAKE2b'))
symmetric.mixKey(secrets.psk)
const verified = verify(minted.locator, serviceKey.authority(registrations))
const sessions = openSessions('IK')

/** Every object of the entry points that holds or may reach a secret, and those behind them. */
const objects: Record<string, object> = {
  KeyPair: clientKey,
  ServiceKey: serviceKey,
  RootSecrets: serviceKey.roots,
  Registration: new Registration(secrets.pair, { object: 'notes/pair' }),
  Registrations: registrations,
  Capability: minted,
  'Capability with interface, label and locations': open
    .withLabel('mine')
    .withLocations(['tcp://127.0.0.1:1']),
  'Capability, final': minted.finalize(),
  'Capability of a pair': fromPair,
  'Capability, parsed': Capability.parse(minted.export()),
  UseKeys: minted.keys(),
  'UseKeys of a pair': fromPair.keys(),
  Verified: verified,
  Authority: serviceKey.authority(registrations),
  ...handshakes(),
  CipherState: new CipherState(aead, secrets.cipherKey),
  AeadKey: aead.withKey(secrets.cipherKey),
  SymmetricState: symmetric,
  'Session of the client': sessions.client,
  'Session of the service': sessions.service,
  ClientHandshake: clientOf(open, clientKey),
  Interface: Notes,
}

describe.each(Object.entries(objects))('%s', (_, object) => {
  test.each(Object.entries(SHOWS))('shows no secret by %s', (_name, show) => {
    expectUnseen(show(object))
  })
})

let directory: string
let keyFileText: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'noisecap-redaction-'))
  await createServiceKey(join(directory, 'plain.key'), { key: serviceKey })
  await createServiceKey(join(directory, 'sealed.key'), { key: serviceKey, passphrase: PASSPHRASE })
  await createKeyPair(join(directory, 'client.key'), { key: clientKey })
  keyFileText = (await readFile(join(directory, 'plain.key'))).toString('latin1')
})
afterAll(() => rm(directory, { recursive: true, force: true }))

/** The error of `run`, shown in every way; it must be one. */
async function shownError(run: () => unknown): Promise<string> {
  try {
    await run()
  } catch (error) {
    if (!(error instanceof Error)) throw new TypeError('expected an Error')
    const all = Object.values(SHOWS).map((show) => show(error))
    return [...all, error.stack, error.message, inspect(error, EVERYTHING)].join('\n')
  }
  throw new Error('expected an error, got none')
}

describe('an error', () => {
  test('of a capability with any one character changed, left out or doubled', async () => {
    const text = minted.export()
    let refused = 0
    for (let at = 0; at < text.length; at++) {
      const other = text[at] === 'A' ? 'B' : 'A'
      for (const damaged of [
        text.slice(0, at) + other + text.slice(at + 1),
        text.slice(0, at) + text.slice(at + 1),
        text.slice(0, at) + text[at] + text.slice(at),
      ]) {
        try {
          Capability.parse(damaged)
        } catch (error) {
          refused++
          expectUnseen(inspect(error, EVERYTHING) + JSON.stringify(error))
        }
      }
    }
    expect(refused).toBeGreaterThan(text.length * 2.9)
  })

  const text = open.export()
  const secretHex = Buffer.from(secrets.pair).toString('hex')
  test.each<[string, () => unknown]>([
    ['a capability cut short', () => Capability.parse(text.slice(0, -20))],
    ['two capabilities in one', () => Capability.parse(text + text)],
    ['a capability as JSON', () => Capability.parse(JSON.stringify(text))],
    ['a secret of 31 bytes', () => Capability.fromPair(serviceKey.publicKey, secrets.pair.subarray(1))],
    ['a secret as text', () => Capability.fromPair(serviceKey.publicKey, secretHex as unknown as Uint8Array)],
    [
      'a registration of 33 bytes',
      () => registrations.register(Uint8Array.of(...secrets.pair, 1), { object: 'a' }),
    ],
    ['a root of 31 bytes', () => RootSecrets.from([[1, secrets.root.subarray(1)]])],
    [
      'a root twice',
      () =>
        RootSecrets.from([
          [1, secrets.root],
          [1, secrets.root],
        ]),
    ],
    ['a secret key of 31 bytes', () => asSecretKey(secrets.secretKey.subarray(1))],
    [
      'a PSK of 31 bytes',
      () =>
        new HandshakeState({
          protocol: PROTOCOL,
          role: 'responder',
          s: clientKey,
          psks: [secrets.psk.subarray(1)],
        }),
    ],
    [
      'a PSK where there is none',
      () =>
        new HandshakeState({
          protocol: 'Noise_NN_25519_ChaChaPoly_BLAKE2b',
          role: 'initiator',
          psks: [secrets.psk],
        }),
    ],
    ['a secret as protocol name', () => parseProtocolName(text)],
    ['a cipher key of 31 bytes', () => new CipherState(aead, secrets.cipherKey.subarray(1))],
    ['a secret as duration', () => durationSeconds(text)],
    ['a capability as location hint', () => open.withLocations([text])],
    ['a capability as label', () => open.withLabel(text)],
    ['a capability as location', () => parseLocation(text)],
    [
      'a capability as revocation id',
      () => new Registrations().find(text as unknown as Uint8Array) ?? Promise.reject(new Error('none')),
    ],
    ['a capability as key file', () => readServiceKey(text)],
    ['a capability as client key file', () => readKeyPair(text)],
    ['a capability as new key file', () => createServiceKey(text)],
    ['a capability as revocation file', () => RevocationFile.open(text)],
    [
      'a capability as registry',
      () => new FileRegistry({ directory: `/proc/${text}` }).announce(serviceKey.publicKey, []),
    ],
    [
      'a key file with the wrong passphrase',
      () => readServiceKey(join(directory, 'sealed.key'), { passphrase: `${PASSPHRASE} ` }),
    ],
    [
      'a plain key file with a passphrase',
      () => readServiceKey(join(directory, 'plain.key'), { passphrase: PASSPHRASE }),
    ],
    ['a key file of the other kind', () => readKeyPair(join(directory, 'plain.key'))],
    [
      'a damaged key file',
      async () => {
        const path = join(directory, 'damaged.key')
        const bytes = Buffer.from(keyFileText, 'latin1')
        bytes[60]! ^= 1
        await writeFile(path, bytes, { mode: 0o600 })
        await readServiceKey(path)
      },
    ],
    [
      'a key file cut short',
      async () => {
        const path = join(directory, 'cut.key')
        await writeFile(path, Buffer.from(keyFileText, 'latin1').subarray(0, -9), { mode: 0o600 })
        await readServiceKey(path)
      },
    ],
    ['connect with a damaged text', () => connect(text.slice(0, -3), Notes)],
    ['connect without an interface', () => connect(Capability.parse(text) as Capability<unknown>)],
    [
      'connect where nobody listens',
      () => connect(open.withLocations(['tcp://127.0.0.1:1', 'tcp://127.0.0.1:2']), { resolvers: [] }),
    ],
    ['connect without places', () => connect(open, { resolvers: [] })],
    ['connect with a capability for another key', () => connect(minted, { resolvers: [] })],
    [
      'listening at a capability',
      async () => {
        await using service = await Service.create(serviceKey, { announcers: [] })
        await service.listen(text)
      },
    ],
    [
      'offering under a capability',
      async () => {
        await using service = await Service.create(serviceKey, { announcers: [] })
        service.offer(text, Notes, () => ({ list: () => '', crash: () => undefined }))
      },
    ],
    [
      'revoking a capability by its text',
      async () => {
        await using service = await Service.create(serviceKey, { announcers: [] })
        await service.revoke(text)
      },
    ],
    ['minting for a capability as object', () => mint(serviceKey, { object: text })],
    ['minting with a capability as method', () => mint(serviceKey, { object: 'a' }, { methods: [text] })],
    [
      'a message to the wrong handshake',
      () => {
        const { initiator } = handshakes() as { initiator: HandshakeState }
        initiator.readMessage(secrets.psk)
      },
    ],
    [
      'keys after disposal',
      () => {
        const keys: UseKeys = open.keys()
        keys[Symbol.dispose]()
        keys.psk(PROTOCOL)
      },
    ],
  ])('about %s shows no secret', async (_, run) => {
    expectUnseen(await shownError(run))
  })
})

describe('a service and its client', () => {
  test('show no secret in any object, report, event or log line', async () => {
    const reports: InternalError[] = []
    const contexts: unknown[] = []
    const service = await Service.create(serviceKey, {
      announcers: [],
      registrations,
      onInternalError: (report) => reports.push(report),
    })
    const offer = service.offer('notes/:owner', Notes, (context) => {
      contexts.push(context)
      return {
        list: (_input: unknown, call: unknown) => {
          contexts.push(call)
          return 'one'
        },
        crash: () => {
          throw new Error('broken', { cause: { serviceKey, open } })
        },
      }
    })
    const at = await service.listen('tcp://127.0.0.1:0')
    const stub = await connect(open.withLocations([at]), { key: clientKey, resolvers: [] })
    expect(await stub.list()).toBe('one')
    const failure = await stub.crash().catch((error: unknown) => error)
    expect(reports).toHaveLength(1)
    const changes: unknown[] = []
    service.revocations.onChange((change) => changes.push(change))
    const shown = [service, offer, stub, failure, reports, contexts, changes] as object[]
    await service.revoke(open)
    const afterwards = await stub.list().catch((error: unknown) => error)
    expect(afterwards).toBeInstanceOf(Error)
    for (const object of [...shown, afterwards as object]) {
      for (const [name, show] of Object.entries(SHOWS)) {
        expect({ name, seen: canaries.seenIn(show(object)) }).toEqual({ name, seen: [] })
      }
    }
    await stub[Symbol.asyncDispose]()
    await service.close(0)
    expect(keyHash(serviceKey.publicKey)).toHaveLength(32)
  })
})
