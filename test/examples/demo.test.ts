// The demo runs as a user runs it, and its account of itself is held to what it printed.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { Story, wantsColour } from '../../examples/notes/story.js'

test('the notes demo runs to its end, and all of its checks hold', async () => {
  const child = spawn(process.execPath, ['--import', 'tsx', 'examples/notes/demo.ts'])
  const ended = once(child, 'exit')
  const [output, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), ended])
  expect(errors).toBe('')
  expect(output).not.toContain('not so')
  expect(output).toMatch(/All \d+ checks hold\.\n$/)
  expect(code).toBe(0)
  expect(output, 'no colour into a pipe').not.toContain('\u001b')
  expect(output, 'no secret of a capability').not.toMatch(/noisecap:\/\/[a-z2-7]{52}[^#\s]*#(?!\[redacted\])/)
}, 60_000)

test('the demo of calls runs to its end, and all of its checks hold', async () => {
  const child = spawn(process.execPath, ['--import', 'tsx', 'examples/document/demo.ts'])
  const ended = once(child, 'exit')
  const [output, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), ended])
  expect(errors).toBe('')
  expect(output).not.toContain('not so')
  expect(output).toMatch(/OK: all \d+ checks hold\.\n$/)
  expect(code).toBe(0)
}, 60_000)

test('Story.check, when something does not hold, says so and counts it', () => {
  const lines: string[] = []
  const story = new Story((line) => lines.push(line), false)
  story.check(true, 'one')
  story.check(false, 'two')
  expect(story).toMatchObject({ checks: 2, failures: 1 })
  expect(lines).toEqual(['   ✓ one', '   ✗ not so: two'])
})

test.each([
  { isTTY: true, env: { TERM: 'xterm' }, colour: true },
  { isTTY: undefined, env: { TERM: 'xterm' }, colour: false },
  { isTTY: true, env: { TERM: 'xterm', NO_COLOR: '1' }, colour: false },
  { isTTY: true, env: { TERM: 'xterm', NO_COLOR: '' }, colour: true },
  { isTTY: true, env: { TERM: 'dumb' }, colour: false },
])('wantsColour, terminal $isTTY and $env, is $colour', ({ isTTY, env, colour }) => {
  expect(wantsColour({ isTTY }, env)).toBe(colour)
})
