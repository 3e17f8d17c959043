// The age file format by npm's age-encryption, whole arrays in and out, X25519 as Debian's age uses it.
import { Decrypter, Encrypter, generateX25519Identity, identityToRecipient } from 'age-encryption'

/** Seal and open `bytes` bytes again and again; checks itself first. */
export async function ageEncryption(bytes) {
  const plaintext = new Uint8Array(bytes).fill(7)
  const identity = await generateX25519Identity()
  const encrypter = new Encrypter()
  encrypter.addRecipient(await identityToRecipient(identity))
  const decrypter = new Decrypter()
  decrypter.addIdentity(identity)
  const sealed = await encrypter.encrypt(plaintext)
  const open = () => decrypter.decrypt(sealed)
  if (!Buffer.from(await open()).equals(plaintext))
    throw new Error('age-encryption does not open what it sealed')
  return { seal: () => encrypter.encrypt(plaintext), open }
}
