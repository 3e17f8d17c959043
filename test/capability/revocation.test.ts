import { describe, expect, test } from 'vitest'
import {
  MemoryRevocationSet,
  mint,
  type RevocationChange,
  ServiceKey,
  verify,
} from '../../src/capability/index.js'
import { containsAny } from '../../src/capability/revocation.js'

const id = (fill: number) => new Uint8Array(16).fill(fill)
const hex = (fill: number) => Buffer.from(id(fill)).toString('hex')

describe('MemoryRevocationSet', () => {
  test('has what was revoked, as bytes and as text', async () => {
    const set = new MemoryRevocationSet([hex(1)])
    await set.revoke(id(2))
    await set.revoke(hex(3).toUpperCase())
    expect([1, 2, 3, 4].map((fill) => set.has(id(fill)))).toEqual([true, true, true, false])
    expect(set.has(hex(2))).toBe(true)
  })

  test.each([new Uint8Array(15), new Uint8Array(17), '', 'zz', '00'])('refuses id %j', async (bad) => {
    const set = new MemoryRevocationSet()
    await expect(set.revoke(bad)).rejects.toThrow(TypeError)
    expect(() => set.has(bad)).toThrow(TypeError)
  })

  test('is in force before revoke resolves', () => {
    const set = new MemoryRevocationSet()
    const done = set.revoke(id(1))
    expect(set.has(id(1))).toBe(true)
    return done
  })

  test('listeners hear of new ids once, until they stop listening', async () => {
    const set = new MemoryRevocationSet()
    const heard: RevocationChange[] = []
    const stop = set.onChange((change) => heard.push(change))
    await set.revoke(id(1))
    await set.revoke(id(1))
    stop()
    await set.revoke(id(2))
    expect(heard).toEqual([{ ids: [id(1)], failure: undefined }])
  })
})

test('revokesAny looks at every id, whichever is revoked', () => {
  const asked: string[] = []
  const spied = new Set([hex(1)])
  const has = spied.has.bind(spied)
  spied.has = (value) => {
    asked.push(value)
    return has(value)
  }
  expect(containsAny(spied, [id(1), id(2), id(3)])).toBe(true)
  expect(asked).toEqual([hex(1), hex(2), hex(3)])
  expect(containsAny(spied, [id(2)])).toBe(false)
})

describe('revoking a link', () => {
  const serviceKey = ServiceKey.generate()
  const root = mint(serviceKey, { object: 'a' })
  const child = root.attenuate({ via: 'child' })
  const grandchild = child.attenuate({ via: 'grandchild' })
  const sibling = root.attenuate({ via: 'sibling' })
  const idsOf = (capability: typeof root) => {
    const verified = verify(capability.locator, serviceKey.authority())
    if (!verified.ok) throw new Error(verified.reason)
    return verified.ids
  }
  const revokedBy = (text: string) =>
    [root, child, grandchild, sibling].map((each) => new MemoryRevocationSet([text]).revokesAny(idsOf(each)))

  test('kills it and all below, and nothing beside or above', () => {
    expect(revokedBy(root.ids()[0]!)).toEqual([true, true, true, true])
    expect(revokedBy(child.ids()[0]!)).toEqual([false, true, true, false])
    expect(revokedBy(grandchild.ids()[0]!)).toEqual([false, false, true, false])
    expect(revokedBy(sibling.ids()[0]!)).toEqual([false, false, false, true])
  })

  test('reaches a final capability too', () => {
    expect(new MemoryRevocationSet(child.ids()).revokesAny(idsOf(grandchild.finalize()))).toBe(true)
  })
})
