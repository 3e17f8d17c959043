// Keys and capabilities that outlive a page: in IndexedDB, encrypted with AES-256-GCM under a key of WebCrypto that no script
// can read, only use. noble computes with bytes, so an opened key is in the memory of the page; what lies in the database is
// ciphertext. That keeps secrets out of dumps and extensions that read databases, not from a script that runs in the page,
// which can use whatever the page can. Leaves out the database itself (named-values.ts).
import { utf8, utf8Decode, wipe } from '../bytes.js'
import { Capability } from '../capability/index.js'
import { asSecretKey, KeyPair, primitives } from '../crypto/index.js'
import { NamedValues, storeError } from './named-values.js'

const WRAPPING_KEY = 'key'
const NONCE_BYTES = 12

/** What is used of WebCrypto, of which only secure contexts have `subtle`. */
interface Subtle {
  generateKey(algorithm: object, extractable: boolean, usages: readonly string[]): Promise<object>
  encrypt(algorithm: object, key: object, data: Uint8Array): Promise<ArrayBuffer>
  decrypt(algorithm: object, key: object, data: Uint8Array): Promise<ArrayBuffer>
}

/** Named keys, capabilities and other secret texts of one origin. */
export class BrowserStore implements Disposable {
  readonly #values: NamedValues
  readonly #subtle: Subtle
  readonly #key: object

  private constructor(values: NamedValues, subtle: Subtle, key: object) {
    this.#values = values
    this.#subtle = subtle
    this.#key = key
  }

  /** Open a store, made if it is not there.
   * @throws `browser/store` where the browser keeps nothing, or the page is not a secure context (https, or localhost). */
  static async open(name = 'noisecap'): Promise<BrowserStore> {
    const subtle = (globalThis.crypto as { readonly subtle?: Subtle } | undefined)?.subtle
    if (subtle === undefined)
      throw storeError('there is no WebCrypto here, which only https and localhost have')
    const values = await NamedValues.open(name)
    const made = await subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt'])
    // Several tabs may get here at once: the key of the first one counts.
    await values.add(WRAPPING_KEY, made)
    return new BrowserStore(values, subtle, (await values.get(WRAPPING_KEY)) as object) // added above, by somebody
  }

  /** The X25519 key pair called `name`, made at first use.
   * @throws `browser/store` when what is kept cannot be decrypted. */
  async keyPair(name: string): Promise<KeyPair> {
    const dh = primitives().dh('25519')
    const place = `key pair ${name}`
    const secretKey = dh.generateSecretKey()
    if (await this.#values.add(place, await this.#encrypted(place, secretKey))) {
      return KeyPair.fromSecretKey(dh, secretKey)
    }
    wipe(secretKey)
    const kept = await this.#read(place)
    if (kept === undefined) throw storeError(`the key pair was deleted meanwhile`)
    return KeyPair.fromSecretKey(dh, asSecretKey(kept))
  }

  /** Keep a capability under a name, in place of one that is there. */
  async keep(name: string, capability: Capability<unknown>): Promise<void> {
    await this.#keep(`capability ${name}`, capability.export())
  }

  /** The capability kept under a name, undefined when there is none.
   * @throws `browser/store` when what is kept cannot be decrypted. */
  async capability(name: string): Promise<Capability | undefined> {
    const text = await this.#text(`capability ${name}`)
    return text === undefined ? undefined : Capability.parse(text)
  }

  /** Keep a text that holds a secret, such as the address of a box, in place of one that is there. */
  async keepText(name: string, text: string): Promise<void> {
    await this.#keep(`text ${name}`, text)
  }

  /** The text kept under a name, undefined when there is none.
   * @throws `browser/store` when what is kept cannot be decrypted. */
  async text(name: string): Promise<string | undefined> {
    return await this.#text(`text ${name}`)
  }

  /** Forget the capability and the text of a name. */
  async forget(name: string): Promise<void> {
    await this.#values.delete(`capability ${name}`)
    await this.#values.delete(`text ${name}`)
  }

  /** Close the database; what was taken out of it stays usable. */
  [Symbol.dispose](): void {
    this.#values.close()
  }

  async #keep(place: string, text: string): Promise<void> {
    const bytes = utf8(text)
    await this.#values.put(place, await this.#encrypted(place, bytes))
    wipe(bytes)
  }

  async #text(place: string): Promise<string | undefined> {
    const bytes = await this.#read(place)
    if (bytes === undefined) return undefined
    const text = utf8Decode(bytes)
    wipe(bytes)
    return text
  }

  async #read(place: string): Promise<Uint8Array | undefined> {
    const kept = await this.#values.get(place)
    if (kept === undefined) return undefined
    try {
      if (!(kept instanceof Uint8Array)) throw new TypeError('expected bytes')
      const algorithm = this.#algorithm(place, kept.subarray(0, NONCE_BYTES))
      return new Uint8Array(await this.#subtle.decrypt(algorithm, this.#key, kept.subarray(NONCE_BYTES)))
    } catch (error) {
      throw storeError('what is kept there was altered, or belongs to another store', error)
    }
  }

  async #encrypted(place: string, bytes: Uint8Array): Promise<Uint8Array> {
    const nonce = primitives().randomBytes(NONCE_BYTES)
    const sealed = new Uint8Array(await this.#subtle.encrypt(this.#algorithm(place, nonce), this.#key, bytes))
    const kept = new Uint8Array(NONCE_BYTES + sealed.length)
    kept.set(nonce)
    kept.set(sealed, NONCE_BYTES)
    return kept
  }

  /** Bound to its name: what is moved to another one does not open. */
  #algorithm(place: string, nonce: Uint8Array): object {
    return { name: 'AES-GCM', iv: nonce, additionalData: utf8(`noisecap/v1 browser store\0${place}`) }
  }
}
