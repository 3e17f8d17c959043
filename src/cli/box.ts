// `noisecap box`: opens a box at a relay, says what is in it, ends it. Leaves out sending (send.ts) and receiving (receive.ts).
import { existsSync } from 'node:fs'
import { Argument, type Command } from 'commander'
import type { PublicKey } from '../crypto/index.js'
import { connect } from '../index.js'
import { type BoxStat, CollectInterface, RelayClient } from '../mailbox/index.js'
import { addDirectoryOptions, type DirectoryOptions, directories } from './directories.js'
import { type Context, readDuration } from './input.js'
import { addAddressOption, readCollect, readOpener } from './mailbox-address.js'
import { readCount } from './numbers.js'
import { table } from './output.js'
import { sizeText } from './progress.js'
import { readPublicKey } from './public-key.js'
import { writePrivate } from './relay.js'
import { readAnyKey } from './sealing-parties.js'
import { UsageError } from './usage-error.js'

interface Options extends DirectoryOptions {
  readonly capabilityFile?: string
  readonly key?: string
  readonly passphraseFile?: string
  readonly to?: string
  readonly ttl?: string
  readonly messageTtl?: string
  readonly maxMessages?: string
  readonly maxBytes?: string
  readonly maxDeliveries?: string
  readonly unordered?: true
  readonly output?: string
}

type Action = 'create' | 'stat' | 'drop'
const TO_HINT = 'noisecap keygen --client prints the public key of a new key'

/** Add the command to `program`. */
export function addBox(program: Command, context: Context): Command {
  const command = program
    .command('box')
    .addArgument(new Argument('<action>', 'what to do').choices(['create', 'stat', 'drop']))
    .argument('[capability]')
    .description('create a box at a relay, say what is in one, or drop one')
  addAddressOption(command, 'the capability of the relay, or the collect address')
  return addDirectoryOptions(command)
    .option('--to <public-key>', 'create: to whom senders seal')
    .option('--key <file>', 'create: key file of the recipient, instead of --to')
    .option('--passphrase-file <file>', 'passphrase of the key file')
    .option('-o, --output <prefix>', 'create: write <prefix>.deposit, .collect and .notify, mode 0600')
    .option('--ttl <duration>', 'create: life of the box (default: until it is dropped)')
    .option('--message-ttl <duration>', 'create: longest life of a message in it')
    .option('--max-messages <number>', 'create: most that it may hold')
    .option('--max-bytes <number>', 'create: most bytes that it may hold')
    .option('--max-deliveries <number>', 'create: deliveries after which a message is a dead letter')
    .option('--unordered', 'create: do not hold up messages behind one that is delayed')
    .action(async (action: Action, argument: string | undefined, options: Options) => {
      if (action === 'create') await create(context, argument, options)
      else if (action === 'stat') await stat(context, argument, options)
      else await drop(context, argument, options)
    })
}

async function create(context: Context, argument: string | undefined, options: Options): Promise<void> {
  const to = await readRecipient(options)
  const limits = readBoxOptions(options)
  checkOutput(options.output)
  const opener = await readOpener(context, { argument, capabilityFile: options.capabilityFile })
  const reach = { connect, connection: { resolvers: directories(context, options) } }
  await using client = new RelayClient(opener, reach)
  const box = await client.openBox({ to, ...limits })
  const made = {
    deposit: box.deposit.export(),
    collect: box.collect.export(),
    notify: box.notify.export(),
  }
  if (options.output === undefined) {
    context.output.result(table(Object.entries(made)), made)
    context.output.note('deposit is for senders; keep collect; notify only tells that something arrived')
    return
  }
  const files: Record<string, string> = {}
  for (const [role, text] of Object.entries(made)) {
    files[role] = `${options.output}.${role}`
    await writePrivate(files[role], `${text}\n`)
  }
  context.output.result(table(Object.entries(files)), { files })
}

async function stat(context: Context, argument: string | undefined, options: Options): Promise<void> {
  await using box = await connectBox(context, argument, options)
  const found: BoxStat = statOf(await box.stat())
  const { limits, expiresMs } = found
  const rows: [string, string][] = [
    ['messages', `${found.messages} of ${limits.maxMessages}`],
    ['bytes', `${sizeText(found.bytes + found.deadBytes)} of ${sizeText(limits.maxBytes)}`],
    ['dead letters', String(found.deadLetters)],
    ['arrived', String(found.arrivals)],
    ['refused', String(found.refusals)],
    ['message life', `${limits.messageTtlSeconds} s`],
    ['expires', expiresMs === undefined ? 'when it is dropped' : new Date(expiresMs).toISOString()],
  ]
  context.output.result(table(rows), found)
}

async function drop(context: Context, argument: string | undefined, options: Options): Promise<void> {
  await using box = await connectBox(context, argument, options)
  await box.drop()
  context.output.result([], { dropped: true })
  context.output.note('dropped the box, and all that was in it')
}

async function connectBox(context: Context, argument: string | undefined, options: Options) {
  const address = await readCollect(context, { argument, capabilityFile: options.capabilityFile })
  return connect(address.capability, CollectInterface, { resolvers: directories(context, options) })
}

/** Without what a newer relay says besides. */
function statOf({
  limits,
  ...rest
}: Omit<BoxStat, 'expiresMs'> & { expiresMs?: number | undefined }): BoxStat {
  return { ...rest, expiresMs: rest.expiresMs, limits }
}

async function readRecipient(options: Options): Promise<PublicKey> {
  const { to, key } = options
  if (to !== undefined && key !== undefined)
    throw new UsageError('Cannot create box: expected --to or --key, got both')
  if (to !== undefined) return readPublicKey(to, '--to', TO_HINT)
  if (key === undefined)
    throw new UsageError(
      'Cannot create box: expected a recipient, got none',
      `Name one with --to or --key; ${TO_HINT}`,
    )
  using pair = (await readAnyKey(key, options)).pair
  return pair.publicKey
}

function readBoxOptions(options: Options) {
  const { ttl, messageTtl, maxMessages, maxBytes, maxDeliveries, unordered } = options
  return {
    ...(ttl === undefined ? {} : { ttlSeconds: readDuration(ttl, '--ttl') }),
    ...(messageTtl === undefined ? {} : { messageTtlSeconds: readDuration(messageTtl, '--message-ttl') }),
    ...(maxMessages === undefined ? {} : { maxMessages: readCount(maxMessages, '--max-messages') }),
    ...(maxBytes === undefined ? {} : { maxBytes: readCount(maxBytes, '--max-bytes') }),
    ...(maxDeliveries === undefined ? {} : { maxDeliveries: readCount(maxDeliveries, '--max-deliveries') }),
    ...(unordered === true ? { ordered: false } : {}),
  }
}

/** Addresses are secrets that exist once: none is written over. */
function checkOutput(prefix: string | undefined): void {
  if (prefix === undefined) return
  for (const role of ['deposit', 'collect', 'notify'])
    if (existsSync(`${prefix}.${role}`))
      throw new UsageError(`Cannot write ${prefix}.${role}: it exists already`, 'Choose another --output')
}
