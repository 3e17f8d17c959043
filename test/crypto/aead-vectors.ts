// Published test vectors of the two ciphers, as data: RFC 8439 §2.8.2 and A.5 (ChaCha20-Poly1305); the AES-256 cases of
// McGrew and Viega's GCM specification and of NIST's CAVP file gcmEncryptExtIV256.rsp. All in hexadecimal.
// Leaves out the other primitives.
import type { AeadName } from '../../src/crypto/index.js'

interface AeadVector {
  readonly source: string
  readonly key: string
  readonly nonce: string
  readonly ad: string
  readonly plaintext: string
  /** Ciphertext ‖ tag. */
  readonly sealed: string
}

const GCM_SPEC_PLAINTEXT =
  'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39'
const GCM_SPEC_CIPHERTEXT =
  '522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662'

function ascii(text: string): string {
  return Buffer.from(text, 'utf8').toString('hex')
}

export const AEAD_VECTORS: Readonly<Record<AeadName, readonly AeadVector[]>> = {
  ChaChaPoly: [
    {
      source: 'RFC 8439 §2.8.2',
      key: '808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f',
      nonce: '070000004041424344454647',
      ad: '50515253c0c1c2c3c4c5c6c7',
      plaintext: ascii(
        "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
      ),
      sealed:
        'd31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691',
    },
    {
      source: 'RFC 8439 A.5',
      key: '1c9240a5eb55d38af333888604f6b5f0473917c1402b80099dca5cbc207075c0',
      nonce: '000000000102030405060708',
      ad: 'f33388860000000000004e91',
      plaintext: ascii(
        'Internet-Drafts are draft documents valid for a maximum of six months and may be updated, replaced, or obsoleted by other documents at any time. It is inappropriate to use Internet-Drafts as reference material or to cite them other than as /“work in progress./”',
      ),
      sealed:
        '64a0861575861af460f062c79be643bd5e805cfd345cf389f108670ac76c8cb24c6cfc18755d43eea09ee94e382d26b0bdb7b73c321b0100d4f03b7f355894cf332f830e710b97ce98c8a84abd0b948114ad176e008d33bd60f982b1ff37c8559797a06ef4f0ef61c186324e2b3506383606907b6a7c02b0f9f6157b53c867e4b9166c767b804d46a59b5216cde7a4e99040c5a40433225ee282a1b0a06c523eaf4534d7f83fa1155b0047718cbc546a0d072b04b3564eea1b422273f548271a0bb2316053fa76991955ebd63159434ecebb4e466dae5a1073a6727627097a1049e617d91d361094fa68f0ff77987130305beaba2eda04df997b714d6c6f2c29a6ad5cb4022b02709beead9d67890cbb22392336fea1851f38',
    },
  ],
  AESGCM: [
    {
      source: 'GCM specification, case 13',
      key: '00'.repeat(32),
      nonce: '00'.repeat(12),
      ad: '',
      plaintext: '',
      sealed: '530f8afbc74536b9a963b4f1c4cb738b',
    },
    {
      source: 'GCM specification, case 14',
      key: '00'.repeat(32),
      nonce: '00'.repeat(12),
      ad: '',
      plaintext: '00'.repeat(16),
      sealed: 'cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919',
    },
    {
      source: 'GCM specification, case 15',
      key: 'feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308',
      nonce: 'cafebabefacedbaddecaf888',
      ad: '',
      plaintext: `${GCM_SPEC_PLAINTEXT}1aafd255`,
      sealed: `${GCM_SPEC_CIPHERTEXT}898015adb094dac5d93471bdec1a502270e3cc6c`,
    },
    {
      source: 'GCM specification, case 16',
      key: 'feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308',
      nonce: 'cafebabefacedbaddecaf888',
      ad: 'feedfacedeadbeeffeedfacedeadbeefabaddad2',
      plaintext: GCM_SPEC_PLAINTEXT,
      sealed: `${GCM_SPEC_CIPHERTEXT}76fc6ece0f4e1768cddf8853bb2d551b`,
    },
    {
      source: 'CAVP, empty plaintext and associated data',
      key: 'b52c505a37d78eda5dd34f20c22540ea1b58963cf8e5bf8ffa85f9f2492505b4',
      nonce: '516c33929df5a3284ff463d7',
      ad: '',
      plaintext: '',
      sealed: 'bdc1ac884d332457a1d2664f168c76f0',
    },
    {
      source: 'CAVP, 20 bytes of associated data alone',
      key: '886cff5f3e6b8d0e1ad0a38fcdb26de97e8acbe79f6bed66959a598fa5047d65',
      nonce: '3a8efa1cd74bbab5448f9945',
      ad: '519fee519d25c7a304d6c6aa1897ee1eb8c59655',
      plaintext: '',
      sealed: 'f6d47505ec96c98a42dc3ae719877b87',
    },
    {
      source: 'CAVP, 16 bytes of plaintext alone',
      key: '31bdadd96698c204aa9ce1448ea94ae1fb4a9a0b3c9d773b51bb1822666b8f22',
      nonce: '0d18e06c7c725ac9e362e1ce',
      ad: '',
      plaintext: '2db5168e932556f8089a0622981d017d',
      sealed: 'fa4362189661d163fcd6a56d8bf0405ad636ac1bbedd5cc3ee727dc2ab4a9489',
    },
    {
      source: 'CAVP, 16 bytes of each',
      key: '92e11dcdaa866f5ce790fd24501f92509aacf4cb8b1339d50c9c1240935dd08b',
      nonce: 'ac93a1a6145299bde902f21a',
      ad: '1e0889016f67601c8ebea4943bc23ad6',
      plaintext: '2d71bcfa914e4ac045b2aa60955fad24',
      sealed: '8995ae2e6df3dbf96fac7b7137bae67feca5aa77d51d4a0a14d9c51e1da474ab',
    },
  ],
}
