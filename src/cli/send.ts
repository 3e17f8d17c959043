// `noisecap send`: one message, from a file or standard input, to a box. It is sealed into an outbox on disk first, so that a long one
// costs no memory and an upload that is interrupted goes on. Leaves out sealing and sending (src/mailbox/outbox.ts).
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Command, Option } from 'commander'
import { connect } from '../index.js'
import { type FailedMessage, Outbox, type SendOptions } from '../mailbox/index.js'
import { addDirectoryOptions, type DirectoryOptions, directories } from './directories.js'
import { type Context, readDuration, readTextFile, several } from './input.js'
import { addAddressOption, loadLmdb, parseDeposit, readDeposit } from './mailbox-address.js'
import { UploadProgress, withProgress } from './progress.js'
import { counted, openInput } from './seal.js'
import { type KeyOptions, readIdentity } from './sealing-parties.js'
import { UsageError } from './usage-error.js'

interface Options extends DirectoryOptions, KeyOptions {
  readonly capabilityFile?: string
  readonly pattern?: 'X' | 'K'
  readonly reply?: string
  readonly ttl?: string
  readonly type: string
  readonly header?: readonly string[]
  readonly outbox?: string
  readonly timeout: string
}

/** Add the command to `program`. */
export function addSend(program: Command, context: Context): Command {
  const command = program.command('send [file]').description('send a file, or standard input, to a box')
  addAddressOption(command, 'the deposit address')
  return addDirectoryOptions(command)
    .option('--ttl <duration>', 'its life (default: 7d)')
    .option('--type <content-type>', 'what it is', 'application/octet-stream')
    .option('--header <name=value>', 'text that is sealed with it; may be repeated', several)
    .option('--reply <file>', 'file with a deposit address for answers')
    .option('--key <file>', 'key file of the sender, whom the recipient then learns')
    .addOption(
      new Option(
        '--pattern <name>',
        'X carries the key of the sender; K is for recipients who know it',
      ).choices(['X', 'K']),
    )
    .option('--passphrase-file <file>', 'passphrase of the key file')
    .option('--outbox <directory>', 'keep it there while the relay is away; the next send tries again')
    .option('--timeout <duration>', 'until it must be at the relay', '60s')
    .action((file: string | undefined, options: Options) =>
      send(context, file === '-' ? undefined : file, options),
    )
}

async function send(context: Context, file: string | undefined, options: Options): Promise<void> {
  const timeoutMs = readDuration(options.timeout, '--timeout') * 1_000
  const how = await readSendOptions(options)
  const as = await readIdentity(options)
  using _own = as.pattern === 'N' ? undefined : as.key
  await using input = file === undefined ? undefined : await openInput(file, 'send')
  const address = await readDeposit(context, sourceOf(context, file, options))
  const { LmdbOrderedStore } = await loadLmdb()
  await using directory = await outboxDirectory(options.outbox)
  await using store = new LmdbOrderedStore(directory.path)
  const failures: FailedMessage[] = []
  using uploading = await UploadProgress.create(context)
  await using outbox = new Outbox(store, address, {
    as,
    connect,
    connection: { resolvers: directories(context, options) },
    onFailed: (failure) => failures.push(failure),
    onUpload: (progress) => uploading.at(progress),
  })
  const stop = context.io.stopSignal()
  const source = input?.createReadStream({ autoClose: false }) ?? context.io.stdin
  const { id } = await withProgress(context, 'sealing', input, stop, (advance) =>
    outbox.send(counted(source, advance, stop), how),
  )
  await flush(outbox, timeoutMs, stop, options)
  const failure = failures.find((each) => each.id === id)
  if (failure !== undefined) throw new Error(`Cannot send: ${REASONS[failure.reason]}`)
  context.output.result([id], { id })
}

const REASONS: Readonly<Record<FailedMessage['reason'], string>> = {
  expired: 'its time was over before it was at the relay',
  gone: 'the box is gone',
  too_large: 'it is larger than all that the box may hold',
  unsupported: 'the store of that relay keeps no bodies of this length',
}

async function flush(
  outbox: Outbox,
  timeoutMs: number,
  stop: AbortSignal,
  { outbox: kept }: Options,
): Promise<void> {
  const deadline = AbortSignal.timeout(timeoutMs)
  try {
    await outbox.flush({ signal: stop.aborted ? deadline : AbortSignal.any([deadline, stop]) })
  } catch (error) {
    if (!deadline.aborted && !stop.aborted) throw error
    throw new Error(
      kept === undefined
        ? 'Cannot send: the relay did not take it in time; nothing was kept'
        : `Cannot send: the relay did not take it in time; it waits in ${kept}, and the next send with that --outbox tries again`,
    )
  }
}

/** Standard input is the message unless that is a file. */
function sourceOf({ io }: Context, file: string | undefined, { capabilityFile }: Options) {
  const fromInput = capabilityFile === '-' || (capabilityFile === undefined && !io.env['NOISECAP'])
  if (file === undefined && fromInput)
    throw new UsageError(
      'Cannot send: expected a deposit address, got none',
      'Name a file that holds it with --capability-file, or set NOISECAP; standard input is the message',
    )
  return { capabilityFile }
}

async function readSendOptions({ ttl, type, header = [], reply }: Options): Promise<SendOptions> {
  const headers = header.map((each): [string, string] => {
    const at = each.indexOf('=')
    if (at >= 1) return [each.slice(0, at), each.slice(at + 1)]
    throw new UsageError(`Cannot read --header: expected name=value, got ${JSON.stringify(each)}`)
  })
  return {
    ttl: ttl === undefined ? undefined : readDuration(ttl, '--ttl'),
    contentType: type,
    headers: Object.fromEntries(headers),
    reply: reply === undefined ? undefined : parseDeposit(await readTextFile(reply, 'reply address')),
  }
}

/** The directory of the outbox; without a name one that is gone afterwards. */
async function outboxDirectory(kept: string | undefined): Promise<{ path: string } & AsyncDisposable> {
  if (kept !== undefined) return { path: kept, [Symbol.asyncDispose]: async () => undefined }
  const path = await mkdtemp(join(tmpdir(), 'noisecap-send-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}
