// The floor under every encrypted call: length-prefixed records, cbor-x, one ChaChaPoly call of sodium-native a record,
// callbacks instead of promises, no methods, no errors, no limits. Not a protocol: both keys are fixed.
// One record holds what was written in one turn: with 1,024 outstanding a batch, sequentially one call.
import { createServer, connect as netConnect, type Socket } from 'node:net'
import { Encoder } from 'cbor-x'
import { sodium } from '../suite/sodium.js'
import { checkEcho, type Payload, type Subject, TEXT } from '../suite/subject.js'

const KEY = Buffer.alloc(32, 7)
const TAG_BYTES = 16
const HEADER_BYTES = 2
const RECORD_MAX_BYTES = 60_000
/** Room for one more value in a batch. */
const VALUE_MAX_BYTES = 256

/** Encrypted records over one socket, each a sequence of values. */
class BareLink {
  readonly #socket: Socket
  readonly #codec = new Encoder({ useRecords: false, mapsAsObjects: true, variableMapSize: true })
  readonly #sendNonce = Buffer.alloc(12)
  readonly #receiveNonce = Buffer.alloc(12)
  readonly #batch = Buffer.alloc(RECORD_MAX_BYTES + VALUE_MAX_BYTES)
  #batched = 0
  #rest: Buffer | undefined
  #sent = 0
  #received = 0
  readonly #deliver: (value: Payload) => void

  constructor(socket: Socket, deliver: (value: Payload) => void) {
    this.#socket = socket
    this.#deliver = deliver
    socket.on('data', (chunk: Buffer) => this.#receive(chunk))
  }

  /** Append one value to the record in hand. */
  write(value: Payload): void {
    const bytes = this.#codec.encode(value)
    this.#batch[this.#batched] = bytes.length
    this.#batch.set(bytes, this.#batched + 1)
    this.#batched += 1 + bytes.length
    if (this.#batched > RECORD_MAX_BYTES) this.flush()
  }

  /** Send the record in hand. */
  flush(): void {
    if (this.#batched === 0) return
    const length = this.#batched + TAG_BYTES
    const record = Buffer.allocUnsafe(HEADER_BYTES + length)
    record.writeUInt16BE(length)
    this.#sendNonce.writeUInt32LE(this.#sent++, 4)
    const plaintext = this.#batch.subarray(0, this.#batched)
    sodium.crypto_aead_chacha20poly1305_ietf_encrypt(
      record.subarray(HEADER_BYTES),
      plaintext,
      null,
      null,
      this.#sendNonce,
      KEY,
    )
    this.#batched = 0
    this.#socket.write(record)
  }

  #receive(chunk: Buffer): void {
    const bytes = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk])
    let at = 0
    while (bytes.length - at >= HEADER_BYTES) {
      const end = at + HEADER_BYTES + bytes.readUInt16BE(at)
      if (end > bytes.length) break
      this.#open(bytes.subarray(at + HEADER_BYTES, end))
      at = end
    }
    this.#rest = at < bytes.length ? bytes.subarray(at) : undefined
    this.flush()
  }

  #open(record: Buffer): void {
    const plaintext = record.subarray(0, record.length - TAG_BYTES)
    this.#receiveNonce.writeUInt32LE(this.#received++, 4)
    sodium.crypto_aead_chacha20poly1305_ietf_decrypt(plaintext, null, record, null, this.#receiveNonce, KEY)
    for (let at = 0; at < plaintext.length; ) {
      const end = at + 1 + plaintext[at]!
      this.#deliver(this.#codec.decode(plaintext.subarray(at + 1, end)) as Payload) // the other side is this file
      at = end
    }
  }
}

function serve(): Promise<string> {
  return new Promise((resolve) => {
    const server = createServer({ noDelay: true }, (socket) => {
      const link = new BareLink(socket, (value) => link.write(value))
    })
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      if (address === null || typeof address === 'string') throw new Error('Cannot listen on TCP')
      resolve(String(address.port))
    })
  })
}

/** The loop without promises: the answer of one call makes the next. */
class BareLoop {
  readonly #link: BareLink
  #calls = 0
  #next = 0
  #answered = 0
  #beganMs = 0
  #latencies: Float64Array | undefined
  #done: () => void = () => {}

  constructor(socket: Socket) {
    this.#link = new BareLink(socket, (value) => this.#answer(value))
  }

  run(calls: number, outstanding: number, latencies: Float64Array | undefined): Promise<void> {
    this.#calls = calls
    this.#next = 0
    this.#answered = 0
    this.#latencies = latencies
    return new Promise((resolve) => {
      this.#done = resolve
      for (let i = Math.min(calls, outstanding); i > 0; i--) this.#ask()
      this.#link.flush()
    })
  }

  #ask(): void {
    if (this.#latencies !== undefined) this.#beganMs = performance.now()
    this.#link.write({ id: this.#next++, text: TEXT })
  }

  #answer(value: Payload): void {
    if (this.#latencies !== undefined) {
      this.#latencies[this.#answered] = (performance.now() - this.#beganMs) * 1_000
    }
    checkEcho({ id: this.#answered, text: TEXT }, value)
    this.#answered += 1
    if (this.#next < this.#calls) this.#ask()
    else if (this.#answered === this.#calls) this.#done()
  }
}

function connect(address: string): Promise<BareLoop> {
  return new Promise((resolve, reject) => {
    const socket = netConnect({ port: Number(address), host: '127.0.0.1', noDelay: true })
    socket.once('error', reject)
    socket.once('connect', () => resolve(new BareLoop(socket)))
  })
}

export const bare: Subject = {
  serve,
  async connect(address) {
    const loop = await connect(address)
    return {
      loop: (calls, outstanding, latencies) => loop.run(calls, outstanding, latencies),
      async echo(payload) {
        await loop.run(payload.id + 1, 1, undefined) // which checks every answer
        return payload
      },
    }
  },
}
