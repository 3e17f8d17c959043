// Service in a browser: it can listen nowhere, and accepts what others hand to it, such as the port of a worker.
// Leaves out the service itself (service.ts) and Node's (node-service.ts).
import { browserEnvironment } from './browser-environment.js'
import { ServiceKey } from './capability/index.js'
import { Service as CoreService, type ServiceOptions } from './service.js'

/** A service in a page or a worker: `service.accept(pipe)`. */
export class Service extends CoreService {
  /** A service with a key that the caller holds; revocations are forgotten with the page unless given. */
  static create(key: ServiceKey = ServiceKey.generate(), options: ServiceOptions = {}): Service {
    return new Service(browserEnvironment, key, options)
  }
}
