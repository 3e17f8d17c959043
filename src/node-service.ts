// Service with what Node brings: TCP, the file registry, key files, revocation files and contact files.
// Files are loaded when a service is opened with one. Leaves out the service itself (service.ts).
import { ServiceKey } from './capability/index.js'
import { nodeEnvironment } from './node-environment.js'
import { Service as CoreService, logInternalError, type ServiceOptions } from './service.js'
import type { ContactFile } from './session/files.js'

/** Options of {@link Service.open}. */
export interface ServiceFileOptions extends ServiceOptions {
  /** Of the key file; left out for one that mode 0600 alone protects. */
  readonly passphrase?: string | undefined
}

/** Opened here, so closed here. Not a member: to the compiler, services of other hosts are as good as those of Node. */
const ownFiles = new WeakMap<Service, readonly AsyncDisposable[]>()

/** A service in Node. */
export class Service extends CoreService {
  /** A service with the key of a file, created with mode 0600 if missing, with the revocations of `<path>.revoked` and the
   * contacts of `<path>.contacts`, unless given.
   * @throws `capability/key_file`, `capability/passphrase`, `capability/revocation_file`, `session/contact_file` for files
   * that are damaged or open to others: they are never overwritten. */
  static async open(path: string, options: ServiceFileOptions = {}): Promise<Service> {
    const { passphrase, ...rest } = options
    const { openServiceKey, RevocationFile } = await import('./capability/files.js')
    const key = await openServiceKey(path, { passphrase })
    const files: AsyncDisposable[] = []
    const opened = <File extends AsyncDisposable>(file: File): File => {
      files.push(file)
      return file
    }
    try {
      const revocations = rest.revocations ?? opened(await RevocationFile.open(`${path}.revoked`))
      const contacts = rest.contacts ?? opened(await openContacts(`${path}.contacts`, rest))
      const service = new Service(nodeEnvironment, key, { ...rest, revocations, contacts })
      ownFiles.set(service, files)
      return service
    } catch (error) {
      await closeAll(files)
      throw error
    }
  }

  /** A service with a key that the caller holds; revocations are forgotten with the process unless given. */
  static create(key: ServiceKey = ServiceKey.generate(), options: ServiceOptions = {}): Service {
    return new Service(nodeEnvironment, key, options)
  }

  override async close(graceMs?: number): Promise<void> {
    await super.close(graceMs)
    await closeAll(ownFiles.get(this) ?? [])
    ownFiles.delete(this)
  }
}

/** A file that cannot be trusted any more is told to whoever hears of internal errors; KK then meets silence. */
async function openContacts(path: string, { onInternalError: tell }: ServiceOptions): Promise<ContactFile> {
  const { ContactFile } = await import('./session/files.js')
  return ContactFile.open(path, {
    onFailure: (error) => (tell ?? logInternalError)({ errorId: 'contacts', method: 'contacts', error }),
  })
}

async function closeAll(files: readonly AsyncDisposable[]): Promise<void> {
  for (const file of files) await file[Symbol.asyncDispose]()
}
