// Key files: a service's or a client's secrets on disk with mode 0600, never overwritten by creating; spec/capability.md §9.
// A file that others may read is refused, with the command that mends it.
// Node only. Leaves out the bytes (key-file-format.ts, key-file-secrets.ts) and how a file comes to be in one step (src/atomic-file.ts).
import { scrypt } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { writeFileAtomic } from '../atomic-file.js'
import { wipe } from '../bytes.js'
import { generateKeyPair, type KeyPair } from '../crypto/index.js'
import { NoisecapError } from '../errors.js'
import { KEY_FILE_MAX_BYTES } from '../limits.js'
import {
  decodeKeyFile,
  encodeKeyFile,
  type KeyDeriver,
  type KeyFileKind,
  keyFileError,
  SCRYPT_R,
} from './key-file-format.js'
import { decodeKeyPair, decodeServiceKey, encodeKeyPair, encodeServiceKey } from './key-file-secrets.js'
import { ServiceKey } from './service-key.js'

/** How a key file is protected. */
export interface KeyFileOptions {
  /** At least one character; left out for a plain file, which mode 0600 alone protects. */
  readonly passphrase?: string | undefined
}

const MODE = 0o600
const OTHERS = 0o077

/** The service key of a file.
 * @throws `capability/key_file` when it is missing, damaged, of another kind, or readable by others;
 * `capability/passphrase` when the passphrase is wrong, missing, or one too many. */
export async function readServiceKey(path: string, options: KeyFileOptions = {}): Promise<ServiceKey> {
  return withSecrets(path, 'service', options, decodeServiceKey)
}

/** A new file for a service key.
 * @param options - `key` is written, a new random one where it is left out.
 * @returns the key that was written.
 * @throws `capability/key_file` when there is a file already, which stays as it was. */
export async function createServiceKey(
  path: string,
  options: KeyFileOptions & { readonly key?: ServiceKey } = {},
): Promise<ServiceKey> {
  const key = options.key ?? ServiceKey.generate()
  await writeKeyFile(path, 'service', encodeServiceKey(key), options, true)
  return key
}

/** The service key of a file, which is created if it is missing. */
export function openServiceKey(path: string, options: KeyFileOptions = {}): Promise<ServiceKey> {
  return readOrCreate(
    () => readServiceKey(path, options),
    () => createServiceKey(path, options),
  )
}

/** Write a service key back after its roots were rotated or retired; the file changes in one step.
 * One process at a time may do so: the last one wins.
 * @throws `capability/key_file` unless the file holds the same static key; other codes as {@link readServiceKey}. */
export async function updateServiceKey(
  path: string,
  key: ServiceKey,
  options: KeyFileOptions = {},
): Promise<void> {
  using old = await readServiceKey(path, options)
  if (!old.keyPair.equals(key.keyPair)) {
    throw keyFileError('expected the key of the same service', 'Write it to a file of its own')
  }
  await writeKeyFile(path, 'service', encodeServiceKey(key), options, false)
}

/** The client key of a file; throws as {@link readServiceKey}. */
export async function readKeyPair(path: string, options: KeyFileOptions = {}): Promise<KeyPair> {
  return withSecrets(path, 'client', options, decodeKeyPair)
}

/** A new file for a client key; as {@link createServiceKey}. */
export async function createKeyPair(
  path: string,
  options: KeyFileOptions & { readonly key?: KeyPair } = {},
): Promise<KeyPair> {
  const key = options.key ?? generateKeyPair()
  await writeKeyFile(path, 'client', encodeKeyPair(key), options, true)
  return key
}

/** The client key of a file, which is created if it is missing. */
export function openKeyPair(path: string, options: KeyFileOptions = {}): Promise<KeyPair> {
  return readOrCreate(
    () => readKeyPair(path, options),
    () => createKeyPair(path, options),
  )
}

/** Reads; creates where there is no file; reads again where another process was faster. */
async function readOrCreate<T>(read: () => Promise<T>, create: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    if (!causedBy(error, 'ENOENT')) throw error
  }
  try {
    return await create()
  } catch (error) {
    if (!causedBy(error, 'EEXIST')) throw error
  }
  return read()
}

async function withSecrets<T>(
  path: string,
  kind: KeyFileKind,
  { passphrase }: KeyFileOptions,
  decode: (secrets: Uint8Array) => T,
): Promise<T> {
  const bytes = await readPrivateFile(path)
  const secrets = await decodeKeyFile(bytes, kind, deriverOf(passphrase))
  try {
    return decode(secrets)
  } finally {
    wipe(secrets, bytes)
  }
}

/** Bytes of a file that nobody else may read; judged on the open file, so that it cannot be swapped in between. */
async function readPrivateFile(path: string): Promise<Uint8Array> {
  let file: FileHandle
  try {
    file = await open(path, 'r')
  } catch (cause) {
    throw fileError('read', path, cause)
  }
  try {
    const { mode, size } = await checkedStat(file)
    if (process.platform !== 'win32' && (mode & OTHERS) !== 0) {
      throw keyFileError(
        `expected a file that only its owner may read, got mode 0${(mode & 0o777).toString(8)}`,
        `Run: chmod 600 ${shellQuoted(path)}`,
      )
    }
    // One byte more than the size at most: a file that grows meanwhile is not read without bound.
    const bytes = new Uint8Array(size + 1)
    const { bytesRead } = await file.read(bytes, 0, bytes.length, 0)
    if (bytesRead !== size) throw keyFileError('expected a file that does not change while it is read')
    return bytes.subarray(0, size)
  } finally {
    await file.close()
  }
}

async function checkedStat(file: FileHandle): Promise<{ mode: number; size: number }> {
  const stat = await file.stat()
  if (!stat.isFile()) throw keyFileError('expected a regular file')
  if (stat.size > KEY_FILE_MAX_BYTES) {
    throw keyFileError(`expected at most ${KEY_FILE_MAX_BYTES} bytes, got ${stat.size}`)
  }
  return stat
}

async function writeKeyFile(
  path: string,
  kind: KeyFileKind,
  secrets: Uint8Array,
  { passphrase }: KeyFileOptions,
  exclusive: boolean,
): Promise<void> {
  const bytes = await encodeKeyFile(kind, secrets, deriverOf(passphrase))
  wipe(secrets)
  try {
    await writeFileAtomic(path, bytes, { mode: MODE, exclusive })
  } catch (cause) {
    throw fileError('write', path, cause)
  } finally {
    wipe(bytes)
  }
}

/** scrypt (RFC 7914) of the passphrase in NFKC, so that it is the same on every keyboard.
 * From node:crypto: ten times as fast as JavaScript, and it runs off the event loop. */
function deriverOf(passphrase: string | undefined): KeyDeriver | undefined {
  if (passphrase === undefined) return undefined
  if (passphrase === '') throw new TypeError('Cannot use passphrase: expected at least one character')
  const text = passphrase.normalize('NFKC')
  return ({ logN, p }, salt) =>
    new Promise((resolve, reject) => {
      const N = 2 ** logN
      const maxmem = 128 * SCRYPT_R * (N + p + 2)
      scrypt(text, salt, 32, { N, r: SCRYPT_R, p, maxmem }, (error, key) => {
        if (error === null) resolve(key)
        else reject(error)
      })
    })
}

/** The system's refusal as an error of ours; `readOrCreate` looks at its cause. */
function fileError(action: 'read' | 'write', path: string, cause: unknown): NoisecapError {
  const code = systemCode(cause)
  const what =
    code === 'ENOENT' ? 'no such file or directory' : code === 'EEXIST' ? 'it exists already' : code
  return new NoisecapError('capability/key_file', `Cannot ${action} key file ${path}: ${what ?? 'failed'}`, {
    cause,
  })
}

function causedBy(error: unknown, code: string): boolean {
  return error instanceof NoisecapError && systemCode(error.cause) === code
}

function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined
}

function shellQuoted(path: string): string {
  return `'${path.replaceAll("'", "'\\''")}'`
}
