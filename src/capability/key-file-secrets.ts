// The secrets inside a key file as deterministic CBOR: [secret key, [[kid, root] …]] for a service, [secret key] for a
// client; spec/capability.md §9. What was authenticated or checksummed is still checked part by part.
// Leaves out the header and the protection around them (key-file-format.ts).
import { asSecretKey, KeyPair, primitives } from '../crypto/index.js'
import { type Dcbor, DcborError, decodeDcbor, encodeDcbor } from '../dcbor.js'
import { keyFileError } from './key-file-format.js'
import { Malformed } from './malformed.js'
import { ROOT_BYTES, RootSecrets } from './roots.js'
import { ServiceKey } from './service-key.js'

const SECRET_KEY_BYTES = 32

/** @returns the encoded secrets, which the caller wipes. */
export function encodeServiceKey({ keyPair, roots }: ServiceKey): Uint8Array {
  return encodeDcbor([keyPair.secretKey, roots.kids.map((kid) => [kid, roots.get(kid)!])])
}

/** @throws `capability/key_file` for anything that {@link encodeServiceKey} would not have written. */
export function decodeServiceKey(secrets: Uint8Array): ServiceKey {
  return refusing(() => {
    const [secretKey, roots] = decodeArray(decodeDcbor(secrets), 2)
    if (!Array.isArray(roots)) throw new Malformed('a list of root secrets')
    return new ServiceKey(keyPairOf(secretKey), RootSecrets.from((roots as readonly Dcbor[]).map(decodeRoot)))
  })
}

/** @returns the encoded secrets, which the caller wipes. */
export function encodeKeyPair(keyPair: KeyPair): Uint8Array {
  return encodeDcbor([keyPair.secretKey])
}

/** @throws `capability/key_file` for anything that {@link encodeKeyPair} would not have written. */
export function decodeKeyPair(secrets: Uint8Array): KeyPair {
  return refusing(() => keyPairOf(decodeArray(decodeDcbor(secrets), 1)[0]))
}

function decodeRoot(entry: Dcbor): readonly [kid: number, root: Uint8Array] {
  const [kid, root] = decodeArray(entry, 2)
  if (typeof kid !== 'number') throw new Malformed('a root number')
  return [kid, decodeBytes(root, ROOT_BYTES)]
}

function keyPairOf(value: Dcbor | undefined): KeyPair {
  return KeyPair.fromSecretKey(primitives().dh('25519'), asSecretKey(decodeBytes(value, SECRET_KEY_BYTES)))
}

function decodeArray(value: Dcbor, length: number): readonly Dcbor[] {
  if (!Array.isArray(value) || value.length !== length) throw new Malformed(`a list of ${length}`)
  return value
}

function decodeBytes(value: Dcbor | undefined, length: number): Uint8Array {
  if (!(value instanceof Uint8Array) || value.length !== length) throw new Malformed(`${length} bytes`)
  return value
}

/** Run `decode`; whatever it finds wrong is one error, without the contents. RangeError is what RootSecrets refuses with. */
function refusing<T>(decode: () => T): T {
  try {
    return decode()
  } catch (error) {
    if (error instanceof Malformed || error instanceof DcborError || error instanceof RangeError) {
      throw keyFileError('expected the secrets of a key', 'The file is damaged; restore it from a backup')
    }
    throw error
  }
}
