// Takes a path for a listening unix socket. The socket is bound inside a private directory beside the path, given its mode, and
// only then put in place: nobody connects before the mode holds, and clients find the old socket or the new one, never none.
// What answers, and what is no socket, is never touched. Leaves out pipes (unix.ts).
import { chmodSync, linkSync, lstatSync, mkdtempSync, renameSync, rmSync, type Stats } from 'node:fs'
import { connect, type Server } from 'node:net'
import { dirname, join } from 'node:path'
import { NoisecapError } from '../errors.js'
import { closeServer, unreachable } from './socket-pipe.js'

/** Longest directory, bytes: the private directory and the name in it must fit what systems allow (104 with final zero). */
const DIRECTORY_MAX_BYTES = 90
const PRIVATE_PREFIX = '.nc-'
/** How often the path may change under our hands before we give up. */
const ATTEMPTS = 5

/** A server whose socket has its place. */
export interface PlacedSocket {
  readonly server: Server
  /** Remove the socket's file, unless another has taken its place. */
  remove(): void
}

/** Bind a socket and put it at `path`.
 * @param path - absolute.
 * @param mode - of the socket.
 * @param bind - listens at the path it is given.
 * @throws `transport/bad_location`, `transport/unreachable`. */
export async function placeSocket(
  path: string,
  mode: number,
  bind: (path: string) => Promise<Server>,
): Promise<PlacedSocket> {
  const directory = makePrivateDirectory(path)
  const bound = join(directory, 's')
  let server: Server | undefined
  try {
    server = await bind(bound)
    chmodSync(bound, mode)
    const own = lstatSync(bound)
    await putInPlace(bound, path)
    return { server, remove: () => removeOwn(path, own) }
  } catch (error) {
    if (server !== undefined) await closeServer(server)
    throw error instanceof NoisecapError ? error : unreachable(`unix:${path}`, error as NodeJS.ErrnoException)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function makePrivateDirectory(path: string): string {
  const parent = dirname(path)
  if (parent.length > DIRECTORY_MAX_BYTES) {
    throw new NoisecapError(
      'transport/bad_location',
      `Cannot listen at unix:${path}: expected a directory of at most ${DIRECTORY_MAX_BYTES} characters, got ${parent.length}`,
    )
  }
  try {
    return mkdtempSync(join(parent, PRIVATE_PREFIX)) // with mode 0700
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw cannotListen(path, 'a directory that exists', 'none', 'Make the directory of the socket first')
    }
    throw unreachable(`unix:${path}`, cause as NodeJS.ErrnoException)
  }
}

/** Give the bound socket its name; of several processes that try, one gets it. */
async function putInPlace(bound: string, path: string): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    // A link, unlike a rename, fails where something stands already.
    if (linkIfFree(bound, path)) return
    const found = lstatSync(path, { throwIfNoEntry: false })
    if (found === undefined) continue
    if (!found.isSocket()) {
      throw cannotListen(path, 'a free path', 'something that is no socket', 'It is left as it is: remove it')
    }
    if (await isServed(path)) {
      throw cannotListen(path, 'a free path', 'a socket in use', 'Stop who serves there, or listen elsewhere')
    }
    if (!isSame(found, lstatSync(path, { throwIfNoEntry: false }))) continue
    renameSync(bound, path)
    return
  }
  throw cannotListen(path, 'a free path', 'one that others keep taking', 'Listen elsewhere')
}

function linkIfFree(bound: string, path: string): boolean {
  try {
    linkSync(bound, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** Whether somebody may be answering at a socket. Only a refusal says that nobody is: whoever must not connect, or finds
 * the queue full, cannot know. */
function isServed(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect({ path })
    probe.once('connect', () => {
      probe.destroy()
      resolve(true)
    })
    probe.once('error', ({ code }: NodeJS.ErrnoException) =>
      resolve(code !== 'ECONNREFUSED' && code !== 'ENOENT'),
    )
  })
}

/** While a socket is bound its inode is not given to another file. */
function isSame(one: Stats, other: Stats | undefined): boolean {
  return other !== undefined && one.dev === other.dev && one.ino === other.ino
}

function removeOwn(path: string, own: Stats): void {
  try {
    if (isSame(own, lstatSync(path, { throwIfNoEntry: false }))) rmSync(path, { force: true })
  } catch {
    // Left behind, it is stale and will be replaced.
  }
}

function cannotListen(path: string, expected: string, found: string, hint: string): NoisecapError {
  return new NoisecapError(
    'transport/unreachable',
    `Cannot listen at unix:${path}: expected ${expected}, got ${found}`,
    { hint },
  )
}
