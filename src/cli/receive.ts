// `noisecap receive`: the messages of a box, to standard output, into a directory or to a command that decides by its exit code.
// A message is acknowledged once it has been written or handled, and given back otherwise. Leaves out where they go (message-sink.ts).
import type { Command } from 'commander'
import { connect } from '../index.js'
import { CollectInterface, Inbox, type OrderedStore, type Received } from '../mailbox/index.js'
import { bytes } from '../seal/index.js'
import { addDirectoryOptions, type DirectoryOptions, directories } from './directories.js'
import { type Context, readDuration, several } from './input.js'
import { addAddressOption, loadLmdb, readCollect } from './mailbox-address.js'
import { commandSink, directorySink, type MessageSink, outputSink } from './message-sink.js'
import { type KeyOptions, readAcceptances, readAnyKey } from './sealing-parties.js'
import { UsageError } from './usage-error.js'

interface Options extends DirectoryOptions, KeyOptions {
  readonly capabilityFile?: string
  readonly key: string
  readonly follow?: true
  readonly exec?: string
  readonly output?: string
  readonly seen?: string
  readonly writer?: readonly string[]
  readonly wait: string
}

/** Between two looks whether the box is empty, ms. */
const LOOK_MS = 100
/** Until a message that was given back comes again: at once enough for who follows, after this run otherwise. */
const RETRY_MS = { following: 1_000, once: 60_000 }

/** Add the command to `program`. */
export function addReceive(program: Command, context: Context): Command {
  const command = program
    .command('receive [capability]')
    .description('take the messages out of a box, and acknowledge what was handled')
    .requiredOption('--key <file>', 'key file of the recipient')
    .option('--passphrase-file <file>', 'passphrase of the key file')
  addAddressOption(command, 'the collect address')
  return addDirectoryOptions(command)
    .option('--follow', 'wait for more, until Ctrl-C')
    .option('--exec <command>', 'run it with each message on standard input; exit code 0 acknowledges')
    .option('-o, --output <directory>', 'write each message to a file there')
    .option('--seen <directory>', 'remember what was taken, so that nothing comes twice')
    .option('-w, --writer <public-key>', 'accept messages of this sender alone; may be repeated', several)
    .option('--wait <duration>', 'without --follow: end when nothing came for so long', '5s')
    .action((argument: string | undefined, options: Options) => receive(context, argument, options))
}

async function receive(context: Context, argument: string | undefined, options: Options): Promise<void> {
  if (options.exec !== undefined && options.output !== undefined)
    throw new UsageError('Cannot receive: expected --exec or --output, got both')
  const waitMs = readDuration(options.wait, '--wait') * 1_000
  const { pair } = await readAnyKey(options.key, options)
  using key = pair
  await using accepted = await readAcceptances(
    undefined,
    options.writer === undefined ? {} : { writer: options.writer },
  )
  const address = await readCollect(context, { argument, capabilityFile: options.capabilityFile })
  await using sink = await sinkOf(context, options)
  await using seen = options.seen === undefined ? undefined : await openSeen(options.seen)
  const stop = context.io.stopSignal()
  const ending = new AbortController()
  stop.addEventListener('abort', () => ending.abort(), { once: true })
  const run = new Run(context, sink)
  const inbox = new Inbox(address, key, bytes, {
    connect,
    connection: { resolvers: directories(context, options) },
    accept: accepted.accept,
    seen: seen as OrderedStore | undefined,
    window: 1,
    retryDelayMs: options.follow ? RETRY_MS.following : RETRY_MS.once,
    signal: ending.signal,
    onUnreadable: () => context.output.warn('a message that cannot be opened is a dead letter now'),
  })
  const ended = options.follow
    ? undefined
    : endWhenEmpty(context, address.capability, options, run, waitMs, ending)
  await inbox.run((message) => run.handle(message))
  await ended
  run.finish()
}

/** What one run has done. */
class Run {
  handled = 0
  givenBack = 0
  busy = false
  lastMs = performance.now()
  #failure: unknown
  readonly #context: Context
  readonly #sink: MessageSink

  constructor(context: Context, sink: MessageSink) {
    this.#context = context
    this.#sink = sink
  }

  /** @throws what makes the message come again. */
  async handle(message: Received): Promise<void> {
    this.busy = true
    try {
      await this.#sink.take(message)
      this.handled += 1
    } catch (error) {
      this.givenBack += 1
      this.#failure = error
      this.#context.output.warn(
        `gave back ${message.id}: ${error instanceof Error ? error.message : 'failed'}`,
      )
      throw error
    } finally {
      this.busy = false
      this.lastMs = performance.now()
    }
  }

  /** @throws an error when something was given back. */
  finish(): void {
    const { output } = this.#context
    output.note(`took ${this.handled} ${this.handled === 1 ? 'message' : 'messages'}`)
    if (this.givenBack === 0) return
    if (this.#failure instanceof UsageError) throw this.#failure
    throw new Error(`Cannot receive all: ${this.givenBack} given back, to come again`)
  }
}

/** End `ending` once nothing is there that this run has not given back, or nothing came for `waitMs`. */
async function endWhenEmpty(
  context: Context,
  capability: Parameters<typeof connect>[0],
  options: Options,
  run: Run,
  waitMs: number,
  ending: AbortController,
): Promise<void> {
  const resolvers = directories(context, options)
  try {
    await using box = await connect(capability as never, CollectInterface, { resolvers })
    while (!ending.signal.aborted) {
      const { messages } = await box.stat()
      const idleMs = performance.now() - run.lastMs
      if (!run.busy && (messages <= run.givenBack || idleMs >= waitMs)) break
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
    }
  } catch {
    // The inbox says what is wrong, if something is.
    return
  }
  ending.abort()
}

async function sinkOf(context: Context, options: Options): Promise<MessageSink> {
  if (options.exec !== undefined) return commandSink(context, options.exec)
  if (options.output !== undefined) return directorySink(context, options.output)
  return outputSink(context)
}

async function openSeen(path: string) {
  const { LmdbOrderedStore } = await loadLmdb()
  return new LmdbOrderedStore(path)
}
