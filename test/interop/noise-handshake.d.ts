// What the interop tests and the benchmark use of npm's noise-handshake 4.2.0, which ships no types.
declare module 'noise-handshake' {
  interface KeyPair {
    readonly publicKey: Buffer
    readonly secretKey: Buffer
  }

  interface Options {
    readonly psk?: Buffer
  }

  class Noise {
    constructor(pattern: string, initiator: boolean, staticKeypair?: KeyPair, options?: Options)
    readonly s: KeyPair
    /** The peer's static key, once known. */
    readonly rs: Buffer | null
    readonly complete: boolean
    /** The handshake hash, once complete. */
    readonly hash: Buffer | null
    /** Key to encrypt with. */
    readonly tx: Buffer | null
    /** Key to decrypt with. */
    readonly rx: Buffer | null
    initialise(prologue: Buffer, remoteStatic?: Buffer): void
    send(payload?: Buffer): Buffer
    recv(message: Buffer): Buffer
  }

  export = Noise
}

declare module 'noise-handshake/cipher' {
  class Cipher {
    constructor(key: Buffer)
    encrypt(plaintext: Buffer, ad?: Buffer): Buffer
    decrypt(ciphertext: Buffer, ad?: Buffer): Buffer
  }

  export = Cipher
}
