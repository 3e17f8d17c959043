// An independent reader of spec/vectors/capability.json: node:crypto and a few lines of CBOR, nothing of src/ but the
// functions under test. Every value is computed from the inputs of the vector, then compared.
import { createDecipheriv, createHash, createHmac, scryptSync } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { capabilityVectors } from '../../scripts/vectors/capability.js'
import vectors from '../../spec/vectors/capability.json' with { type: 'json' }
import { readKeyPair, readServiceKey } from '../../src/capability/files.js'
import { Capability, keyHash, keyHashText, RootSecrets, verify } from '../../src/capability/index.js'
import { Registrations } from '../../src/capability/registration.js'
import { DamagedLog, decodeRecords, LOG_HEADER } from '../../src/capability/revocation-log.js'
import { asPublicKey } from '../../src/crypto/index.js'

interface CaveatVector {
  readonly salt: string
  readonly type: string
  readonly at?: number
  readonly methods?: readonly string[]
  readonly patterns?: readonly string[]
  readonly commitment?: string
  readonly label?: string
  readonly claims?: object
  readonly object?: string
  readonly kid?: number
  readonly tag?: string
}

const hex = (text: string) => Buffer.from(text, 'hex')
const text = (value: string) => Buffer.from(value, 'utf8')
const sha256 = (...parts: Buffer[]) => createHash('sha256').update(Buffer.concat(parts)).digest()
const hmac = (key: Buffer, ...parts: Buffer[]) =>
  createHmac('sha256', key).update(Buffer.concat(parts)).digest()
const u32 = (value: number) => Buffer.from([value >>> 24, value >>> 16, value >>> 8, value])

/** Deterministic CBOR of the values that occur here. */
function cbor(value: unknown): Buffer {
  const head = (major: number, n: number) => {
    const first = major << 5
    if (n < 24) return Buffer.from([first | n])
    if (n < 0x100) return Buffer.from([first | 24, n])
    if (n < 0x10000) return Buffer.from([first | 25, n >> 8, n & 0xff])
    return Buffer.concat([Buffer.from([first | 26]), u32(n)])
  }
  if (typeof value === 'number') return value < 0 ? head(1, -1 - value) : head(0, value)
  if (typeof value === 'boolean') return Buffer.from([value ? 0xf5 : 0xf4])
  if (typeof value === 'string') return Buffer.concat([head(3, text(value).length), text(value)])
  if (Buffer.isBuffer(value)) return Buffer.concat([head(2, value.length), value])
  if (Array.isArray(value)) return Buffer.concat([head(4, value.length), ...value.map(cbor)])
  const entries = Object.entries(value as object).map(([k, v]) => [cbor(k), cbor(v)] as const)
  entries.sort(([a], [b]) => Buffer.compare(a, b))
  return Buffer.concat([head(5, entries.length), ...entries.flat()])
}

const byBytes = (a: string, b: string) => Buffer.compare(text(a), text(b))

function caveatBytes(caveat: CaveatVector): Buffer {
  const salt = hex(caveat.salt)
  switch (caveat.type) {
    case 'expires':
      return cbor([salt, 1, caveat.at])
    case 'notBefore':
      return cbor([salt, 2, caveat.at])
    case 'methods':
      return cbor([salt, 3, [...(caveat.methods ?? [])].sort(byBytes)])
    case 'holder':
      return cbor([salt, 4, hex(caveat.commitment ?? '')])
    case 'patterns':
      return cbor([salt, 5, [...(caveat.patterns ?? [])].sort(byBytes)])
    case 'via':
      return cbor([salt, 6, caveat.label])
    case 'claims':
      return cbor([salt, 7, caveat.claims])
    case 'object':
      return cbor([salt, 8, [caveat.kid, caveat.object, hex(caveat.tag ?? '')]])
    default:
      throw new Error(`unknown caveat ${caveat.type}`)
  }
}

/** RFC 4648 base32, lower case, no padding. */
function base32(bytes: Buffer): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  const groups = bits.match(/.{1,5}/g) ?? []
  return groups
    .map((group) => 'abcdefghijklmnopqrstuvwxyz234567'[Number.parseInt(group.padEnd(5, '0'), 2)])
    .join('')
}

test('spec/vectors/capability.json is what the generator writes', async () => {
  expect(vectors).toEqual(JSON.parse(JSON.stringify(await capabilityVectors())))
})

test.each(vectors.keyHashes)('key hash of $publicKey', (row) => {
  const expected = sha256(text('noisecap/v1 key hash\0'), hex(row.publicKey))
  expect(row.hash).toBe(expected.toString('hex'))
  expect(row.text).toBe(base32(expected))
  const publicKey = asPublicKey(hex(row.publicKey))
  expect(Buffer.from(keyHash(publicKey)).toString('hex')).toBe(row.hash)
  expect(keyHashText(publicKey)).toBe(row.text)
})

describe.each(vectors.capabilities)('capability: $name', (row) => {
  const keyHashBytes = sha256(text('noisecap/v1 key hash\0'), hex(row.publicKey))
  const caveatRows: readonly CaveatVector[] = row.caveats
  const caveats = caveatRows.map(caveatBytes)
  const idOf = (key: Buffer) => hmac(key, text('noisecap/v1 id\0')).subarray(0, 16)
  const grant =
    row.grant === null
      ? idOf(hex(row.root))
      : cbor([hex(row.grant.id), row.grant.use, row.grant.object, row.grant.claims])
  const chain = [
    row.grant === null
      ? hex(row.root)
      : hmac(hex(row.root), text('noisecap/v1 grant\0'), keyHashBytes, grant),
  ]
  for (const caveat of caveats) chain.push(hmac(chain.at(-1)!, text('noisecap/v1 caveat\0'), caveat))
  const u = hmac(chain.at(-1)!, text('noisecap/v1 use\0'))
  const locator = cbor([row.kid, grant, caveats])

  test('grant, caveats, chain, use key and ids follow from the inputs', () => {
    expect(row.grantBytes).toBe(grant.toString('hex'))
    expect(row.caveatBytes).toEqual(caveats.map((caveat) => caveat.toString('hex')))
    expect(row.t).toEqual(chain.map((key) => key.toString('hex')))
    expect(row.u).toBe(u.toString('hex'))
    expect(row.ids).toEqual(chain.map((key) => idOf(key).toString('hex')))
    expect(row.locator).toBe(locator.toString('hex'))
  })

  test('object tags follow from the root and the id of the link before', () => {
    for (const [i, { type, object = '', tag }] of caveatRows.entries()) {
      if (type !== 'object') continue
      const label = text('noisecap/v1 object\0')
      const expected = hmac(hex(row.root), label, keyHashBytes, idOf(chain[i]!), text(object))
      expect(tag).toBe(expected.subarray(0, 16).toString('hex'))
    }
  })

  test('PSKs, proofs and contact tag follow from the use key', () => {
    for (const [protocol, psk] of Object.entries(row.psk)) {
      expect(psk).toBe(hmac(u, text('noisecap/v1 psk\0'), text(protocol)).toString('hex'))
    }
    const prove = hmac(u, text('noisecap/v1 present\0'))
    for (const { purpose, parts, proof } of row.proofs) {
      const expected = hmac(prove, text(`noisecap/v1 ${purpose}\0`), ...parts.map(hex))
      expect(proof).toBe(expected.toString('hex'))
    }
    const contact = hmac(u, text('noisecap/v1 contact\0'))
    const tag = hmac(contact, hex(row.contactTag.clientPublicKey), u32(row.contactTag.day)).subarray(0, 16)
    expect(row.contactTag.tag).toBe(tag.toString('hex'))
  })

  test('holder commitments follow from the salts and the client key', () => {
    const holders = caveatRows.filter(({ type }) => type === 'holder')
    expect(row.holderSalts).toHaveLength(holders.length)
    for (const [i, { commitment }] of holders.entries()) {
      const salt = hex(row.holderSalts[i]!)
      const expected = sha256(text('noisecap/v1 holder\0'), salt, hex(row.contactTag.clientPublicKey))
      expect(commitment).toBe(expected.toString('hex'))
    }
  })

  test('token and text follow from the byte table', () => {
    const tokenBody = Buffer.concat([
      Buffer.from([1, 1, row.final ? 1 : 0]),
      hex(row.publicKey),
      row.final ? u : chain.at(-1)!,
      Buffer.from([locator.length >> 8, locator.length & 0xff]),
      locator,
      ...row.holderSalts.map(hex),
    ])
    const token = Buffer.concat([tokenBody, sha256(text('noisecap/v1 token\0'), tokenBody).subarray(0, 4)])
    expect(row.token).toBe(token.toString('hex'))
    const url = new URL(row.uri)
    expect(url.protocol).toBe('noisecap:')
    expect(url.host).toBe(base32(keyHashBytes))
    expect(decodeURIComponent(url.pathname.slice(1))).toBe(row.label ?? '')
    expect(url.searchParams.getAll('at')).toEqual(row.locations)
    expect(url.hash).toBe(`#${token.toString('base64url')}`)
  })

  test('Capability.parse, export and keys agree', () => {
    const capability = Capability.parse(row.uri)
    expect(capability.export()).toBe(row.uri)
    expect(capability.keyHash).toBe(row.keyHash)
    expect(capability).toMatchObject({ kid: row.kid, final: row.final, locations: row.locations })
    expect(capability.label ?? null).toBe(row.label)
    expect(capability.use ?? null).toBe(row.grant?.use ?? null)
    const object = caveatRows.filter(({ type }) => type === 'object').at(-1)?.object ?? row.grant?.object
    expect(capability.object ?? null).toBe(object ?? null)
    expect({ ...capability.claims }).toEqual(row.grant?.claims ?? {})
    expect(Buffer.from(capability.locator).toString('hex')).toBe(row.locator)
    using keys = capability.keys()
    for (const [protocol, psk] of Object.entries(row.psk)) {
      expect(Buffer.from(keys.psk(protocol)).toString('hex')).toBe(psk)
    }
  })

  test('verify recomputes the ids and the PSK', () => {
    const roots = RootSecrets.from([[Math.max(row.kid, 1), hex(row.root)]])
    const registrations = new Registrations()
    registrations.register(hex(row.root), { object: 'by/hand' })
    const verified = verify(hex(row.locator), {
      keyHash: keyHash(asPublicKey(hex(row.publicKey))),
      root: (kid) => roots.get(kid),
      registered: (id) => registrations.find(id),
    })
    if (!verified.ok) throw new Error(verified.reason)
    expect(verified.ids.map((id) => Buffer.from(id).toString('hex'))).toEqual(row.ids)
    const object = caveatRows.filter(({ type }) => type === 'object').at(-1)?.object ?? row.grant?.object
    expect(verified.grant.object).toBe(object ?? 'by/hand')
    expect(verified.caveats.some(({ type }) => type === 'unknown')).toBe(false)
    for (const [protocol, psk] of Object.entries(row.psk)) {
      expect(Buffer.from(verified.keys.psk(protocol)).toString('hex')).toBe(psk)
    }
  })
})

test.each(vectors.malformed)('Capability.parse refuses: $name', (row) => {
  expect(() => Capability.parse(row.text)).toThrow(expect.objectContaining({ code: row.code }))
})

describe('key files', () => {
  let directory: string
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'noisecap-'))
  })
  afterAll(() => rm(directory, { recursive: true }))

  test.each(vectors.keyFiles)('$name', async (row) => {
    const bytes = hex(row.bytes)
    const header = bytes.subarray(0, 45)
    expect(header.subarray(0, 8).toString()).toBe('noisecap')
    expect([...header.subarray(8, 10)]).toEqual([1, row.kind === 'service' ? 1 : 2])
    const parts = row.roots === null ? [] : [row.roots.map(([kid, root]) => [kid, hex(String(root))])]
    const secrets = cbor([hex(row.secretKey), ...parts])
    if (row.passphrase === null) {
      const checksum = sha256(text('noisecap/v1 key file\0'), header, secrets).subarray(0, 8)
      expect(bytes.subarray(45)).toEqual(Buffer.concat([secrets, checksum]))
    } else {
      expect([...header.subarray(10, 13)]).toEqual([17, 8, 1])
      const salt = header.subarray(13)
      const key = scryptSync(row.passphrase.normalize('NFKC'), salt, 32, {
        N: 2 ** 17,
        r: 8,
        p: 1,
        maxmem: 2 ** 28,
      })
      const decipher = createDecipheriv('chacha20-poly1305', key, Buffer.alloc(12), { authTagLength: 16 })
      decipher.setAAD(header, { plaintextLength: bytes.length - 61 })
      decipher.setAuthTag(bytes.subarray(-16))
      expect(Buffer.concat([decipher.update(bytes.subarray(45, -16)), decipher.final()])).toEqual(secrets)
    }
    const path = join(directory, row.name)
    await writeFile(path, bytes, { mode: 0o600 })
    const options = row.passphrase === null ? {} : { passphrase: row.passphrase }
    if (row.roots === null) {
      const key = await readKeyPair(path, options)
      expect(Buffer.from(key.secretKey).toString('hex')).toBe(row.secretKey)
    } else {
      const key = await readServiceKey(path, options)
      expect(Buffer.from(key.keyPair.secretKey).toString('hex')).toBe(row.secretKey)
      expect(key.roots.kids.map((kid) => [kid, Buffer.from(key.roots.get(kid)!).toString('hex')])).toEqual(
        row.roots,
      )
    }
  })
})

describe('revocation logs', () => {
  test.each(vectors.revocationLogs)('$name', (row) => {
    const header = row.text.slice(0, LOG_HEADER.length)
    expect(header).toBe('noisecap revocations v1\n')
    const rest = row.text.slice(header.length)
    if (row.ids === null) {
      expect(() => decodeRecords(rest, 2, true)).toThrow(DamagedLog)
      return
    }
    const piece = decodeRecords(rest, 2, true)
    expect(piece.ids).toEqual(row.ids)
    expect(piece.torn + (rest.endsWith('\n') || rest === '' || row.name.startsWith('whole') ? 0 : 1)).toBe(
      row.torn,
    )
  })

  test('the checksum of a record is that of its text', () => {
    const line = vectors.revocationLogs.find(({ name }) => name === 'two records')?.text.split('\n')[1] ?? ''
    const expected = sha256(text('noisecap/v1 revocation\0'), text(line.slice(0, 53)))
      .toString('hex')
      .slice(0, 16)
    expect(line.slice(53)).toBe(` ${expected}`)
  })
})
