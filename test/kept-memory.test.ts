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
function reader(way: string): Reader {
  for (let tries = 0; tries < TRIES; tries++) {
    const told = runOnce(way)
    if (!told.isHemmedIn) return told
  }
  throw new Error('Cannot test the heap: in no process could it grow')
}

function runOnce(way: string): Reader {
  const script = fileURLToPath(new URL('./heap-of-a-reader.ts', import.meta.url))
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', script, way], {
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
if (!isGlibc) {
  console.error('\n*** SKIPPED: what glibc makes of long reads. This Node has another allocator\n')
}

describe.skipIf(!isGlibc)('glibc', () => {
  test.for([
    { way: 'opened', when: 'long messages were opened' },
    { way: 'tcp', when: 'an accepted socket was read' },
    { way: 'stdio', when: 'a stream of Node was read' },
    { way: 'ws', when: 'a WebSocket was read' },
  ])('takes blocks of 1 MiB from its heap once $when', { timeout: 30_000 }, ({ way }) => {
    const { fresh, early, late, others } = reader(way)
    expect(fresh).toBeLessThan(MIB)
    expect(early).toBeLessThan(MIB)
    // Of 96 MiB some lie where what was read has been.
    expect(late).toBeGreaterThan(96 * MIB - 2 * LONG_USE_BYTES)
    // Freed at once.
    expect(others).toBeLessThan(LESSON_BYTES)
  })

  test('is left as it is by short messages', { timeout: 30_000 }, () => {
    expect(reader('calls').late).toBeLessThan(MIB)
  })
})
