// Every size, count and time limit of the protocol with its unit and the section that fixes it.
// What is a default is configurable where the public API says so; the rest is fixed by the wire format.
// Leaves out the lengths of cryptographic primitives (src/crypto/provider.ts).

/** Noise message, handshake and transport alike, bytes (Noise rev 34 §3). */
export const NOISE_MESSAGE_MAX_BYTES = 65_535
/** Pre-shared key, bytes (Noise rev 34 §9). */
export const PSK_BYTES = 32
/** Noise protocol name, bytes (Noise rev 34 §8). */
export const NOISE_PROTOCOL_NAME_MAX_BYTES = 255

/** Caveats in one chain (spec/capability.md §4). */
export const CAVEATS_MAX = 16
/** Salt of a holder caveat (spec/capability.md §5), bytes. */
export const HOLDER_SALT_BYTES = 32
/** Encoded locator, bytes (spec/capability.md §4). */
export const LOCATOR_MAX_BYTES = 2_560
/** Token as bytes, before base64url (spec/capability.md §5). */
export const TOKEN_MAX_BYTES = 4_096
/** Capability as text, characters, hints included (spec/capability.md §6). */
export const CAPABILITY_TEXT_MAX_CHARS = 8_192
/** Location hints in one capability (spec/capability.md §6). */
export const LOCATIONS_MAX = 8
/** One location, characters (spec/resolve.md §2). */
export const LOCATION_MAX_CHARS = 255
/** Object path, UTF-8 bytes (spec/capability.md §3). */
export const OBJECT_PATH_MAX_BYTES = 512
/** Encoded claims of a grant, bytes (spec/capability.md §3). */
export const CLAIMS_MAX_BYTES = 1_024
/** Name of a claim, characters (spec/capability.md §3). */
export const CLAIM_NAME_MAX_CHARS = 64
/** Label that a delegator leaves in a `via` caveat, UTF-8 bytes (spec/capability.md §4). */
export const VIA_MAX_BYTES = 128
/** Label of a capability, characters (spec/capability.md §6). */
export const LABEL_MAX_CHARS = 64
/** Highest number of a root secret (spec/capability.md §1). */
export const KID_MAX = 0xffff_ffff
/** Root secrets that one service keeps (spec/capability.md §9). */
export const ROOTS_MAX = 64
/** Key file, bytes (spec/capability.md §9). */
export const KEY_FILE_MAX_BYTES = 8_192
/** Cost exponents of scrypt that a key file may ask for (spec/capability.md §9). */
export const SCRYPT_LOG_N_MIN = 14
export const SCRYPT_LOG_N_MAX = 18
/** Parallelism of scrypt that a key file may ask for (spec/capability.md §9). */
export const SCRYPT_P_MAX = 4
/** Revocation file, bytes; about 945,000 revocations (spec/capability.md §8). */
export const REVOCATION_FILE_MAX_BYTES = 67_108_864
/** Credit that a stream keeps beside calls over a short path, bytes: two full frames (spec/rpc.md §4). */
export const WINDOW_MIN_BYTES = 65_536
/** So long after a call or an answer has arrived a stream counts as beside calls, ms (spec/rpc.md §4). */
export const BESIDE_CALLS_MS = 20
/** Up to this long a round trip makes a path short, ms (spec/rpc.md §4). */
export const SHORT_PATH_MS = 1
/** Between two looks at a file of revocations or contacts that no watcher reported, ms (spec/capability.md §8). */
export const LOG_POLL_MS = 2_000
/** Nesting of deterministic CBOR that a peer sent, levels (spec/capability.md §2). */
export const DCBOR_MAX_DEPTH = 16
/** Tolerance for clocks when expiry is judged, seconds (spec/capability.md §4). */
export const CLOCK_LEEWAY_SECONDS = 60

/** From accept to the client's first record, ms (spec/session.md §9). */
export const HANDSHAKE_DEADLINE_MS = 5_000
/** From the first to the last byte of one frame, ms (spec/session.md §9). */
export const FRAME_DEADLINE_MS = 10_000
/** Without any record from the peer, ms (spec/session.md §9). */
export const IDLE_DEADLINE_MS = 180_000
/** Between keepalives while nothing else is sent, ms (spec/session.md §9). */
export const KEEPALIVE_INTERVAL_MS = 60_000
/** Life of one session before a new handshake is due, ms (spec/session.md §9). */
export const SESSION_MAX_MS = 86_400_000
/** Hello, bytes (spec/session.md §3). */
export const HELLO_MAX_BYTES = 4_096
/** Handshake payloads are padded to a multiple of this, bytes (spec/session.md §3). */
export const HANDSHAKE_PADDING_BYTES = 256
/** Handshakes that hold a slot, past the proof (spec/session.md §9). */
export const HANDSHAKES_COMPUTING_MAX = 1_024
/** Sockets whose client has not sent its first record; the oldest is evicted (spec/session.md §9). */
export const SOCKETS_UNPROVEN_MAX = 16_384
/** Unproven hellos of one address, a second (spec/session.md §9). */
export const UNPROVEN_HELLOS_PER_SECOND = 20
/** Unproven hellos of one address in one go (spec/session.md §9). */
export const UNPROVEN_HELLOS_BURST = 5
/** Ephemeral keys remembered to refuse a replayed hello (spec/session.md §5). */
export const SEEN_EPHEMERALS_MAX = 65_536
/** Presentations without a genuine proof, before the session ends (spec/session.md §5). */
export const PRESENTATIONS_FAILED_MAX = 8
/** Contacts in one book: tags of three days are kept for each (spec/session.md §4). */
export const CONTACTS_MAX = 16_384
/** Contact file, bytes; about 99,000 records, additions in the first half (spec/session.md §4). */
export const CONTACT_FILE_MAX_BYTES = 16_777_216
/** Services that may share one port (spec/session.md §5). */
export const SERVICES_PER_PORT_MAX = 16
/** Records in one direction between rekeys (spec/session.md §7). */
export const REKEY_INTERVAL_RECORDS = 65_536
/** Messages that one side of a message pipe may send ahead of what the other has read, with their overhead, bytes
 * (spec/session.md §12). */
export const MESSAGE_WINDOW_BYTES = 1_048_576
/** What each message takes of the window besides its bytes (spec/session.md §12). */
export const MESSAGE_OVERHEAD_BYTES = 64
/** What was read before room is given back, with overhead, bytes (spec/session.md §12). */
export const MESSAGE_CREDIT_STEP_BYTES = 65_536
/** Between two looks at whether the other end of a WebSocket answers, ms (spec/session.md §12). */
export const WEBSOCKET_PING_INTERVAL_MS = 30_000

/** One request or answer over HTTP, bytes (spec/session.md §13). */
export const HTTP_BODY_MAX_BYTES = 4_194_304
/** From a batch to its answer, ms (spec/session.md §13). */
export const HTTP_ANSWER_DEADLINE_MS = 30_000
/** From a request's headers to the last byte of its body, ms (spec/session.md §13). */
export const HTTP_BODY_DEADLINE_MS = 10_000
/** From a hello to the answer that says nothing, ms (spec/session.md §13). */
export const HTTP_SILENCE_MS = 250
/** How long a client waits with its batch after the hello was answered, ms (spec/session.md §13). */
export const HTTP_BATCH_WAIT_MS = 4_000

/** Reassembled RPC message, bytes (spec/rpc.md §8). */
export const MESSAGE_MAX_BYTES = 1_048_576
/** Body of one fragment, bytes (spec/rpc.md §2). */
export const FRAGMENT_MAX_BYTES = 16_384
/** Bytes of a stream in one frame (spec/rpc.md §2). */
export const STREAM_FRAME_MAX_BYTES = 32_768
/** Blocks of memory for long records that a process keeps between streams: 264 KiB (docs/performance.md). */
export const RECORD_MEMORY_KEPT = 8
/** Waiting in the socket before a flush pauses, bytes (spec/rpc.md §2). */
export const SOCKET_HIGH_WATER_BYTES = 65_536
/** Answers that wait for a peer who does not read, before no more of its calls are read, bytes (spec/rpc.md §8). */
export const OUTBOX_HIGH_WATER_BYTES = 1_048_576
/** Nesting of a value (spec/rpc.md §5). */
export const VALUE_MAX_DEPTH = 32
/** Items in one value, containers and members alike (spec/rpc.md §5). */
export const VALUE_MAX_ITEMS = 65_536
/** Key of a map, UTF-8 bytes (spec/rpc.md §5). */
export const VALUE_KEY_MAX_BYTES = 256
/** Members of one plain object (spec/rpc.md §5, §10). */
export const VALUE_OBJECT_MEMBERS_MAX = 2_048
/** Numbers and bigints that are members of Sets or keys of Maps, in one value (spec/rpc.md §5, §10). */
export const VALUE_HASHED_NUMBERS_MAX = 1_024
/** Magnitude of a bigint, bytes (spec/rpc.md §5). */
export const VALUE_BIGINT_MAX_BYTES = 128
/** Calls in flight in one session (spec/rpc.md §8). */
export const CALLS_IN_FLIGHT_MAX = 1_024
/** Exported references in one session (spec/rpc.md §8). */
export const EXPORTS_MAX = 4_096
/** Pipeline depth in one session (spec/rpc.md §8). */
export const PIPELINE_DEPTH_MAX = 64
/** Keys of a path into an answer (spec/rpc.md §3). */
export const PIPELINE_PATH_MAX_KEYS = 8
/** Arguments of calls that wait for other answers in one session, and data of answers copied into the arguments of one call,
 * bytes (spec/rpc.md §8). */
export const PIPELINED_BYTES_MAX = 4_194_304
/** Steps of one MAP (spec/rpc.md §8). */
export const MAP_STEPS_MAX = 64
/** Calls that one MAP makes, elements times steps, where an offer allows maps (spec/rpc.md §8). */
export const MAP_CALLS_MAX = 1_024
/** Streams of one side that are open in one session (spec/rpc.md §8). */
export const STREAMS_MAX = 1_024
/** Credit of a stream that its receiver has let grow, bytes (spec/rpc.md §8). */
export const STREAM_MAX_BYTES = 4_194_304
/** Streams of one session that may have grown to their maximum at the same time; more share as many bytes (spec/rpc.md §8). */
export const STREAMS_GROWN_MAX = 4
/** Between two looks at how long a round trip takes, ms (spec/rpc.md §4). */
export const ROUND_TRIP_INTERVAL_MS = 20
/** Unknown or double releases before the session ends (spec/rpc.md §8). */
export const BAD_RELEASES_MAX = 100
/** Method name, UTF-8 bytes (spec/rpc.md §3). */
export const METHOD_NAME_MAX_BYTES = 127
/** Metadata of a call as a value, bytes (spec/rpc.md §3). */
export const METADATA_MAX_BYTES = 4_096
/** Names in the metadata of a call (spec/rpc.md §3). */
export const METADATA_MAX_KEYS = 32

/** Location record, bytes (spec/resolve.md §3). */
export const LOCATION_RECORD_MAX_BYTES = 4_096
/** Life of a location record, seconds (spec/resolve.md §3). */
export const LOCATION_RECORD_MAX_SECONDS = 604_800
/** How far ahead of the clock a record's sequence may be, ms (spec/resolve.md §3). */
export const LOCATION_SEQUENCE_AHEAD_MAX_MS = 300_000
/** The plaintext of a location record is padded to a multiple of this, bytes (spec/resolve.md §3). */
export const LOCATION_RECORD_PADDING_BYTES = 256
/** Priority and weight of a location (spec/resolve.md §3). */
export const LOCATION_RANK_MAX = 65_535
/** How long an answer with locations is kept, ms (spec/resolve.md §5). */
export const RESOLVE_TTL_MS = 60_000
/** How long an answer without locations is kept, ms (spec/resolve.md §5). */
export const RESOLVE_MISS_TTL_MS = 2_000
/** Services whose answers and floors one cache keeps (spec/resolve.md §5). */
export const RESOLVE_CACHE_MAX = 1_024
/** Life of a record in the file registry, seconds; refreshed at a third of it (spec/resolve.md §6). */
export const REGISTRY_EXPIRY_SECONDS = 900
/** Records of one service in the file registry (spec/resolve.md §6). */
export const REGISTRY_RECORDS_MAX = 256

/** DNS answer over TCP, bytes (spec/resolve.md §7.4). */
export const DNS_MESSAGE_MAX_BYTES = 16_384
/** DNS answer over UDP, bytes, as told to the server (spec/resolve.md §7.4). */
export const DNS_UDP_PAYLOAD_BYTES = 1_232
/** Resource records in one DNS answer, all sections together (spec/resolve.md §7.4). */
export const DNS_ANSWER_RECORDS_MAX = 64
/** Aliases that are followed within one DNS answer (spec/resolve.md §7.4). */
export const DNS_ALIASES_MAX = 8
/** Zones of one resolver, each of which is asked (spec/resolve.md §7.4). */
export const DNS_ZONES_MAX = 8
/** Servers of one resolver, asked in turn (spec/resolve.md §7.4). */
export const DNS_SERVERS_MAX = 8
/** Waiting for one DNS server, ms (spec/resolve.md §7.4). */
export const DNS_TIMEOUT_MS = 2_000
/** Rounds through the DNS servers after the first (spec/resolve.md §7.4). */
export const DNS_RETRIES = 1
/** How long a DNS answer is kept, whatever its TTL, seconds (spec/resolve.md §7.4). */
export const DNS_TTL_MAX_SECONDS = 3_600
/** How long a DNS answer without records is kept, whatever its SOA says, seconds (spec/resolve.md §7.4). */
export const DNS_MISS_TTL_MAX_SECONDS = 60
/** TTL of a published record, seconds (spec/resolve.md §7.5). */
export const DNS_PUBLISH_TTL_SECONDS = 300
/** Life of an announcement in DNS, seconds; refreshed at a third of it (spec/resolve.md §7.5). */
export const DNS_EXPIRY_SECONDS = 3_600
/** Waiting for the answer to an update, ms (spec/resolve.md §7.5). */
export const DNS_UPDATE_TIMEOUT_MS = 5_000
/** Difference of clocks within which a signed DNS message counts, seconds (spec/resolve.md §7.5). */
export const TSIG_FUDGE_SECONDS = 300
/** Secret of a TSIG key, bytes (spec/resolve.md §7.5). */
export const TSIG_SECRET_MIN_BYTES = 16
export const TSIG_SECRET_MAX_BYTES = 512

/** Wraps in one header: readers of one epoch (spec/seal.md §8). */
export const SEAL_WRAPS_MAX = 64
/** Header, bytes (spec/seal.md §8). */
export const SEAL_HEADER_MAX_BYTES = 8_192
/** Encoded context, bytes (spec/seal.md §8). */
export const SEAL_CONTEXT_MAX_BYTES = 1_024
/** One value with its padding, before sealing, bytes (spec/seal.md §8). */
export const SEAL_VALUE_MAX_BYTES = 16_777_216
/** Values in one epoch (spec/seal.md §8). */
export const SEAL_EPOCH_MAX_VALUES = 1_048_576
/** Bytes of values after which an epoch ends (spec/seal.md §8). */
export const SEAL_EPOCH_MAX_BYTES = 68_719_476_736
/** Life of an epoch, minutes (spec/seal.md §8). */
export const SEAL_EPOCH_MAX_MINUTES = 60
/** Difference between the wall clock and the monotonic one that ends an epoch, ms (spec/seal.md §8). */
export const SEAL_CLOCK_JUMP_MS = 5_000
/** Epochs that a reader keeps open (spec/seal.md §8). */
export const SEAL_EPOCHS_CACHED_MAX = 1_024
/** Key pairs of one reader (spec/seal.md §8). */
export const SEAL_READER_KEYS_MAX = 16
/** Writers that one reader of pattern K accepts: each may cost two DHs a header (spec/seal.md §8). */
export const SEAL_WRITERS_MAX = 64
/** Wraps of one header with a matching hint that a reader tries (spec/seal.md §8). */
export const SEAL_WRAPS_TRIED_MAX = 2
/** Content of every chunk of a stream save the last, unless the writer says otherwise, bytes (spec/seal.md §8). */
export const SEAL_CHUNK_BYTES = 65_536
/** Bounds of a power of two that a writer may say instead, bytes (spec/seal.md §8). */
export const SEAL_CHUNK_MIN_BYTES = 64
export const SEAL_CHUNK_MAX_BYTES = 1_048_576
/** Chunks of one stream; 256 TiB of the usual ones (spec/seal.md §8). */
export const SEAL_CHUNKS_MAX = 4_294_967_296
/** The plaintext of a sealed locator is padded to a multiple of this, bytes (spec/seal.md §8). */
export const SEAL_LOCATOR_PADDING_BYTES = 128
/** Bits of a blind index that is not cut short (spec/sealed-rows.md §2). */
export const BLIND_INDEX_BITS = 128
/** Fewest bits of a blind index (spec/sealed-rows.md §2). */
export const BLIND_INDEX_BITS_MIN = 8
/** The secret of all blind indexes (spec/sealed-rows.md §2). */
export const BLIND_INDEX_ROOT_BYTES = 32

/** Padded sizes of a message before sealing, bytes; longer ones are multiples of the last (spec/mailbox.md §4). */
export const MAILBOX_SIZE_CLASSES: readonly number[] = [
  512, 1_024, 1_536, 2_048, 3_072, 4_096, 6_144, 8_192, 12_288, 16_384, 24_576, 32_768, 49_152, 65_536,
]
/** One message with its padding, before sealing, bytes (spec/mailbox.md §9). */
export const MAILBOX_MESSAGE_MAX_BYTES = 917_504
/** Envelope, bytes: the longest message and the longest header (spec/mailbox.md §9). */
export const MAILBOX_ENVELOPE_MAX_BYTES = 925_696
/** Header of a message inside the seal, encoded, bytes (spec/mailbox.md §9). */
export const MAILBOX_HEADER_MAX_BYTES = 24_576
/** Content type of a message, and name of a header, characters (spec/mailbox.md §9). */
export const MAILBOX_NAME_MAX_CHARS = 128
/** Value of one header of a message, characters (spec/mailbox.md §9). */
export const MAILBOX_HEADER_VALUE_MAX_CHARS = 1_024
/** Headers of one message (spec/mailbox.md §9). */
export const MAILBOX_HEADERS_MAX = 32
/** Pieces in which a large body is kept, all but the last, bytes (spec/mailbox.md §4.1). */
export const MAILBOX_PIECE_BYTES = 262_144
/** Large body as it is sealed, bytes (spec/mailbox.md §9). */
export const MAILBOX_BODY_MAX_BYTES = 68_719_476_736
/** An upload that nothing was heard of for so long is removed, ms (spec/mailbox.md §9). */
export const MAILBOX_UPLOAD_IDLE_MS = 3_600_000
/** Life of a message, seconds (spec/mailbox.md §9). */
export const MAILBOX_TTL_MAX_SECONDS = 31_536_000
/** Life of a message that says nothing else, seconds (spec/mailbox.md §9). */
export const MAILBOX_TTL_SECONDS = 604_800
/** Messages in one deposit, lease, page or settlement (spec/mailbox.md §9). */
export const MAILBOX_BATCH_MAX = 256
/** Envelopes in one deposit, lease or page, bytes; one is always let through (spec/mailbox.md §9). */
export const MAILBOX_BATCH_MAX_BYTES = 786_432
/** Lease of a message, ms (spec/mailbox.md §9). */
export const MAILBOX_LEASE_MS = 30_000
export const MAILBOX_LEASE_MAX_MS = 43_200_000
/** Delay after a nack, ms (spec/mailbox.md §9). */
export const MAILBOX_DELAY_MAX_MS = 604_800_000
/** Waiting of one long poll, ms (spec/mailbox.md §9). */
export const MAILBOX_WAIT_MAX_MS = 300_000
/** Messages that one consumer holds in one stream (spec/mailbox.md §9). */
export const MAILBOX_WINDOW_MAX = 4_096
/** Limits of a box that asks for nothing else (spec/mailbox.md §9). */
export const MAILBOX_BOX_MESSAGES = 10_000
export const MAILBOX_BOX_BYTES = 67_108_864
export const MAILBOX_BOX_DELIVERIES = 16
/** Until a depositor may try again after a quota was full, ms (spec/mailbox.md §9). */
export const MAILBOX_RETRY_MS = 5_000
/** Until a client tries again when the store of a relay keeps nothing, ms. */
export const MAILBOX_STORE_RETRY_MS = 1_000
/** Between two sweeps of a relay, ms, and expired entries that one removes (spec/mailbox.md §9). */
export const MAILBOX_SWEEP_MS = 30_000
export const MAILBOX_SWEEP_MAX = 1_000
