// Interfaces as values: which names are refused, and what a stub has and has not.
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { CallError, Failure, iface, method } from '../../src/rpc/index.js'

const Notes = iface('Notes', {
  add: method(z.object({ text: z.string() }), z.number(), {
    errors: { full: z.object({ max: z.number() }) },
  }),
  list: method<void, string[]>(),
})

describe('iface', () => {
  test.each(['then', 'catch', 'finally', 'constructor', 'prototype', '', 'x'.repeat(128), 'ü'.repeat(64)])(
    'the name %j is refused',
    (name) => {
      expect(() => iface('Bad', { [name]: method<void, void>() })).toThrow(TypeError)
    },
  )

  test('an own __proto__ is refused, an inherited method is none', () => {
    const own = Object.defineProperty({}, '__proto__', { value: method<void, void>(), enumerable: true })
    expect(() => iface('Bad', own)).toThrow(TypeError)
    const inherited = Object.create({ hidden: method<void, void>() }) as Record<string, never>
    expect(iface('Empty', inherited).methods.size).toBe(0)
  })

  test('a name of 127 bytes is allowed, and encoded with its length', () => {
    const name = 'x'.repeat(127)
    expect(iface('Long', { [name]: method<void, void>() }).methods.get(name)?.encodedName[0]).toBe(127)
  })

  test('failure makes declared errors only', () => {
    const failure = Notes.failure('add', 'full', { max: 3 }, 'no room')
    expect(failure).toBeInstanceOf(Failure)
    expect(failure).toMatchObject({ reason: 'declared', failureName: 'full', data: { max: 3 } })
    const loose = Notes.failure as unknown as (...args: string[]) => unknown
    expect(() => loose.call(Notes, 'add', 'other')).toThrow(TypeError)
    expect(() => loose.call(Notes, 'list', 'full')).toThrow(TypeError)
    expect(() => loose.call(Notes, 'add', 'toString')).toThrow(TypeError)
  })

  test('isFailure asks for code, name and method', () => {
    const error = (code: 'rpc/declared' | 'rpc/internal', of: string, failureName: string) =>
      new CallError(code, 'x', { method: of, mayHaveRun: true, failureName })
    expect(Notes.isFailure(error('rpc/declared', 'add', 'full'), 'add', 'full')).toBe(true)
    expect(Notes.isFailure(error('rpc/internal', 'add', 'full'), 'add', 'full')).toBe(false)
    expect(Notes.isFailure(error('rpc/declared', 'list', 'full'), 'add', 'full')).toBe(false)
    expect(Notes.isFailure(error('rpc/declared', 'add', 'other'), 'add', 'full')).toBe(false)
    expect(Notes.isFailure(new Error('full'), 'add', 'full')).toBe(false)
  })
})
