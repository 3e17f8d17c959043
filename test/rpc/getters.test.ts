// Getters of a value that is being sent: they make calls, let references go, cancel and revoke. No message may be written into
// another, and none may be lost.
import { afterEach, expect, test } from 'vitest'
import { z } from 'zod'
import { OPEN_AUTHORITY } from '../../src/rpc/exports.js'
import { iface, method } from '../../src/rpc/index.js'
import { converse, settled } from './conversation.js'

const Cell = iface('Cell', { read: method<void, number>() })
const Root = iface('Root', {
  echo: method<unknown, unknown>(),
  lazy: method<void, unknown>(),
  hang: method<void, void>(),
  cell: method(z.void(), Cell),
})

const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0)) close()
})

/** @param lazy - what the service answers. */
async function world(lazy: () => unknown = () => undefined) {
  const made = await converse(Root, {
    echo: (value) => value,
    lazy,
    hang: (_, { signal }) =>
      new Promise<undefined>((resolve) => signal.addEventListener('abort', () => resolve(undefined))),
    cell: () => ({ read: () => 7 }),
  })
  closers.push(made.close)
  return made
}

/** A value whose middle member does something when it is read. */
const around = (act: () => void, filler = 'x'.repeat(30)) => ({
  before: filler,
  get acts() {
    act()
    return 'done'
  },
  after: filler,
})
const intact = (filler = 'x'.repeat(30)) => ({ before: filler, acts: 'done', after: filler })

test('a call is refused, and the value arrives as it is', async () => {
  const { root } = await world()
  let inner: Promise<unknown> | undefined
  const answer = root.echo(
    around(() => {
      inner = root.echo('inner')
      inner.catch(() => {})
    }),
  )
  expect(await answer).toEqual(intact())
  await expect(inner).rejects.toMatchObject({
    code: 'rpc/bad_value',
    message: expect.stringContaining('getter'),
  })
  expect(await root.echo('next')).toBe('next')
})

test.each(['x', 'x'.repeat(5_000), 'x'.repeat(40_000)])(
  'a reference that is let go is released behind the value (%#)',
  async (filler) => {
    const { root, exports } = await world()
    const cells = [await root.cell(), await root.cell(), await root.cell()]
    expect(exports.size).toBe(4)
    const answer = root.echo(
      around(() => {
        for (const cell of cells) cell[Symbol.dispose]()
      }, filler),
    )
    expect(await answer).toEqual(intact(filler))
    await expect.poll(() => exports.size).toBe(1)
  },
)

test('what a getter let go is released also when its value cannot be sent', async () => {
  const { root, exports } = await world()
  const cell = await root.cell()
  const refused = root.echo({
    get bad() {
      cell[Symbol.dispose]()
      throw new Error('no')
    },
  })
  await expect(refused).rejects.toMatchObject({ code: 'rpc/bad_value' })
  await expect.poll(() => exports.size).toBe(1)
  expect(await root.echo('next')).toBe('next')
})

test('a call that is canceled is canceled', async () => {
  const { root, service } = await world()
  const abort = new AbortController()
  const hanging = root.hang(undefined, { signal: abort.signal })
  hanging.catch(() => {})
  await settled()
  expect(await root.echo(around(() => abort.abort()))).toEqual(intact())
  await expect(hanging).rejects.toMatchObject({ code: 'rpc/canceled' })
  await expect.poll(() => service.servedCalls).toBe(0)
})

test('a result whose getter breaks the authority of other calls ends those, and arrives', async () => {
  const { root, service } = await world(() => around(() => service.breakAuthority(OPEN_AUTHORITY, 'revoked')))
  const hanging = root.hang()
  hanging.catch(() => {})
  await settled()
  expect(await root.lazy()).toEqual(intact())
  await expect(hanging).rejects.toMatchObject({ code: 'rpc/permission_denied' })
})
