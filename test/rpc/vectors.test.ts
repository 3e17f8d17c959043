// An independent reader of spec/vectors/rpc.json: fields by hand after spec/rpc.md §3, values by cbor-x; then real peers act
// on the bytes.
import { decode } from 'cbor-x'
import { describe, expect, test } from 'vitest'
import { rpcVectors } from '../../scripts/vectors/rpc.js'
import vectors from '../../spec/vectors/rpc.json' with { type: 'json' }
import { hexEncode } from '../../src/bytes.js'
import { type CallContext, Failure, iface, method, type Presentation } from '../../src/rpc/index.js'
import { OP } from '../../src/rpc/wire.js'
import { batch, callFrom, serve } from './scripted.js'

const hex = (text: string) => Uint8Array.from(Buffer.from(text, 'hex'))

/** A value; unknown tags as in the file. */
function decoded(bytes: Uint8Array): unknown {
  return JSON.parse(
    JSON.stringify(decode(bytes), [
      'tag',
      'value',
      'text',
      'count',
      'max',
      'twice',
      'trace',
      'tenant',
      'methods',
      'expiresIn',
    ]),
  )
}

/** Reads fields from the start; written without a look at src. */
function fieldsOf(message: string) {
  const bytes = Buffer.from(message, 'hex')
  let at = 0
  const take = (length: number) => {
    at += length
    return bytes.subarray(at - length, at)
  }
  const varint = () => {
    let value = 0
    for (let shift = 1; ; shift *= 128) {
      const byte = bytes[at++]!
      value += (byte % 128) * shift
      if (byte < 128) return value
    }
  }
  return {
    byte: () => bytes[at++]!,
    varint,
    bytes: (length: number) => take(length).toString('hex'),
    counted: () => take(varint()).toString('hex'),
    text: () => take(varint()).toString('utf8'),
    value: () => decoded(take(bytes.length - at)),
    countedValue: () => decoded(take(varint())),
    atEnd: () => at === bytes.length,
  }
}

test('the generator gives the file', async () => {
  expect(await rpcVectors()).toEqual(vectors)
})

describe('by hand', () => {
  test('CALL: call, flags, target, method, args', () => {
    const { call, flags, target, method: name, args, message } = vectors.CALL
    const read = fieldsOf(message)
    expect([read.byte(), read.varint(), read.byte(), read.varint()]).toEqual([0, call, flags, target])
    expect([read.text(), read.value()]).toEqual([name, args])
  })

  test('CALL with metadata: between method and args, counted', () => {
    const { call, flags, target, method: name, metadata, args, message } = vectors.CALL_METADATA
    const read = fieldsOf(message)
    expect([read.byte(), read.varint(), read.byte(), read.varint()]).toEqual([0, call, flags, target])
    expect([read.text(), read.countedValue(), read.value()]).toEqual([name, metadata, args])
  })

  test('RETURN: call, value', () => {
    const read = fieldsOf(vectors.RETURN.message)
    expect([read.byte(), read.varint(), read.value()]).toEqual([1, vectors.RETURN.call, vectors.RETURN.value])
  })

  test('FAIL: call, code, flags, name, message, retryAfterMs, data', () => {
    const { call, code, flags, name, text, retryAfterMs, data, message } = vectors.FAIL
    const read = fieldsOf(message)
    expect([read.byte(), read.varint(), read.varint(), read.byte()]).toEqual([2, call, code, flags])
    expect([read.text(), read.text(), read.varint(), read.value()]).toEqual([name, text, retryAfterMs, data])
  })

  test('PRESENT: call, locator, proof, salts', () => {
    const { call, locator, proof, salts, message } = vectors.PRESENT
    const read = fieldsOf(message)
    expect([read.byte(), read.varint(), read.counted(), read.bytes(32)]).toEqual([12, call, locator, proof])
    expect([read.varint(), read.bytes(32), read.atEnd()]).toEqual([salts.length, salts[0], true])
  })

  test('MAP: call, flags, source, steps, result', () => {
    const { call, flags, source, steps, result, message } = vectors.MAP
    const read = fieldsOf(message)
    expect([read.byte(), read.varint(), read.byte(), read.countedValue()]).toEqual([17, call, flags, source])
    const found = Array.from({ length: read.varint() }, () => ({
      on: read.varint(),
      path: Array.from({ length: read.varint() }, () => (read.byte() === 0 ? read.text() : read.varint())),
      method: read.text(),
      args: read.countedValue(),
    }))
    expect(found).toEqual(steps)
    expect(read.value()).toEqual(result)
  })

  test('RELEASE: export, count; BROKEN: export, code', () => {
    const release = fieldsOf(vectors.RELEASE.message)
    expect([release.byte(), release.varint(), release.varint()]).toEqual([
      6,
      vectors.RELEASE.export,
      vectors.RELEASE.count,
    ])
    const broken = fieldsOf(vectors.BROKEN.message)
    expect([broken.byte(), broken.varint(), broken.varint()]).toEqual([
      7,
      vectors.BROKEN.export,
      vectors.BROKEN.code,
    ])
    expect([release.atEnd(), broken.atEnd()]).toEqual([true, true])
  })

  test('SAVE: call, export, restrictions', () => {
    const { call, export: id, restrictions, message } = vectors.SAVE
    const read = fieldsOf(message)
    expect([read.byte(), read.varint(), read.varint(), read.value()]).toEqual([21, call, id, restrictions])
  })
})

test.each(vectors.REFERENCES)('RETURN of a reference of tag $tag', ({ call, tag, export: id, message }) => {
  const bytes = Buffer.from(message, 'hex')
  const head = [1, call, 0xd9, tag >> 8, tag & 0xff, id]
  expect([...bytes]).toEqual(head)
})

describe('by a peer', () => {
  const Notes = iface('Notes', { add: method<{ count: number }, number>() })
  const add = Notes.methods.get('add')!

  test('a service gets the metadata of CALL', async () => {
    const got: unknown[] = []
    const object = {
      add: (input: unknown, { metadata }: CallContext) => {
        got.push(input, { ...metadata })
        return 3
      },
    }
    const service = await serve(Notes, object)
    service.send(batch(hex(vectors.CALL_METADATA.message)))
    await expect.poll(() => service.answers()).toEqual([{ op: 1, id: 0 }])
    expect(got).toEqual([vectors.CALL_METADATA.args, vectors.CALL_METADATA.metadata])
    service.close()
  })

  test('a service gets the arguments of CALL and the fields of PRESENT', async () => {
    const got: unknown[] = []
    const present = ({ locator, proof, holderSalts }: Presentation) => {
      got.push({ locator: hexEncode(locator), proof: hexEncode(proof), salts: holderSalts.map(hexEncode) })
      return 7
    }
    const object = {
      add: (input: unknown) => {
        got.push(input)
        return 3
      },
    }
    const service = await serve(Notes, object, { present })
    service.send(batch(hex(vectors.CALL.message)))
    await expect.poll(() => service.answers()).toEqual([{ op: 1, id: 0 }])
    service.send(batch(hex(vectors.PRESENT.message)))
    await expect.poll(() => service.answers().length).toBe(2)
    const { locator, proof, salts } = vectors.PRESENT
    expect(got).toEqual([vectors.CALL.args, { locator, proof, salts }])
    service.close()
  })

  test('a service gets the restrictions of SAVE', async () => {
    const asked: unknown[] = []
    const world = await serve(
      Notes,
      {},
      {
        save: (exported, restrictions) => {
          asked.push(exported === world.exports.find(0), restrictions)
          throw new Failure('failed_precondition', 'not here')
        },
      },
    )
    world.send(batch(Buffer.from(vectors.SAVE.message, 'hex')))
    await expect.poll(world.answers).toContainEqual({ op: OP.fail, id: 0, code: 9 })
    expect(asked).toEqual([true, vectors.SAVE.restrictions])
    world.close()
  })

  test('a client gets the value of RETURN, the error of FAIL and the reason of BROKEN', async () => {
    const client = await callFrom()
    const root = client.peer.root()
    const first = root.call(add, { count: 3 }, undefined)
    const second = root.call(add, { count: 4 }, undefined).catch((error: unknown) => error)
    await expect.poll(() => client.received().length).toBe(2)
    client.send(batch(hex(vectors.RETURN.message), hex(vectors.FAIL.message), hex(vectors.BROKEN.message)))
    expect(await first).toBe(vectors.RETURN.value)
    const { retryAfterMs } = vectors.FAIL
    expect(await second).toMatchObject({ mayHaveRun: true, retryAfterMs, failureName: vectors.FAIL.name })
    expect(root.broken).toBe('revoked')
    client.close()
  })
})
