// HPKE (RFC 9180) base mode with X25519, HKDF-SHA256 and ChaCha20Poly1305 by @hpke/core: one encapsulation a value.
import { Chacha20Poly1305 } from '@hpke/chacha20poly1305'
import { CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core'

/** Seal `plaintext` to a fresh recipient again and again; checks itself first. */
export async function hpkeSealer(plaintext) {
  const suite = new CipherSuite({
    kem: new DhkemX25519HkdfSha256(),
    kdf: new HkdfSha256(),
    aead: new Chacha20Poly1305(),
  })
  const { publicKey, privateKey } = await suite.kem.generateKeyPair()
  const seal = async () => {
    const sender = await suite.createSenderContext({ recipientPublicKey: publicKey })
    return { enc: sender.enc, ciphertext: await sender.seal(plaintext) }
  }
  const { enc, ciphertext } = await seal()
  const recipient = await suite.createRecipientContext({ recipientKey: privateKey, enc })
  const opened = new Uint8Array(await recipient.open(ciphertext))
  if (!Buffer.from(plaintext).equals(opened)) throw new Error('@hpke/core does not open what it sealed')
  return seal
}
