// Who seals to whom on the command line: readers from options, files or NOISECAP; writers and readers from key files; what a reader
// accepts. Leaves out the sealing.
import { existsSync } from 'node:fs'
import { type RevocationFile, readKeyPair, readServiceKey } from '../capability/files.js'
import { Capability, type ServiceKey } from '../capability/index.js'
import type { KeyPair, PublicKey } from '../crypto/index.js'
import { NoisecapError } from '../errors.js'
import type { Acceptance, CapabilityRules, WriterIdentity } from '../seal/index.js'
import { openRevocations, revocationPath } from './authority.js'
import { type Context, looksLikeCapability, readPassphrase, readTextFile } from './input.js'
import { readPublicKey } from './public-key.js'
import { UsageError } from './usage-error.js'

const READERS_MAX_BYTES = 262_144
const READER_HINT =
  'noisecap keygen prints the public key of a new key; noisecap mint --use seal a capability'

/** Options that say to whom. */
export interface ReaderOptions {
  readonly reader?: readonly string[]
  readonly readersFile?: readonly string[]
}

/** Options that name a key file. */
export interface KeyOptions {
  readonly key?: string
  readonly passphraseFile?: string
}

/** Options that say what a reader accepts. */
export interface AcceptOptions extends KeyOptions {
  readonly writer?: readonly string[]
  readonly object?: readonly string[]
  readonly revocations?: string
}

/** The readers that the options name: public keys, or one capability; else the capability in NOISECAP. */
export async function readReaders(
  { io, output }: Context,
  { reader = [], readersFile = [] }: ReaderOptions,
): Promise<readonly PublicKey[] | Capability<unknown>> {
  if (reader.some(looksLikeCapability)) {
    output.warn(
      'the capability is an argument, which other users can see in the process list; use --readers-file or NOISECAP',
    )
  }
  const lines = [...reader]
  for (const path of readersFile)
    lines.push(...readerLines(await readTextFile(path, 'readers file', READERS_MAX_BYTES)))
  const variable = io.env['NOISECAP']
  if (lines.length === 0 && variable !== undefined && variable !== '') lines.push(variable)
  if (lines.length === 0) {
    throw new UsageError(
      'Cannot seal: expected a reader, got none',
      'Give a public key or a capability with --reader, a file of them with --readers-file, or set NOISECAP',
    )
  }
  const [first, ...others] = lines
  if (!lines.some(looksLikeCapability)) return readPublicKeys(lines, '--reader')
  if (others.length === 0) return Capability.parse(first!.trim())
  throw new UsageError(
    `Cannot seal: expected a capability alone, got ${lines.length} readers`,
    'A seal under a capability has one reader; several readers are public keys',
  )
}

/** Public keys of an option. */
export function readPublicKeys(texts: readonly string[], option: string): readonly PublicKey[] {
  return texts.map((text) => readPublicKey(text.trim(), option, READER_HINT))
}

/** One a line; empty lines and lines that begin with # say nothing. */
function readerLines(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
}

/** As whom to write: with a key file X, or K where that is asked for. */
export async function readIdentity(
  options: KeyOptions & { readonly pattern?: 'X' | 'K' },
): Promise<WriterIdentity> {
  if (options.key === undefined) {
    if (options.pattern === undefined) return { pattern: 'N' }
    throw new UsageError(
      `Cannot seal as ${options.pattern}: expected the writer's key file, got none`,
      'Name it with --key',
    )
  }
  const { pair } = await readAnyKey(options.key, options)
  return { pattern: options.pattern ?? 'X', key: pair }
}

/** A key file of either kind. */
export async function readAnyKey(
  path: string,
  { passphraseFile }: KeyOptions,
): Promise<{ readonly pair: KeyPair; readonly service: ServiceKey | undefined }> {
  const passphrase = await readPassphrase(passphraseFile)
  try {
    const service = await readServiceKey(path, { passphrase })
    return { pair: service.keyPair, service }
  } catch (error) {
    if (!(error instanceof NoisecapError) || error.code !== 'capability/key_file') throw error
    // A client key, or no key at all, which this says.
    return { pair: await readKeyPair(path, { passphrase }), service: undefined }
  }
}

/** What is accepted, while the revocation file is open. */
export interface Accepted extends AsyncDisposable {
  readonly accept: readonly Acceptance[]
}

/** What is accepted: without further options N and X, and capabilities of the key file; with `--writer` these writers alone, with
 * `--object` capabilities for these objects alone. The revocation file beside the key file counts where there is one. */
export async function readAcceptances(
  service: ServiceKey | undefined,
  options: AcceptOptions,
): Promise<Accepted> {
  const { writer, object } = options
  const writers = writer === undefined ? undefined : readPublicKeys(writer, '--writer')
  const bare: readonly Acceptance[] =
    writers === undefined
      ? [{ pattern: 'N' }, { pattern: 'X', writers: 'anyone' }]
      : [
          { pattern: 'X', writers },
          { pattern: 'K', writers },
        ]
  if (service === undefined) {
    if (object === undefined) return { accept: bare, [Symbol.asyncDispose]: async () => undefined }
    throw new UsageError('Cannot open: expected a service key file with --object, got a client key')
  }
  const revocations = await openRevocationsOf(options)
  const isRevoked = (ids: readonly Uint8Array[]) => revocations?.revokesAny(ids) ?? false
  const capabilities: CapabilityRules = {
    authority: service.authority(),
    objects: object ?? 'any',
    isRevoked,
  }
  const under: readonly Acceptance[] =
    writers === undefined
      ? [
          { pattern: 'Npsk0', capabilities },
          { pattern: 'Xpsk1', writers: 'anyone', capabilities },
        ]
      : [
          { pattern: 'Xpsk1', writers, capabilities },
          { pattern: 'Kpsk0', writers, capabilities },
        ]
  return {
    accept: object === undefined ? [...bare, ...under] : under,
    [Symbol.asyncDispose]: async () => revocations?.close(),
  }
}

/** A service that never revoked anything has no such file; one that is named must be there. */
async function openRevocationsOf(options: AcceptOptions): Promise<RevocationFile | undefined> {
  const path = revocationPath(options)
  if (path === undefined || (options.revocations === undefined && !existsSync(path))) return undefined
  return openRevocations('open', path, false, 'Name it with --revocations')
}
