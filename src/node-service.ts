// Service with what Node brings: TCP, the file registry, and keys of its own.
import { ServiceKey } from './capability/index.js'
import { nodeEnvironment } from './node-environment.js'
import { Service as CoreService, type ServiceOptions } from './service.js'

/** A service in Node. */
export class Service extends CoreService {
  /** A service with a key that the caller holds. */
  static create(key: ServiceKey = ServiceKey.generate(), options: ServiceOptions = {}): Service {
    return new Service(nodeEnvironment, key, options)
  }
}
