// Limits of accepting that need no handshake.
import { expect, test } from 'vitest'
import { keyHash } from '../../src/capability/index.js'
import { generateKeyPair } from '../../src/crypto/index.js'
import { SERVICES_PER_PORT_MAX } from '../../src/limits.js'
import { Admission, acceptSession, mac1Key } from '../../src/session/index.js'
import { memoryPair } from '../../src/transport/index.js'

function acceptWith(count: number): () => void {
  const keyPair = generateKeyPair()
  const { publicKey } = keyPair
  const identity = { keyPair, keyHash: keyHash(publicKey), mac1Key: mac1Key(publicKey) }
  return acceptSession(memoryPair().server, {
    services: Array.from({ length: count }, () => identity),
    verifier: () => undefined,
    admission: new Admission(),
    accepted: () => {},
  })
}

test('acceptSession takes 16 services on a port and refuses a seventeenth', () => {
  acceptWith(SERVICES_PER_PORT_MAX)()
  expect(SERVICES_PER_PORT_MAX).toBe(16)
  expect(() => acceptWith(SERVICES_PER_PORT_MAX + 1)).toThrow(RangeError)
})
