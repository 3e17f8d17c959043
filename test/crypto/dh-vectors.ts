// Published test vectors of X25519 and X448 (RFC 7748), and the points that must be refused (https://cr.yp.to/ecdh.html
// and RFC 7748 §4: u of order 1, 2, 4 and 8 on the curve or its twist), as data. Leaves out the other primitives.
import type { DhName } from '../../src/crypto/index.js'

interface DhVectors {
  /** RFC 7748 §5.2, the two single multiplications. */
  readonly multiplications: readonly {
    readonly scalar: string
    readonly u: string
    readonly result: string
  }[]
  /** RFC 7748 §5.2, after so many iterations. */
  readonly iterations: Readonly<Record<1 | 1_000, string>>
  /** RFC 7748 §6.1, §6.2. */
  readonly alice: { readonly secretKey: string; readonly publicKey: string }
  readonly bob: { readonly secretKey: string; readonly publicKey: string }
  readonly shared: string
  /** Little-endian u coordinates that give an all-zero result for every scalar, non-canonical twins included. */
  readonly lowOrder: Readonly<Record<string, string>>
}

export const DH_VECTORS: Readonly<Record<DhName, DhVectors>> = {
  '25519': {
    multiplications: [
      {
        scalar: 'a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4',
        u: 'e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c',
        result: 'c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552',
      },
      {
        scalar: '4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d',
        u: 'e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493',
        result: '95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957',
      },
    ],
    iterations: {
      1: '422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079',
      1000: '684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51',
    },
    alice: {
      secretKey: '77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a',
      publicKey: '8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a',
    },
    bob: {
      secretKey: '5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb',
      publicKey: 'de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f',
    },
    shared: '4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742',
    lowOrder: {
      '0': '0000000000000000000000000000000000000000000000000000000000000000',
      '1': '0100000000000000000000000000000000000000000000000000000000000000',
      'order 8, first': 'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
      'order 8, second': '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
      'p-1': 'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
      p: 'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
      'p+1': 'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
      '0 with the top bit': '0000000000000000000000000000000000000000000000000000000000000080',
      '1 with the top bit': '0100000000000000000000000000000000000000000000000000000000000080',
      'order 8, first, with the top bit': 'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b880',
      'order 8, second, with the top bit': '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f11d7',
      'p-1 with the top bit': 'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
      'p with the top bit': 'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
      'p+1 with the top bit': 'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
    },
  },
  '448': {
    multiplications: [
      {
        scalar:
          '3d262fddf9ec8e88495266fea19a34d28882acef045104d0d1aae121700a779c984c24f8cdd78fbff44943eba368f54b29259a4f1c600ad3',
        u: '06fce640fa3487bfda5f6cf2d5263f8aad88334cbd07437f020f08f9814dc031ddbdc38c19c6da2583fa5429db94ada18aa7a7fb4ef8a086',
        result:
          'ce3e4ff95a60dc6697da1db1d85e6afbdf79b50a2412d7546d5f239fe14fbaadeb445fc66a01b0779d98223961111e21766282f73dd96b6f',
      },
      {
        scalar:
          '203d494428b8399352665ddca42f9de8fef600908e0d461cb021f8c538345dd77c3e4806e25f46d3315c44e0a5b4371282dd2c8d5be3095f',
        u: '0fbcc2f993cd56d3305b0b7d9e55d4c1a8fb5dbb52f8e9a1e9b6201b165d015894e56c4d3570bee52fe205e28a78b91cdfbde71ce8d157db',
        result:
          '884a02576239ff7a2f2f63b2db6a9ff37047ac13568e1e30fe63c4a7ad1b3ee3a5700df34321d62077e63633c575c1c954514e99da7c179d',
      },
    ],
    iterations: {
      1: '3f482c8a9f19b01e6c46ee9711d9dc14fd4bf67af30765c2ae2b846a4d23a8cd0db897086239492caf350b51f833868b9bc2b3bca9cf4113',
      1000: 'aa3b4749d55b9daf1e5b00288826c467274ce3ebbdd5c17b975e09d4af6c67cf10d087202db88286e2b79fceea3ec353ef54faa26e219f38',
    },
    alice: {
      secretKey:
        '9a8f4925d1519f5775cf46b04b5800d4ee9ee8bae8bc5565d498c28dd9c9baf574a9419744897391006382a6f127ab1d9ac2d8c0a598726b',
      publicKey:
        '9b08f7cc31b7e3e67d22d5aea121074a273bd2b83de09c63faa73d2c22c5d9bbc836647241d953d40c5b12da88120d53177f80e532c41fa0',
    },
    bob: {
      secretKey:
        '1c306a7ac2a0e2e0990b294470cba339e6453772b075811d8fad0d1d6927c120bb5ee8972b0d3e21374c9c921b09d1b0366f10b65173992d',
      publicKey:
        '3eb7a829b0cd20f5bcfc0b599b6feccf6da4627107bdb0d4f345b43027d8b972fc3e34fb4232a13ca706dcb57aec3dae07bdc1c67bf33609',
    },
    shared:
      '07fff4181ac6cc95ec1c16a94a0f74d12da232ce40a77552281d282bb60c0b56fd2464c335543936521c24403085d59a449a5037514a879d',
    lowOrder: {
      '0': '00'.repeat(56),
      '1': `01${'00'.repeat(55)}`,
      'p-1': `fe${'ff'.repeat(27)}fe${'ff'.repeat(27)}`,
      p: `${'ff'.repeat(28)}fe${'ff'.repeat(27)}`,
      'p+1': `${'00'.repeat(28)}${'ff'.repeat(28)}`,
    },
  },
}
