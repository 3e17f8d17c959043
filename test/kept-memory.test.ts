// A process that goes on opening long messages has its allocator keep what the collector frees, once and not before.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { LESSON_BYTES, LONG_USE_BYTES } from '../src/kept-memory.js'

const MIB = 1_048_576

interface Reader {
  readonly fresh: number
  readonly early: number
  readonly late: number
  /** Memory outside of V8's heap besides the blocks, bytes. */
  readonly others: number
  readonly isHemmedIn: boolean
}

const TRIES = 10

/** Run the process that reads, until the heap of one can grow. */
function reader(): Reader {
  for (let tries = 0; tries < TRIES; tries++) {
    const told = runOnce()
    if (!told.isHemmedIn) return told
  }
  throw new Error('Cannot test the heap: in no process could it grow')
}

function runOnce(): Reader {
  const script = fileURLToPath(new URL('./heap-of-a-reader.ts', import.meta.url))
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', script], {
    encoding: 'utf8',
  })
  expect(stderr).toBe('')
  expect(status).toBe(0)
  return JSON.parse(stdout) as Reader
}

const { glibcVersionRuntime } = (
  process.report.getReport() as unknown as { header: { glibcVersionRuntime?: string } }
).header
const isGlibc = glibcVersionRuntime !== undefined
if (!isGlibc) console.warn('SKIPPED: what glibc makes of it: this Node has another allocator')

describe('memory of long plaintexts', () => {
  test.skipIf(!isGlibc)(
    'glibc takes blocks of 1 MiB from its heap once long messages were opened',
    () => {
      const { fresh, early, late, others } = reader()
      expect(fresh).toBeLessThan(MIB)
      expect(early).toBeLessThan(MIB)
      // Of 48 MiB some lie where what was opened has been.
      expect(late).toBeGreaterThan(48 * MIB - 1.5 * LONG_USE_BYTES)
      // Freed at once.
      expect(others).toBeLessThan(LESSON_BYTES)
    },
    30_000,
  )
})
