// Published test vectors of the hashes, as data: FIPS 180-4 and RFC 7693 (hash), RFC 4231 (HMAC), RFC 5869 (HKDF).
// RFC 4231 and RFC 5869 name SHA-2 only; the BLAKE2 rows have their inputs and were computed with CPython's hashlib and
// hmac, as were the SHA-512 rows of HKDF and the digests over all lengths. Leaves out DH and AEAD (dh-vectors.ts, aead-vectors.ts).
import type { HashName } from '../../src/crypto/index.js'

/** One value a hash, in hexadecimal. */
type PerHash = Readonly<Record<HashName, string>>

/** FIPS 180-4 examples and RFC 7693 appendices A and B. */
export const HASH_VECTORS: readonly { readonly text: string; readonly digest: PerHash }[] = [
  {
    text: '',
    digest: {
      SHA256: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
      SHA512:
        'cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e',
      BLAKE2s: '69217a3079908094e11121d042354a7c1f55b6482ca1a51e1b250dfd1ed0eef9',
      BLAKE2b:
        '786a02f742015903c6c6fd852552d272912f4740e15847618a86e217f71f5419d25e1031afee585313896444934eb04b903a685b1448b755d56f701afe9be2ce',
    },
  },
  {
    text: 'abc',
    digest: {
      SHA256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
      SHA512:
        'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
      BLAKE2s: '508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982',
      BLAKE2b:
        'ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d17d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923',
    },
  },
  {
    text: 'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq',
    digest: {
      SHA256: '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
      SHA512:
        '204a8fc6dda82f0a0ced7beb8e08a41657c16ef468b228a8279be331a703c33596fd15c13b1b07f9aa1d3bea57789ca031ad85c7a71dd70354ec631238ca3445',
      BLAKE2s: '6f4df5116a6f332edab1d9e10ee87df6557beab6259d7663f3bcd5722c13f189',
      BLAKE2b:
        '7285ff3e8bd768d69be62b3bf18765a325917fa9744ac2f582a20850bc2b1141ed1b3e4528595acc90772bdf2d37dc8a47130b44f33a02e8730e5ad8e166e888',
    },
  },
]

/** RFC 4231 §4.2 to §4.8; §4.6 without its truncation. */
export const HMAC_VECTORS: readonly {
  readonly section: string
  readonly key: string
  readonly data: string
  readonly mac: PerHash
}[] = [
  {
    section: '4.2',
    key: '0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b',
    data: '4869205468657265',
    mac: {
      SHA256: 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
      SHA512:
        '87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cdedaa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854',
      BLAKE2s: '65a8b7c5cc9136d424e82c37e2707e74e913c0655b99c75f40edf387453a3260',
      BLAKE2b:
        '358a6a184924894fc34bee5680eedf57d84a37bb38832f288e3b27dc63a98cc8c91e76da476b508bc6b2d408a248857452906e4a20b48c6b4b55d2df0fe1dd24',
    },
  },
  {
    section: '4.3',
    key: '4a656665',
    data: '7768617420646f2079612077616e7420666f72206e6f7468696e673f',
    mac: {
      SHA256: '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
      SHA512:
        '164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737',
      BLAKE2s: '90b6281e2f3038c9056af0b4a7e763cae6fe5d9eb4386a0ec95237890c104ff0',
      BLAKE2b:
        '6ff884f8ddc2a6586b3c98a4cd6ebdf14ec10204b6710073eb5865ade37a2643b8807c1335d107ecdb9ffeaeb6828c4625ba172c66379efcd222c2de11727ab4',
    },
  },
  {
    section: '4.4',
    key: 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
    data: 'dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd',
    mac: {
      SHA256: '773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe',
      SHA512:
        'fa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39bf3e848279a722c806b485a47e67c807b946a337bee8942674278859e13292fb',
      BLAKE2s: 'fcc4f59529502e34c3d8da3ffdab82966a2cb637ff5e9bd701135c2e9469e790',
      BLAKE2b:
        'f43bc62c7a99353c3b2c60e8ef24fbbd42e9547866dc9c5be4edc6f4a7d4bc0ac620c2c60034d040f0dbaf86f9e9cd7891a095595eed55e2a996215f0c15c018',
    },
  },
  {
    section: '4.5',
    key: '0102030405060708090a0b0c0d0e0f10111213141516171819',
    data: 'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd',
    mac: {
      SHA256: '82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b',
      SHA512:
        'b0ba465637458c6990e5a8c5f61d4af7e576d97ff94b872de76f8050361ee3dba91ca5c11aa25eb4d679275cc5788063a5f19741120c4f2de2adebeb10a298dd',
      BLAKE2s: '464434dcbece095d456a1d62d6ec56f898e625a39e5c52bdf94daf111bad83aa',
      BLAKE2b:
        'e5dbb6de2fee42a1caa06e4e7b84ce408ffa5c4a9de2632eca769cde8875014c72d0720feaf53f76e6a180357f528d7bf484fa3a14e8cc1f0f3bada717b43491',
    },
  },
  {
    section: '4.6',
    key: '0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c',
    data: '546573742057697468205472756e636174696f6e',
    mac: {
      SHA256: 'a3b6167473100ee06e0c796c2955552bfa6f7c0a6a8aef8b93f860aab0cd20c5',
      SHA512:
        '415fad6271580a531d4179bc891d87a650188707922a4fbb36663a1eb16da008711c5b50ddd0fc235084eb9d3364a1454fb2ef67cd1d29fe6773068ea266e96b',
      BLAKE2s: '1825eff4619fb8b20833b9432892c81b64e8fcc3caef9ca55422f02e238c5ac9',
      BLAKE2b:
        '7d03e0d2ad83656e5ace6aa9ddf6407a74ccf6560eec1948e1947bf78723923dea359d7d1017ec014e4c191b189e6c7b3855e9a4c99f2e3174144ac1e33ce364',
    },
  },
  {
    section: '4.7',
    key: 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
    data: '54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b6579202d2048617368204b6579204669727374',
    mac: {
      SHA256: '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
      SHA512:
        '80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f3526b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598',
      BLAKE2s: 'd23d79394f53d536a096e6514447eeaabb05ded01be32c1937da6a8f7103bc4e',
      BLAKE2b:
        'a54b2943b2a20227d41ca46c0945af09bc1faefb2f49894c23aebc557fb79c4889dca74408dc865086667aedee4a3185c53a49c80b814c4c5813ea0c8b38a8f8',
    },
  },
  {
    section: '4.8',
    key: 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
    data: '5468697320697320612074657374207573696e672061206c6172676572207468616e20626c6f636b2d73697a65206b657920616e642061206c6172676572207468616e20626c6f636b2d73697a6520646174612e20546865206b6579206e6565647320746f20626520686173686564206265666f7265206265696e6720757365642062792074686520484d414320616c676f726974686d2e',
    mac: {
      SHA256: '9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2',
      SHA512:
        'e37b6a775dc87dbaa4dfa9f96e5e3ffddebd71f8867289865df5a32d20cdc944b6022cac3c4982b10d5eeb55c3e4de15134676fb6de0446065c97440fa8c6a58',
      BLAKE2s: 'cb60f6a791f140bf8aa2e51ff358cdb2cc5c0333045b7fb77aba7ab3b0cfb237',
      BLAKE2b:
        'ab347980a64b5e825dd10e7d32fd43a01a8e6dea267ab9ad7d913524526618925311afbcb0c49519cbebdd709540a8d725fb911ac2aee9b2a3aa43d796123393',
    },
  },
]

/** RFC 5869 appendices A.1 to A.3; the output has `length` bytes. */
export const HKDF_VECTORS: readonly {
  readonly appendix: string
  readonly ikm: string
  readonly salt: string
  readonly info: string
  readonly length: number
  readonly okm: PerHash
}[] = [
  {
    appendix: 'A.1',
    ikm: '0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b',
    salt: '000102030405060708090a0b0c',
    info: 'f0f1f2f3f4f5f6f7f8f9',
    length: 42,
    okm: {
      SHA256: '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865',
      SHA512: '832390086cda71fb47625bb5ceb168e4c8e26a1a16ed34d9fc7fe92c1481579338da362cb8d9f925d7cb',
      BLAKE2s: '1472c31f2ff768c71b19f8803683ee3b13c1a5fb3ea59c0c3bf0d44a4a40dcd4329d9cd85bbe35a1b3e7',
      BLAKE2b: '8815e1a85b5e90e6174323fdd180248887a7138af6dc5c8320fde21a60a078808267d6a41b6a938d7b30',
    },
  },
  {
    appendix: 'A.2',
    ikm: '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f',
    salt: '606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeaf',
    info: 'b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff',
    length: 82,
    okm: {
      SHA256:
        'b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87',
      SHA512:
        'ce6c97192805b346e6161e821ed165673b84f400a2b514b2fe23d84cd189ddf1b695b48cbd1c8388441137b3ce28f16aa64ba33ba466b24df6cfcb021ecff235f6a2056ce3af1de44d572097a8505d9e7a93',
      BLAKE2s:
        '9a4d17a2953c7331fecfb23ff13578c4758b4f5ebaac2dae59dd0d2c8457e2f0075434cf17d98cadf4fcfdcd6d818a3f4f99679d3265bd9da9955b901661a974b146aa7e89fbdcc114e6de28b28b38b87c51',
      BLAKE2b:
        'bb19eccde3ff3f41a8b3a147eb4fa640599a4e2194aadd98c0458f7ec05ac995238f9b6002d5bcbfa7c67975965de73ff014e55acff823162d6d5c04498501b1acb5e99058466d1a440ffc544f408e89f555',
    },
  },
  {
    appendix: 'A.3',
    ikm: '0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b',
    salt: '',
    info: '',
    length: 42,
    okm: {
      SHA256: '8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8',
      SHA512: 'f5fa02b18298a72a8c23898a8703472c6eb179dc204c03425c970e3b164bf90fff22d04836d0e2343bac',
      BLAKE2s: '064c0f0b9d9148a2e5ac797e5ef23d1b39b422f1ec37b57b45065ff2b607527143b9b9f8ba59db392663',
      BLAKE2b: '817520332f597bd8f557a4b40fddfe7674f1edac6c8a1a36fa0546b649bfae4a2ed3f34d03fdef572d51',
    },
  },
]

/** Every length around the block boundaries, and around the buffer that sodium gathers short inputs in, bytes. */
export const ALL_LENGTHS: readonly number[] = [...Array(301).keys(), 4_095, 4_096, 4_097, 10_000]

/** Hash of the hashes of all lengths L, the input of length L being bytes (7i + L) mod 256. */
export const ALL_LENGTHS_HASH: PerHash = {
  SHA256: '19d96f6b53746a67be98ac4b0a9685b5a6658728bfb5d6fc6651401e974a05c5',
  SHA512:
    '54aaae4c5c98c7bc6d3da90b9da39362ade4b7509484629161f42c54ec787a10dd2b9f726a59967765cfe35a316613bbb432863feab66a56b6a969828543923d',
  BLAKE2s: '8206288b1f8b62711a123dec13943dbe0c47bcac2451a26099fbf500b521ea96',
  BLAKE2b:
    '583780e7334c8385beb6f5e95c44c857b7f00dbb3f72be21bfecd5f911c9db74a8056cf32c0fbc05471a000ae288a8d2b1a54de82b08368e3642dbc7d6c01d76',
}

/** Hash of the HMACs of the same inputs, each under its own first 200 bytes as the key. */
export const ALL_LENGTHS_HMAC: PerHash = {
  SHA256: '35b5408577b2789fb8d434a043486217b4de486972e06b4b59c3124d1b2ebde0',
  SHA512:
    '29067efe3c99f240eeed3e197ef562219167bf4003f358048981c9cc1d8dadda3fc8ba210c5d4749a947fb38a4ddcfefb352d9aeae2cca09614050b771906d50',
  BLAKE2s: '96f8e186f6b2542956f1f8f22ff8642a7c0258f8be544fc5e7d18f8f080c9646',
  BLAKE2b:
    '3937b6b83062e761f66674a1a932bee6c27130c38e1c52b0e614bb5c436bb78c69f2a1b1acebcef9491c2ff229a3f41b00ab85e78da9a47e3c09cb00fe8f4278',
}
