// `noisecap call`: one method call with a capability, its result as JSON. Knows no interface: whatever name and value are
// given go to the service, which validates. Leaves out how values stand in JSON (json-value.ts).
import { type Command, Option } from 'commander'
import { readKeyPair } from '../capability/files.js'
import { type Capability, PATTERN_NAMES, type PatternName } from '../capability/index.js'
import { NoisecapError } from '../errors.js'
import { befriend, connect, iface, method } from '../index.js'
import { addDirectoryOptions, type DirectoryOptions, directories } from './directories.js'
import { type Context, looksLikeCapability, readCapability, readDuration, readPassphrase } from './input.js'
import { fromJsonText, toJsonValue } from './json-value.js'
import { UsageError } from './usage-error.js'

interface Options extends DirectoryOptions {
  readonly capabilityFile?: string
  readonly key?: string
  readonly pattern?: PatternName
  readonly befriend?: true
  readonly passphraseFile?: string
  readonly timeout: string
}

/** Add the command to `program`. */
export function addCall(program: Command, context: Context): Command {
  return addDirectoryOptions(program.command('call <method> [json] [capability]'))
    .description('call a method and print its result as JSON')
    .option('--capability-file <file>', 'read the capability from this file; - is standard input')
    .option('--key <file>', 'key file of the client, to prove who calls')
    .option('--passphrase-file <file>', 'passphrase of the key file')
    .addOption(
      new Option('--pattern <name>', 'handshake (default: NK without a key, IK with one)').choices(
        PATTERN_NAMES,
      ),
    )
    .option('--befriend', 'then ask the service to remember the key, so that KK works from now on')
    .option('--timeout <duration>', 'for connecting and the call together', '30s')
    .action(async (name: string, json: string | undefined, last: string | undefined, options: Options) => {
      const { input, argument } = readOperands(json, last)
      const timeoutMs = readDuration(options.timeout, '--timeout') * 1_000
      if (options.pattern === 'NK' && options.key !== undefined) {
        throw new UsageError('Cannot use --pattern NK: it is anonymous, expected no --key')
      }
      if (timeoutMs === 0) throw new UsageError('Cannot read --timeout: expected at least 1s, got 0')
      using capability = await readCapability(context, { argument, capabilityFile: options.capabilityFile })
      const passphrase = await readPassphrase(options.passphraseFile)
      using key = options.key === undefined ? undefined : await readKeyPair(options.key, { passphrase })
      if (key === undefined) checkKeyless(capability, options)
      const anything = iface('cli', { [name]: method<unknown, unknown>() })
      const deadline = performance.now() + timeoutMs
      const resolvers = directories(context, options)
      const { pattern } = options
      await using object = await connect(capability, anything, { key, pattern, timeoutMs, resolvers })
      const left = Math.max(1, Math.ceil(deadline - performance.now()))
      const result = await object[name]?.(input, { timeoutMs: left })
      if (options.befriend) await befriend(object)
      if (result === undefined) context.output.result([], {})
      else {
        const shown = toJsonValue(result)
        context.output.result([JSON.stringify(shown, undefined, 2)], { result: shown })
      }
    })
}

/** What connect would say, with hints for a command line. */
function checkKeyless({ caveats }: Capability, { pattern, befriend: asks }: Options): void {
  if (asks || (pattern !== undefined && pattern !== 'NK')) {
    const option = asks ? '--befriend' : `--pattern ${pattern}`
    throw new UsageError(`Cannot use ${option}: expected a client key`, 'Name its file with --key')
  }
  if (!caveats.some(({ type }) => type === 'holder')) return
  throw new NoisecapError(
    'session/denied',
    'Cannot call: the capability is bound to a client key (caveat holder)',
    { hint: 'Name the file of that key with --key' },
  )
}

/** A call without input may still be followed by a capability. */
function readOperands(
  json: string | undefined,
  last: string | undefined,
): { readonly input: unknown; readonly argument: string | undefined } {
  if (json !== undefined && last === undefined && looksLikeCapability(json)) {
    return { input: undefined, argument: json }
  }
  return { input: json === undefined ? undefined : fromJsonText(json), argument: last }
}
