// The page that bench/browser.ts drives: primitives of noble, WebCrypto and libsodium's WebAssembly, and calls over a WebSocket.
// Each primitive is checked against noble before it is timed.
import { connect } from 'noisecap'
import { asPublicKey, asSecretKey, primitivesOf } from '../../src/crypto/index.js'
import { everyPrimitive } from '../../src/noise/index.js'
import { libsodium } from '../peers/libsodium.mjs'
import { Echo, rateOf } from './echo.js'

const ROUND_MS = 30
const TAG_BYTES = 16

type Bytes = Uint8Array<ArrayBuffer>
/** What is used of WebCrypto; the benchmarks are compiled without the DOM's declarations. */
interface Subtle {
  generateKey(algorithm: object, extractable: boolean, usages: readonly string[]): Promise<KeyPair>
  importKey(
    format: string,
    key: Bytes | object,
    algorithm: object | string,
    extractable: boolean,
    usages: readonly string[],
  ): Promise<object>
  exportKey(format: string, key: object): Promise<ArrayBuffer>
  deriveBits(algorithm: object, key: object, bits: number): Promise<ArrayBuffer>
  encrypt(algorithm: object, key: object, data: Bytes): Promise<ArrayBuffer>
}
interface KeyPair {
  readonly publicKey: object
  readonly privateKey: object
}
const { subtle } = globalThis.crypto as unknown as { readonly subtle: Subtle }

type Run = () => unknown
/** By what is computed, then by who computes it. */
type Subjects = Readonly<Record<string, Readonly<Record<string, Run>>>>

const filled = (length: number, seed: number): Bytes =>
  Uint8Array.from({ length }, (_, i) => (i * 31 + seed) & 0xff)

/** PKCS #8 of an X25519 secret key (RFC 8410). */
function pkcs8Of(secretKey: Uint8Array): Bytes {
  return Uint8Array.from([
    0x30,
    0x2e,
    2,
    1,
    0,
    0x30,
    5,
    6,
    3,
    0x2b,
    0x65,
    0x6e,
    4,
    0x22,
    4,
    0x20,
    ...secretKey,
  ])
}

async function subjects(): Promise<Subjects> {
  const noble = primitivesOf('noble')
  const dh = noble.dh('25519')
  const wasm = await libsodium()
  const secretKey = asSecretKey(filled(32, 1))
  const peer = dh.publicKeyOf(asSecretKey(filled(32, 2)))
  const X25519 = { name: 'X25519' }
  const ownKey = await subtle.importKey('pkcs8', pkcs8Of(secretKey), X25519, false, ['deriveBits'])
  const peerBytes = Uint8Array.from(peer)
  const webDh = async (): Promise<Uint8Array> => {
    const publicKey = await subtle.importKey('raw', peerBytes, X25519, false, [])
    return new Uint8Array(await subtle.deriveBits({ name: 'X25519', public: publicKey }, ownKey, 256))
  }
  same('DH', dh.dh(secretKey, peer), await webDh(), wasm.dh(secretKey, peer))
  const found: Record<string, Record<string, Run>> = {
    'X25519 key generation': {
      noble: () => dh.publicKeyOf(dh.generateSecretKey()),
      WebCrypto: async () => {
        const { publicKey } = await subtle.generateKey(X25519, false, ['deriveBits'])
        return subtle.exportKey('raw', publicKey)
      },
      libsodium: () => wasm.publicKeyOf(crypto.getRandomValues(new Uint8Array(32))),
    },
    'X25519 DH': {
      noble: () => dh.dh(secretKey, asPublicKey(peer.slice())),
      WebCrypto: webDh,
      libsodium: () => wasm.dh(secretKey, peer),
    },
  }
  const key = filled(32, 3)
  const nonce = filled(12, 4)
  const none = new Uint8Array(0)
  const chacha = noble.aead('ChaChaPoly').withKey(key)
  const gcm = everyPrimitive().aead('AESGCM').withKey(key)
  const webKey = await subtle.importKey('raw', key, 'AES-GCM', false, ['encrypt'])
  for (const length of [256, 16_384]) {
    const plaintext = filled(length, 5)
    const out = new Uint8Array(length + TAG_BYTES)
    const webGcm = (): Promise<ArrayBuffer> =>
      subtle.encrypt({ name: 'AES-GCM', iv: nonce }, webKey, plaintext)
    chacha.seal(nonce, none, plaintext, out)
    same('ChaChaPoly', out, wasm.seal(key, nonce, plaintext))
    gcm.seal(nonce, none, plaintext, out)
    same('AESGCM', out, new Uint8Array(await webGcm()))
    found[`ChaChaPoly ${length} B`] = {
      noble: () => chacha.seal(nonce, none, plaintext, out),
      libsodium: () => wasm.seal(key, nonce, plaintext),
    }
    found[`AESGCM ${length} B`] = { noble: () => gcm.seal(nonce, none, plaintext, out), WebCrypto: webGcm }
  }
  return found
}

function same(what: string, first: Uint8Array, ...others: readonly Uint8Array[]): void {
  for (const other of others) if (String(first) !== String(other)) throw new Error(`${what} differs`)
}

/** One round: µs of each of `candidates`, by name. */
async function round(candidates: Readonly<Record<string, Run>>): Promise<Record<string, number>> {
  const us: Record<string, number> = {}
  for (const [name, run] of Object.entries(candidates)) {
    const start = performance.now()
    let runs = 0
    while (performance.now() - start < ROUND_MS) {
      // What is waited for here is waited for in a handshake, too.
      const result = run()
      if (result instanceof Promise) await result
      runs += 1
    }
    us[name] = ((performance.now() - start) * 1_000) / runs
  }
  return us
}

let found: Promise<Subjects> | undefined
function known(): Promise<Subjects> {
  found ??= subjects()
  return found
}

/** About what a call has on the wire. */
const SMALL_CALL_BYTES = 80

const bench = {
  names: async () => Object.keys(await known()),
  round: async (name: string) => round((await known())[name] ?? {}),
  /** Connect with a session of its own, call once, and close. */
  connectOnce: async (capability: string, partition: string) => {
    await using echo = await connect(capability, Echo, { partition })
    return await echo.echo(7)
  },
  rate: async (capability: string, outstanding: number, ms: number) => {
    await using echo = await connect(capability, Echo)
    return await rateOf(echo, outstanding, ms)
  },
  /** What this browser's WebSocket can do at best, one message after the other. */
  bareRate: async (url: string, ms: number) => {
    const socket = new WebSocket(url)
    await new Promise((resolve) => socket.addEventListener('open', resolve, { once: true }))
    const echo = async (value: number): Promise<number> => {
      const answer = new Promise<MessageEvent>((resolve) =>
        socket.addEventListener('message', resolve, { once: true }),
      )
      socket.send(new Uint8Array(SMALL_CALL_BYTES))
      await answer
      return value
    }
    try {
      return await rateOf({ echo }, 1, ms)
    } finally {
      socket.close()
    }
  },
}
Object.assign(globalThis, { bench })
