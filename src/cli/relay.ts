// `noisecap relay`: keeps boxes for others until SIGINT or SIGTERM. Its key, its boxes and the capability that opens boxes lie in one
// directory that is open to its owner alone. Leaves out the relay (src/mailbox/relay.ts).
import { existsSync } from 'node:fs'
import { chmod, mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Command } from 'commander'
import { createServiceKey, RevocationFile, readServiceKey } from '../capability/files.js'
import type { ServiceKey } from '../capability/index.js'
import { Service } from '../index.js'
import { type MailboxStore, Relay } from '../mailbox/index.js'
import { defaultRegistryDirectory, FileRegistry } from '../resolve/file.js'
import { type Context, readDuration, readPassphrase, several } from './input.js'
import { loadLmdb, loadOptional } from './mailbox-address.js'
import { readCount } from './numbers.js'
import { UsageError } from './usage-error.js'

interface Options {
  readonly state: string
  readonly passphraseFile?: string
  readonly listen?: readonly string[]
  readonly postgres?: string
  readonly maxMessages?: string
  readonly maxBytes?: string
  readonly messageTtl?: string
}

const DEFAULT_STATE = 'noisecap-relay'
const DEFAULT_LISTEN = 'tcp://127.0.0.1:0'
const PRIVATE_DIRECTORY = 0o700
const PRIVATE_FILE = 0o600

/** Add the command to `program`. */
export function addRelay(program: Command, context: Context): Command {
  return program
    .command('relay')
    .description('keep boxes for messages until Ctrl-C; prints the capability that opens boxes')
    .option('--state <directory>', 'key, boxes and capability; made with mode 0700 if missing', DEFAULT_STATE)
    .option('--passphrase-file <file>', 'passphrase of the key file')
    .option('--listen <location>', `where to listen; may be repeated (default: ${DEFAULT_LISTEN})`, several)
    .option('--postgres <url>', 'keep boxes in this database, and not in the directory')
    .option('--max-messages <number>', 'most that a box may hold')
    .option('--max-bytes <number>', 'most bytes that a box may hold')
    .option('--message-ttl <duration>', 'longest life of a message')
    .action(async (options: Options) => {
      const limits = readLimits(options)
      const passphrase = await readPassphrase(options.passphraseFile)
      await makePrivate(options.state)
      const key = await openKey(join(options.state, 'relay.key'), passphrase)
      await using store = await openStore(options)
      await using revocations = await RevocationFile.open(join(options.state, 'relay.key.revoked'))
      await using service = openService(context, key, revocations)
      await using relay = new Relay(service, store, {
        limits,
        onSweepFailed: (error) => context.output.warn(`Cannot sweep: ${messageOf(error)}`),
      })
      await serve(context, service, relay, options)
    })
}

/** What boxes get that ask for nothing else, and the most they can ask for. */
function readLimits({ maxMessages, maxBytes, messageTtl }: Options) {
  return {
    ...(maxMessages === undefined ? {} : { maxMessages: readCount(maxMessages, '--max-messages') }),
    ...(maxBytes === undefined ? {} : { maxBytes: readCount(maxBytes, '--max-bytes') }),
    ...(messageTtl === undefined ? {} : { messageTtlSeconds: readDuration(messageTtl, '--message-ttl') }),
  }
}

async function makePrivate(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: PRIVATE_DIRECTORY })
    await chmod(path, PRIVATE_DIRECTORY)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'failed'
    throw new UsageError(`Cannot use --state ${path}: ${code}`, 'Name a directory of your own')
  }
}

async function openKey(path: string, passphrase: string | undefined): Promise<ServiceKey> {
  return existsSync(path) ? readServiceKey(path, { passphrase }) : createServiceKey(path, { passphrase })
}

async function openStore({ state, postgres }: Options): Promise<MailboxStore> {
  if (postgres === undefined) return (await loadLmdb()).openLmdbMailboxStore(join(state, 'boxes'))
  if (!/^postgres(ql)?:\/\//.test(postgres))
    throw new UsageError('Cannot use --postgres: expected postgres://…', 'A password may stand in PGPASSWORD')
  const { openPostgresMailboxStore } = await loadOptional('pg', () => import('../mailbox/postgres.js'))
  return openPostgresMailboxStore({ connectionString: postgres })
}

function openService({ io, output }: Context, key: ServiceKey, revocations: RevocationFile): Service {
  const registry = new FileRegistry({
    directory: defaultRegistryDirectory(io.env),
    onRefreshError: (error) => output.warn(`Cannot refresh the announcement: ${messageOf(error)}`),
  })
  return Service.create(key, {
    revocations,
    announcers: [registry],
    onInternalError: ({ errorId, method, error }) =>
      io.stderr(`error ${errorId} in ${method}: ${messageOf(error)}\n`),
  })
}

async function serve({ io, output }: Context, service: Service, relay: Relay, options: Options) {
  // Before anybody can see that it listens, so that a signal right after that closes it in order.
  const stop = io.stopSignal()
  const locations: string[] = []
  for (const location of options.listen ?? [DEFAULT_LISTEN]) locations.push(await service.listen(location))
  const text = relay.boxes.mint({}, { at: locations }).export()
  const file = join(options.state, 'relay.cap')
  await writePrivate(file, `${text}\n`)
  output.result([text], { capability: text, file, keyHash: service.keyHash, locations })
  output.note(`relay ${service.keyHash} at ${locations.join(', ')}; stop with Ctrl-C`)
  output.note(`the line above opens boxes here: keep it secret; it is in ${file}, too`)
  if (!stop.aborted)
    await new Promise<void>((done) => stop.addEventListener('abort', () => done(), { once: true }))
  output.note('closing')
}

/** A file with mode 0600 that is there whole or not at all. */
export async function writePrivate(path: string, text: string): Promise<void> {
  const temporary = `${path}.${process.pid}.new`
  await writeFile(temporary, text, { mode: PRIVATE_FILE })
  await rename(temporary, path)
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'failed'
}
