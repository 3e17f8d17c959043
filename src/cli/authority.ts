// What the service's own files say about a capability, for `inspect` and `revoke`: the key file recomputes its links and
// tells whether the secret is genuine, the revocation file tells which links were revoked.
// Leaves out the recomputation (src/capability/authenticate.ts).
import { access } from 'node:fs/promises'
import type { Command } from 'commander'
import { RevocationFile, readServiceKey } from '../capability/files.js'
import { type Authenticated, authenticate, type Capability } from '../capability/index.js'
import { NoisecapError } from '../errors.js'
import { readPassphrase } from './input.js'
import { UsageError } from './usage-error.js'

/** Options that name the files of a service. */
export interface AuthorityOptions {
  readonly key?: string
  readonly passphraseFile?: string
  readonly revocations?: string
}

/** Add the options to `command`. */
export function addAuthorityOptions(command: Command): Command {
  return command
    .option('--key <file>', 'key file of the service, which knows all ids and what is genuine')
    .option('--passphrase-file <file>', 'passphrase of the key file')
    .option('--revocations <file>', 'revocation file of the service (default: <key file>.revoked)')
}

/** `capability` as the key file sees it; undefined without `--key`, and for a pair registered by hand, which no key file
 * holds.
 * @throws `capability/denied` for one of another service, or of a root that was retired. */
export async function askKeyFile(
  capability: Capability,
  { key: path, passphraseFile }: AuthorityOptions,
): Promise<Authenticated | undefined> {
  if (path === undefined) return undefined
  using key = await readServiceKey(path, { passphrase: await readPassphrase(passphraseFile) })
  if (capability.kid === 0 && capability.keyHash === key.keyHash) return undefined
  return authenticate(capability, key.authority())
}

/** Why a capability that is not genuine is refused. */
export function madeUp(action: string, hint: string): NoisecapError {
  return new NoisecapError(
    'capability/denied',
    `Cannot ${action}: expected a genuine capability, got a secret that does not belong to its locator`,
    { hint },
  )
}

/** Where revocations stand: as told, else beside the key file; undefined where neither is given. */
export function revocationPath({ key, revocations }: AuthorityOptions): string | undefined {
  return revocations ?? (key === undefined ? undefined : `${key}.revoked`)
}

/** The revocation file. A mistyped path must not look like a file in which nothing is revoked, nor like a revocation that
 * holds: one that is missing is an error unless it shall be created. */
export async function openRevocations(
  action: string,
  path: string,
  create: boolean,
  hint: string,
): Promise<RevocationFile> {
  if (!create) {
    await access(path).catch(() => {
      throw new UsageError(`Cannot ${action}: no such revocation file, or not readable: ${path}`, hint)
    })
  }
  return RevocationFile.open(path, { create })
}
