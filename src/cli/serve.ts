// `noisecap serve`: a service whose offers a module of the user makes, until SIGINT or SIGTERM.
// A key file that is missing is an error here, lest a mistyped path serve under a new name.
// Leaves out the service (src/service.ts).
import { access } from 'node:fs/promises'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { inspect } from 'node:util'
import type { Command } from 'commander'
import { RevocationFile, readServiceKey } from '../capability/files.js'
import { Service } from '../index.js'
import { defaultRegistryDirectory, FileRegistry } from '../resolve/file.js'
import { ContactFile } from '../session/files.js'
import { redactSecrets } from './failure.js'
import { type Context, readPassphrase, several } from './input.js'
import { UsageError } from './usage-error.js'

interface Options {
  readonly key: string
  readonly passphraseFile?: string
  readonly listen?: readonly string[]
  readonly revocations?: string
  readonly contacts?: string
}

/** What a served module exports by default. */
type Offers = (service: Service) => void | Promise<void>

const DEFAULT_LISTEN = 'tcp://127.0.0.1:0'

/** Add the command to `program`. */
export function addServe(program: Command, context: Context): Command {
  return program
    .command('serve <module>')
    .description('serve what an ES module offers, until Ctrl-C')
    .requiredOption('--key <file>', 'key file of the service')
    .option('--passphrase-file <file>', 'passphrase of the key file')
    .option('--listen <location>', `where to listen; may be repeated (default: ${DEFAULT_LISTEN})`, several)
    .option('--revocations <file>', 'revocation file (default: <key file>.revoked)')
    .option(
      '--contacts <file>',
      'contact file, for clients that greet with KK (default: <key file>.contacts)',
    )
    .addHelpText(
      'after',
      '\nThe module exports by default: (service) => { service.offer(path, interface, factory) }',
    )
    .action(async (module: string, options: Options) => {
      const offers = await loadOffers(module)
      const passphrase = await readPassphrase(options.passphraseFile)
      const key = await readServiceKey(options.key, { passphrase })
      await using revocations = await RevocationFile.open(options.revocations ?? `${options.key}.revoked`)
      await using contacts = await openContacts(context, options.contacts ?? `${options.key}.contacts`)
      await using service = openService(context, key, revocations, contacts)
      await runModule(module, () => offers(service))
      await serveUntilStopped(context, service, options.listen ?? [DEFAULT_LISTEN])
    })
}

function openContacts({ output }: Context, path: string): Promise<ContactFile> {
  return ContactFile.open(path, {
    onFailure: (failure) => output.warn(`${failure.message}; until it is mended KK meets silence`),
  })
}

function openService(
  { io, output }: Context,
  key: Service['key'],
  revocations: RevocationFile,
  contacts: ContactFile,
): Service {
  revocations.onChange(({ failure }) => {
    if (failure !== undefined)
      output.warn(`${failure.message}; until it is mended every capability is refused`)
  })
  const registry = new FileRegistry({
    directory: defaultRegistryDirectory(io.env),
    onRefreshError: (error) => output.warn(`Cannot refresh the announcement: ${messageOf(error)}`),
  })
  return Service.create(key, {
    revocations,
    contacts,
    announcers: [registry],
    onInternalError: ({ errorId, method, error }) =>
      io.stderr(`error ${errorId} in ${method}: ${redactSecrets(inspect(error))}\n`),
  })
}

async function serveUntilStopped(
  { io, output }: Context,
  service: Service,
  listen: readonly string[],
): Promise<void> {
  // Before anybody can see that it listens, so that a signal right after that closes it in order.
  const stop = io.stopSignal()
  const locations: string[] = []
  for (const location of listen) locations.push(await service.listen(location))
  output.result(locations, { keyHash: service.keyHash, locations })
  output.note(`serving ${service.keyHash}; stop with Ctrl-C`)
  if (!stop.aborted) {
    await new Promise<void>((done) => stop.addEventListener('abort', () => done(), { once: true }))
  }
  output.note('closing')
}

async function loadOffers(path: string): Promise<Offers> {
  await access(path).catch(() => {
    throw new UsageError(`Cannot load module ${path}: no such file, or not readable`)
  })
  const loaded: unknown = await runModule(path, () => import(pathToFileURL(resolve(path)).href))
  const offers = (loaded as { readonly default?: unknown }).default
  if (typeof offers === 'function') return offers as Offers // what it takes, only its author can check
  throw new UsageError(
    `Cannot serve ${path}: expected a function as its default export, got ${offers === undefined ? 'none' : typeof offers}`,
    'Write: export default (service) => { service.offer(path, interface, factory) }',
  )
}

/** Run the user's code; what it throws is told with the place in the code, since that is what he has to mend. */
async function runModule<T>(path: string, code: () => T | Promise<T>): Promise<T> {
  try {
    return await code()
  } catch (error) {
    const place = error instanceof Error ? /file:\/\/[^\s)]+:\d+/.exec(error.stack ?? '')?.[0] : undefined
    const hint = place === undefined ? undefined : `Thrown at ${place}`
    throw new UsageError(`Cannot load module ${path}: ${messageOf(error)}`, hint)
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'failed'
}
