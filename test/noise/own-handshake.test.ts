// The protocols that noisecap spells out for itself: each is what its name stands for.
import { expect, test } from 'vitest'
import { parseProtocolName } from '../../src/noise/index.js'
import { type OwnPattern, type OwnProtocolName, ownProtocol } from '../../src/noise/own-handshake.js'
import { SEAL_PATTERNS } from '../../src/seal/pattern.js'
import { PATTERNS } from '../../src/session/wire.js'

const OWN: readonly OwnPattern[] = [...SEAL_PATTERNS, 'NKpsk2', 'XKpsk3', 'IKpsk2', 'KKpsk2']

test('ownProtocol gives the same plan as parsing the name, for every protocol of noisecap', () => {
  const names = OWN.map((pattern): OwnProtocolName => `Noise_${pattern}_25519_ChaChaPoly_BLAKE2b`)
  expect(names).toEqual(expect.arrayContaining(Object.values(PATTERNS).map(({ protocol }) => protocol)))
  for (const name of names) expect(parseProtocolName(name)).toMatchObject(ownProtocol(name))
})
