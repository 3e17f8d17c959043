// Service with what Node brings: TCP, the file registry, key files and revocation files.
// Leaves out the service itself (service.ts).
import { openServiceKey, RevocationFile } from './capability/files.js'
import { ServiceKey } from './capability/index.js'
import { nodeEnvironment } from './node-environment.js'
import { Service as CoreService, type ServiceOptions } from './service.js'

/** Options of {@link Service.open}. */
export interface ServiceFileOptions extends ServiceOptions {
  /** Of the key file; left out for one that mode 0600 alone protects. */
  readonly passphrase?: string | undefined
}

/** A service in Node. */
export class Service extends CoreService {
  #ownFile: RevocationFile | undefined

  /** A service with the key of a file, created with mode 0600 if missing, and with the revocations of `<path>.revoked`.
   * @throws `capability/key_file`, `capability/passphrase`, `capability/revocation_file` for files that are damaged or
   * open to others: they are never overwritten. */
  static async open(path: string, options: ServiceFileOptions = {}): Promise<Service> {
    const { passphrase, ...rest } = options
    const key = await openServiceKey(path, { passphrase })
    if (rest.revocations !== undefined) return new Service(nodeEnvironment, key, rest)
    const revocations = await RevocationFile.open(`${path}.revoked`)
    const service = new Service(nodeEnvironment, key, { ...rest, revocations })
    service.#ownFile = revocations
    return service
  }

  /** A service with a key that the caller holds; revocations are forgotten with the process unless given. */
  static create(key: ServiceKey = ServiceKey.generate(), options: ServiceOptions = {}): Service {
    return new Service(nodeEnvironment, key, options)
  }

  override async close(graceMs?: number): Promise<void> {
    await super.close(graceMs)
    await this.#ownFile?.close()
    this.#ownFile = undefined
  }
}
