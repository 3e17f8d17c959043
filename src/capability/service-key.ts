// ServiceKey: all that a service must keep secret, its static key pair and its root secrets.
// One static key belongs to one service; the key hash that follows from it is the service's name (spec/capability.md §1).
// Leaves out its file (key-file.ts) and minting with it (mint.ts).
import { generateKeyPair, type KeyPair, type PublicKey } from '../crypto/index.js'
import { redact } from '../redact.js'
import { judgeTime } from './judge.js'
import { keyHash, keyHashText } from './keys.js'
import type { Registrations } from './registration.js'
import { RootSecrets } from './roots.js'
import { decodeShown, denialOfSeal, describeUse } from './sealed-use.js'
import { type ServiceAuthority, verify } from './verify.js'

/** Key pair and root secrets of one service; prints as `[redacted]`, `using` wipes both. */
export class ServiceKey implements Disposable {
  readonly keyPair: KeyPair
  readonly roots: RootSecrets
  /** The service's name, 52 characters. */
  readonly keyHash: string

  /** @param keyPair - X25519; taken over, as are `roots`. */
  constructor(keyPair: KeyPair, roots: RootSecrets) {
    this.keyPair = keyPair
    this.roots = roots
    this.keyHash = keyHashText(keyPair.publicKey)
  }

  /** A new random service key. */
  static generate(): ServiceKey {
    return new ServiceKey(generateKeyPair(), RootSecrets.generate())
  }

  get publicKey(): PublicKey {
    return this.keyPair.publicKey
  }

  /** What `verify` needs of this service; follows later rotations and registrations.
   * @param registrations - pairs registered by hand, if the service has any. */
  authority(registrations?: Registrations): ServiceAuthority {
    return {
      keyHash: keyHash(this.publicKey),
      root: (kid) => this.roots.get(kid),
      registered: (id) => registrations?.find(id),
      verify(locator) {
        return verify(locator, this)
      },
      seals: { decodeShown, denialOf: denialOfSeal, describe: describeUse, judgeTime },
    }
  }

  [Symbol.dispose](): void {
    this.keyPair[Symbol.dispose]()
    this.roots[Symbol.dispose]()
  }
}

redact(ServiceKey, (self) => `ServiceKey ${self.keyHash} [redacted]`)
