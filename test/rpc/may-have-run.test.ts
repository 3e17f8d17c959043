// `mayHaveRun` on each path by which a call fails: false only where the handler cannot have begun.
import { expect, test } from 'vitest'
import { z } from 'zod'
import { type CallOptions, Failure, iface, method, reference } from '../../src/rpc/index.js'
import { converse, settled } from './conversation.js'

const Note = iface('Note', { text: method<void, string>() })
const Paths = iface('Paths', {
  run: method<unknown, unknown>(),
  checked: method(z.number(), z.number()),
  hang: method<void, void>(),
  open: method(z.boolean(), Note),
})

const talk = () =>
  converse(
    Paths,
    {
      run: (what) => {
        if (what === 'failure') throw new Failure('not_found', 'none')
        if (what === 'crash') throw new Error('inside')
        return what === 'bad' ? () => {} : what
      },
      checked: () => 'no number' as never,
      hang: () => new Promise(() => {}),
      open: (works) => {
        if (!works) throw new Failure('not_found', 'none')
        return reference(Note, { text: () => 'text' })
      },
    },
    { service: { maxCallsInFlight: 1, maxMessageBytes: 65_536 } },
  )

type Talk = Awaited<ReturnType<typeof talk>>
const aborted = (): CallOptions => ({ signal: AbortSignal.abort() })
const soon = (): CallOptions => ({ timeoutMs: 5 })

const PATHS: [string, boolean, (talk: Talk) => Promise<unknown>][] = [
  ['a failure of the handler', true, ({ root }) => root.run('failure')],
  ['an error of the handler', true, ({ root }) => root.run('crash')],
  ['a result that cannot be sent', true, ({ root }) => root.run('bad')],
  ['a result that its schema refuses', true, ({ root }) => root.checked(1)],
  ['an input that its schema refuses', false, ({ root }) => root.checked('x' as never)],
  ['canceled before it was made', false, ({ root }) => root.run(1, aborted())],
  ['too late after it was sent', true, ({ root }) => root.hang(undefined, soon())],
  [
    'too late while it waits for the budget',
    false,
    ({ root }) => {
      root.hang().catch(() => {})
      return root.run(1, soon())
    },
  ],
  [
    'cut off after it was sent',
    true,
    async ({ root, close }) => {
      const hanging = root.hang()
      hanging.catch(() => {})
      await settled()
      close()
      return hanging
    },
  ],
  [
    'cut off while it waits for the budget',
    false,
    async ({ root, close }) => {
      root.hang().catch(() => {})
      const waiting = root.run(1)
      waiting.catch(() => {})
      await settled()
      close()
      return waiting
    },
  ],
  [
    'made after the end',
    false,
    async ({ root, close }) => {
      close()
      await settled()
      return root.run(1)
    },
  ],
  ['an input larger than the service takes', false, ({ root }) => root.run(new Uint8Array(100_000))],
  [
    'a promise in the input that failed',
    false,
    ({ root }) => root.run({ at: Promise.reject(new Error('x')) }),
  ],
]

test.each(PATHS)('%s: %s', async (_name, mayHaveRun, path) => {
  const conversation = await talk()
  const error = await path(conversation).then(
    () => 'resolved',
    (reason: unknown) => reason,
  )
  expect(error).toMatchObject({ mayHaveRun })
  expect(String(error)).not.toContain('inside')
  conversation.close()
})

test('what builds on a call that failed', async () => {
  const { root, close } = await converse(Paths, {
    run: (what) => what,
    checked: (count) => count,
    hang: () => {},
    open: () => {
      throw new Failure('not_found', 'none')
    },
  })
  const error = await root
    .open(false)
    .text()
    .catch((reason: unknown) => reason)
  expect(error).toMatchObject({ code: 'rpc/not_found', mayHaveRun: false })
  close()
})
