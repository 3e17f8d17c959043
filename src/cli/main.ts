#!/usr/bin/env node
// The command `noisecap`: gives the process's arguments and streams to run.ts and ends with its exit code.
// Leaves out everything else, so that run() can be tested without a process.
import process from 'node:process'
import { setFlagsFromString } from 'node:v8'

/** Their work is done in native code. */
const NATIVE_COMMANDS: ReadonlySet<string | undefined> = new Set(['seal', 'open', 'rewrap'])

// V8's optimizing compilers take 7 MiB as soon as they have compiled one function, of the 64 that these commands may take. So they
// are kept from that before anything else is loaded.
if (NATIVE_COMMANDS.has(process.argv[2]))
  for (const flag of ['--no-opt', '--no-maglev']) setFlagsFromString(flag)
const [{ wantsColour }, { run }] = await Promise.all([import('./colour.js'), import('./run.js')])

/** Registered when a command asks, so that the others end at once. A second signal finds no handler, and ends the process. */
function stopSignal(): AbortSignal {
  const stop = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort())
  return stop.signal
}

// A reader that has gone away, as in `noisecap inspect | head -1`, is no failure.
process.stdout.on('error', () => undefined)
process.stderr.on('error', () => undefined)

const exitCode = await run(process.argv.slice(2), {
  env: process.env,
  stdin: process.stdin,
  stdout: (text) => process.stdout.write(text),
  stderr: (text) => process.stderr.write(text),
  writeBytes: (bytes) =>
    new Promise((resolve, reject) => {
      process.stdout.write(bytes, (error) => (error ? reject(error) : resolve()))
    }),
  toTerminal: process.stdout.isTTY === true,
  progress: process.stderr.isTTY === true ? process.stderr : undefined,
  colour: wantsColour(process.stdout, process.env),
  stopSignal,
  optimize: () => setFlagsFromString('--opt'),
})
// Ends even if a served module left timers or sockets behind, but not before what was written is out.
process.stdout.write('', () => process.stderr.write('', () => process.exit(exitCode)))
