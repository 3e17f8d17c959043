import { describe, expect, test } from 'vitest'
import { asPublicKey } from '../../src/crypto/index.js'
import { NoisecapError } from '../../src/errors.js'
import {
  type Answer,
  answers,
  hintResolver,
  type Location,
  type Resolver,
  resolveFirst,
} from '../../src/resolve/index.js'

const keyHash = 'a'.repeat(52)
const context = { publicKey: asPublicKey(new Uint8Array(32)) }
const here: Location = { uri: 'tcp://127.0.0.1:1', priority: 0, weight: 0 }
const there: Location = { uri: 'tcp://127.0.0.1:2', priority: 0, weight: 0 }

/** A resolver that counts how often it was asked. */
function fixed(name: string, locations: readonly Location[]): Resolver & { asked: number } {
  return {
    name,
    asked: 0,
    async resolve() {
      this.asked++
      return locations
    },
  }
}

function failing(name: string, error: unknown): Resolver {
  return { name, resolve: () => Promise.reject(error) }
}

async function collect(resolvers: readonly Resolver[], signal?: AbortSignal): Promise<Answer[]> {
  const all: Answer[] = []
  for await (const answer of answers(
    resolvers,
    keyHash,
    signal === undefined ? context : { ...context, signal },
  )) {
    all.push(answer)
  }
  return all
}

async function failure(run: Promise<unknown>): Promise<NoisecapError> {
  const error = await run.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof NoisecapError)) throw error
  return error
}

describe('answers', () => {
  test('asks the next resolver only when the caller goes on', async () => {
    const first = fixed('first', [here])
    const second = fixed('second', [there])
    for await (const answer of answers([first, second], keyHash, context)) {
      expect(answer).toEqual({
        resolver: 'first',
        source: first,
        locations: [here],
        asked: [{ resolver: 'first', outcome: 'found' }],
      })
      break
    }
    expect([first.asked, second.asked]).toEqual([1, 0])
  })

  test('says who was asked and what became of it, in order', async () => {
    const error = new Error('no network')
    const resolvers = [
      fixed('empty', []),
      failing('down', error),
      fixed('good', [here]),
      fixed('more', [there]),
    ]
    expect(await collect(resolvers)).toEqual([
      {
        resolver: 'good',
        source: resolvers[2],
        locations: [here],
        asked: [
          { resolver: 'empty', outcome: 'none' },
          { resolver: 'down', outcome: 'failed', error },
          { resolver: 'good', outcome: 'found' },
        ],
      },
      expect.objectContaining({ resolver: 'more', locations: [there] }),
    ])
  })

  test('nobody knows: resolve/not_found names whom it asked, with the failure as cause', async () => {
    const error = new Error('no network')
    const thrown = await failure(collect([hintResolver([]), failing('dns', error)]))
    expect(thrown.code).toBe('resolve/not_found')
    expect(thrown.message).toBe(
      `Cannot find service ${keyHash}: expected a location from hints in the capability (none), dns (failed), got none`,
    )
    expect(thrown.cause).toBe(error)
    expect(thrown.hint).toContain('Start the service')
  })

  test('several failures are all told', async () => {
    const errors = [new Error('one'), new Error('two')]
    const thrown = await failure(collect(errors.map((error, i) => failing(`r${i}`, error))))
    expect((thrown.cause as AggregateError).errors).toEqual(errors)
  })

  test('nobody is configured: resolve/not_found says so', async () => {
    expect((await failure(collect([]))).message).toContain('a location from at least one resolver, got none')
  })

  test('all known locations failed to answer: ends without an error of its own', async () => {
    expect(await collect([fixed('a', [here]), fixed('b', [])])).toHaveLength(1)
  })

  test('a damaged registry ends the search', async () => {
    const damage = new NoisecapError('resolve/registry', 'Cannot use location registry: …')
    const after = fixed('after', [here])
    expect(await failure(collect([failing('registry', damage), after]))).toBe(damage)
    expect(after.asked).toBe(0)
  })

  test('a malformed record of a network directory does not', async () => {
    const malformed = new NoisecapError('resolve/malformed', 'Cannot open location record: …')
    expect(await collect([failing('dns', malformed), fixed('after', [here])])).toHaveLength(1)
  })

  test('an aborted signal ends it with its reason, before and during a question', async () => {
    const reason = new Error('enough')
    await expect(collect([fixed('a', [here])], AbortSignal.abort(reason))).rejects.toBe(reason)
    const controller = new AbortController()
    const waiting: Resolver = {
      name: 'waiting',
      resolve: (_, { signal }) =>
        new Promise((_, reject) => signal?.addEventListener('abort', () => reject(new Error('other')))),
    }
    const next = fixed('next', [here])
    const running = collect([waiting, next], controller.signal)
    controller.abort(reason)
    await expect(running).rejects.toBe(reason)
    expect(next.asked).toBe(0)
  })
})

describe('resolveFirst', () => {
  test('gives the first answer', async () => {
    const answer = await resolveFirst([fixed('a', []), fixed('b', [here])], keyHash, context)
    expect(answer.resolver).toBe('b')
    expect(answer.asked).toHaveLength(2)
  })

  test('fails as answers does', async () => {
    expect((await failure(resolveFirst([fixed('a', [])], keyHash, context))).code).toBe('resolve/not_found')
  })
})

describe('hintResolver', () => {
  test('keeps the order in which the hints are written', async () => {
    expect(await hintResolver(['tcp://b:1', 'tcp://a:1']).resolve(keyHash, context)).toEqual([
      { uri: 'tcp://b:1', priority: 0, weight: 0 },
      { uri: 'tcp://a:1', priority: 1, weight: 0 },
    ])
  })
})
