// Values in every pattern: what opens, who wrote it, and the kind of every refusal.
import { describe, expect, test } from 'vitest'
import { generateKeyPair } from '../../src/crypto/index.js'
import { SEAL_CONTEXT_MAX_BYTES, SEAL_EPOCHS_CACHED_MAX } from '../../src/limits.js'
import {
  type Acceptance,
  Column,
  openAll,
  type RowKey,
  Sealed,
  type SealedHeader,
  type SealPatternName,
  SealReader,
  SealWriter,
  text,
} from '../../src/seal/index.js'
import { SEAL_PATTERNS } from '../../src/seal/pattern.js'
import {
  ACCEPT,
  ACCEPT_ALL,
  codeOf,
  email,
  flipped,
  identityOf,
  reader,
  rules,
  sealCapability,
  strangerKey,
  writerKey,
} from './parties.js'

const writerOf = (pattern: SealPatternName, onEpoch?: (header: SealedHeader) => void) =>
  new SealWriter({
    to: pattern.includes('psk') ? sealCapability() : reader.publicKey,
    as: identityOf(pattern),
    onEpoch,
  })
const readerOf = (...accept: readonly Acceptance[]) => new SealReader({ keys: reader, accept })

test('a revocation check that opens another value meanwhile disturbs nothing', () => {
  const writer = writerOf('Npsk0')
  const other = writerOf('N').seal('other', email.at(8))
  const inner = readerOf(ACCEPT.N)
  const isRevoked = () => inner.open(other, email.at(8)).value !== 'other'
  const opening = readerOf({ pattern: 'Npsk0', capabilities: { ...rules, isRevoked } })
  for (const value of ['first', 'second'])
    expect(opening.open(writer.seal(value, email.at(7)), email.at(7)).value).toBe(value)
})

describe.each(SEAL_PATTERNS)('%s', (pattern) => {
  test('a value opens in its place, and says of its writer what the pattern proves', () => {
    const sealed = writerOf(pattern).seal('ada@example.org', email.at(7))
    const { value, from } = readerOf(ACCEPT[pattern]).open(sealed, email.at(7))
    expect(value).toBe('ada@example.org')
    expect(from.pattern).toBe(pattern)
    expect('writer' in from && [...from.writer]).toEqual(
      pattern.startsWith('N') ? false : [...writerKey.publicKey],
    )
    expect('capability' in from && from.capability.grant.object).toBe(
      pattern.includes('psk') ? 'users/email' : false,
    )
  })

  test('every flipped bit is refused, by a reader that knows the epoch and by one that does not', () => {
    const sealed = writerOf(pattern).seal('x', email.at(7))
    const knowing = readerOf(...ACCEPT_ALL)
    knowing.open(sealed, email.at(7))
    const kinds = new Set<string>()
    // Every bit where that is cheap; a seal under a capability costs several DHs, so every third there.
    const step = pattern.includes('psk') ? 7 : 3
    for (let bit = 0; bit < sealed.length * 8; bit += 1) {
      const altered = flipped(sealed, bit)
      if (bit % step === 0) kinds.add(codeOf(() => readerOf(ACCEPT[pattern]).open(altered, email.at(7))))
      kinds.add(codeOf(() => knowing.open(altered, email.at(7))))
    }
    expect(kinds).not.toContain('none')
    for (const kind of kinds) {
      expect(kind).toMatch(
        /^seal\/(altered|malformed|version|not_accepted|not_for_reader|too_large|unknown_epoch)$/,
      )
    }
  })

  test('values of every length about those that are copied open, whole and compact, also in turn', () => {
    const whole = writerOf(pattern)
    const opening = readerOf(...ACCEPT_ALL)
    const compact = writerOf(pattern, ({ bytes }) => opening.learn(bytes))
    const overhead = whole.seal('', email.at(7)).length
    const lengths = [0, 1, 2_048 - overhead - 1, 2_048 - overhead, 2_049 - overhead, 2_048, 4_096]
    const values = lengths.map((length) => 'v'.repeat(length))
    const sealed = values.map((value) => [whole, compact].map((writer) => writer.seal(value, email.at(7))))
    for (let round = 0; round < 2; round++) {
      for (const [i, forms] of sealed.entries())
        for (const bytes of forms) expect(opening.open(bytes, email.at(7)).value).toBe(values[i])
    }
    // Of a value that is not copied, the header is still that of the epoch.
    const [long] = sealed.at(-1)!
    for (let bit = 8; bit < 8 * (overhead - 21); bit += 8)
      expect(codeOf(() => opening.open(flipped(long!, bit), email.at(7)))).not.toBe('none')
  })

  test('every truncation is refused, and so are further bytes', () => {
    const sealed = writerOf(pattern).seal('x', email.at(7))
    const knowing = readerOf(ACCEPT[pattern])
    knowing.open(sealed, email.at(7))
    for (let length = 0; length < sealed.length; length++) {
      expect(codeOf(() => knowing.open(sealed.subarray(0, length), email.at(7)))).toMatch(
        /^seal\/(altered|malformed)$/,
      )
    }
    expect(codeOf(() => knowing.open(new Uint8Array([...sealed, 0]), email.at(7)))).toBe('seal/altered')
  })

  test('a reader that does not accept the pattern refuses before any work', () => {
    const sealed = writerOf(pattern).seal('x', email.at(7))
    const others = Object.values(ACCEPT).filter((acceptance) => acceptance.pattern !== pattern)
    expect(codeOf(() => readerOf(...others).open(sealed, email.at(7)))).toBe('seal/not_accepted')
  })

  test('a reader with another key', () => {
    const sealed = writerOf(pattern).seal('x', email.at(7))
    const other = new SealReader({ keys: generateKeyPair(), accept: ACCEPT_ALL })
    expect(codeOf(() => other.open(sealed, email.at(7)))).toBe('seal/not_for_reader')
  })

  test('compact values name their epoch and open with its header', () => {
    const headers: SealedHeader[] = []
    const writer = writerOf(pattern, (header) => headers.push(header))
    const sealed = [writer.seal('one', email.at(1)), writer.seal('two', email.at(2))]
    expect(headers).toHaveLength(1)
    expect(codeOf(() => readerOf(ACCEPT[pattern]).open(sealed[0]!, email.at(1)))).toBe('seal/unknown_epoch')
    const learning = readerOf(ACCEPT[pattern])
    learning.learn(headers[0]!.bytes)
    expect(learning.open(sealed[1]!, email.at(2)).value).toBe('two')
    const asking = new SealReader({
      keys: reader,
      accept: [ACCEPT[pattern]],
      headers: (id) => headers.find((header) => Buffer.from(header.id).equals(id))?.bytes,
    })
    expect(asking.open(sealed[0]!, email.at(1)).value).toBe('one')
  })
})

test('overhead: 158 bytes whole for one reader of N, 39 compact', () => {
  const value = 'v'.repeat(100)
  expect(writerOf('N').seal(value, email.at(1))).toHaveLength(100 + 158)
  expect(writerOf('N', () => {}).seal(value, email.at(1))).toHaveLength(100 + 39)
})

describe('place', () => {
  const at = (table: string, column: string, schemaVersion?: number) =>
    new Column({ table, column, codec: text, schemaVersion })
  const rows: readonly RowKey[] = [
    null,
    '',
    '1',
    1,
    1.0e9,
    true,
    new Uint8Array([1]),
    [],
    [1],
    ['1'],
    'größe',
    -1,
    2n ** 63n,
  ]

  test('a moved value does not open, and the error says so', () => {
    const sealed = writerOf('N').seal('x', email.at(7))
    const opening = readerOf(ACCEPT.N)
    const elsewhere = [
      email.at(8),
      email.at('7'),
      email.at(null),
      email.whole(),
      at('users', 'name', 1).at(7),
      at('people', 'email', 1).at(7),
      at('users', 'email', 2).at(7),
      at('users', 'email').at(7),
      at('users', 'email', 0).at(7),
    ]
    for (const place of elsewhere) {
      expect(codeOf(() => opening.open(sealed, place))).toBe('seal/altered')
    }
    expect(() => opening.open(sealed, email.at(8))).toThrow(/moved or altered/)
  })

  test('rows of different types and none at all are different places', () => {
    const writer = writerOf('N')
    const opening = readerOf(ACCEPT.N)
    const places = [...rows.map((row) => email.at(row)), email.whole()]
    places.forEach((place, i) => {
      const sealed = writer.seal('x', place)
      places.forEach((other, j) => {
        expect(
          codeOf(() => opening.open(sealed, other)),
          `${i} ${j}`,
        ).toBe(i === j ? 'none' : 'seal/altered')
      })
    })
  })

  test('a context past its limit, a fraction and a lone surrogate are the caller’s mistake', () => {
    const writer = writerOf('N')
    expect(codeOf(() => writer.seal('x', email.at('r'.repeat(SEAL_CONTEXT_MAX_BYTES))))).toBe('RangeError')
    expect(codeOf(() => writer.seal('x', email.at(1.5)))).toBe('TypeError')
    expect(codeOf(() => writer.seal('x', email.at('\ud800')))).toBe('TypeError')
    expect(codeOf(() => at('t'.repeat(SEAL_CONTEXT_MAX_BYTES), 'c'))).toBe('RangeError')
    expect(codeOf(() => at('', 'c'))).toBe('TypeError')
    expect(codeOf(() => at('t', 'c', -1))).toBe('RangeError')
  })
})

describe('writers', () => {
  test('X: a writer that is not accepted is refused, and anyone where that is said', () => {
    const sealed = writerOf('X').seal('x', email.at(1))
    const strict = readerOf({ pattern: 'X', writers: [strangerKey.publicKey] })
    expect(codeOf(() => strict.open(sealed, email.at(1)))).toBe('seal/not_accepted')
    const open = new SealReader({ keys: reader, accept: [{ pattern: 'X', writers: 'anyone' }] })
    expect(open.open(sealed, email.at(1)).from.writer).toEqual(writerKey.publicKey)
  })

  test('K: a writer whose key the reader does not have is as good as altered', () => {
    const sealed = writerOf('K').seal('x', email.at(1))
    const strict = readerOf({ pattern: 'K', writers: [strangerKey.publicKey] })
    expect(codeOf(() => strict.open(sealed, email.at(1)))).toBe('seal/altered')
  })

  test('several readers of N, each opens; one reader only for X, K and capabilities', () => {
    const readers = Array.from({ length: 64 }, () => generateKeyPair())
    const sealed = new SealWriter({ to: readers.map(({ publicKey }) => publicKey) }).seal('x', email.at(1))
    for (const key of [readers[0]!, readers[63]!]) {
      expect(
        new SealReader({ keys: [strangerKey, key], accept: [ACCEPT.N] }).open(sealed, email.at(1)).value,
      ).toBe('x')
    }
    const keys = [reader.publicKey, strangerKey.publicKey]
    expect(codeOf(() => new SealWriter({ to: keys, as: identityOf('X') }))).toBe('RangeError')
    expect(codeOf(() => new SealWriter({ to: [] }))).toBe('RangeError')
    expect(codeOf(() => new SealWriter({ to: Array.from({ length: 65 }, () => reader.publicKey) }))).toBe(
      'RangeError',
    )
  })

  test('disposed ones refuse', () => {
    const writer = writerOf('N')
    const sealed = writer.seal('x', email.at(1))
    writer[Symbol.dispose]()
    expect(codeOf(() => writer.seal('x', email.at(1)))).toBe('TypeError')
    const opening = readerOf(ACCEPT.N)
    opening[Symbol.dispose]()
    expect(codeOf(() => opening.open(sealed, email.at(1)))).toBe('TypeError')
  })
})

describe('openAll', () => {
  test('in order, a bad one does not spoil the rest', () => {
    const writer = writerOf('N')
    const values = [1, 2, 3].map(
      (row) => new Sealed(writer.seal(`value ${row}`, email.at(row)), email.at(row)),
    )
    const moved = new Sealed(values[0]!.bytes, email.at(9))
    const missing = new Sealed(null as unknown as Uint8Array, email.at(1)) // what a driver gives for NULL
    const outcomes = openAll(readerOf(ACCEPT.N), [values[0]!, moved, missing, values[2]!])
    expect(outcomes.map((outcome) => (outcome.ok ? outcome.value : outcome.error.name))).toEqual([
      'value 1',
      'NoisecapError',
      'TypeError',
      'value 3',
    ])
    expect(values[1]!.open(readerOf(ACCEPT.N)).value).toBe('value 2')
  })
})

describe('cache of epochs', () => {
  test('what was opened from a Buffer of the driver’s lives on when the driver uses it again', () => {
    const key = generateKeyPair()
    const remembering = new SealReader({ keys: key, accept: [ACCEPT.N] })
    const kept = new SealWriter({ to: key.publicKey })
    const borrowed = Buffer.from(kept.seal('three', email.at(3)))
    const later = kept.seal('four', email.at(4))
    expect(remembering.open(borrowed, email.at(3)).value).toBe('three')
    borrowed.fill(0)
    key[Symbol.dispose]() // so that the header cannot be opened again
    expect(remembering.open(later, email.at(4)).value).toBe('four')
  })

  test('a bounded one opens what it has dropped again', () => {
    const small = new SealReader({ keys: reader, accept: [ACCEPT.N], maxEpochs: 2 })
    const writer = writerOf('N')
    const sealed = [1, 2, 3, 4].map((row) => {
      writer.endEpoch()
      return writer.seal(`v${row}`, email.at(row))
    })
    for (const round of [0, 1]) {
      sealed.forEach((bytes, i) => {
        expect(small.open(bytes, email.at(i + 1)).value, String(round)).toBe(`v${i + 1}`)
      })
    }
    expect(SEAL_EPOCHS_CACHED_MAX).toBe(1_024)
  })

  test('a compact value whose epoch was dropped asks for its header again', () => {
    const small = new SealReader({ keys: reader, accept: [ACCEPT.N], maxEpochs: 1 })
    const writer = writerOf('N', (header) => small.learn(header.bytes))
    const first = writer.seal('one', email.at(1))
    writer.endEpoch()
    const second = writer.seal('two', email.at(2))
    expect(small.open(second, email.at(2)).value).toBe('two')
    expect(codeOf(() => small.open(first, email.at(1)))).toBe('seal/unknown_epoch')
  })
})
