// A stream of bytes in one direction over loopback TCP between two processes, beside TLS 1.3 and secret-stream.
// Leaves out what a byte is checked for (bench/suite/blocks.mjs).
import type { ChildProcess } from 'node:child_process'
import { order, startProcess } from '../suite/orders.js'
import { atLeast, type Row, reported } from '../suite/report.js'
import { alternate, median, ROUNDS } from '../suite/rounds.js'
import type { ByteSubjectName, BytesOrder } from './bytes-process.js'

/** Length of one round; how many bytes fit is learnt while warming up. */
const ROUND_MS = 150
const WARMUP_BYTES = 32 * 1_048_576
const WARMUPS = 4
const MIB = 1_048_576

/** Two processes of one subject, connected and checked. */
class BytesPair implements Disposable {
  readonly #children: readonly ChildProcess[]
  readonly #client: ChildProcess
  #bytes = WARMUP_BYTES

  private constructor(service: ChildProcess, client: ChildProcess) {
    this.#children = [service, client]
    this.#client = client
  }

  static async start(subject: ByteSubjectName): Promise<BytesPair> {
    const program = new URL('bytes-process.ts', import.meta.url)
    const [service, client] = [startProcess(program, [subject]), startProcess(program, [subject])]
    const ask = <Result>(child: ChildProcess, asked: BytesOrder): Promise<Result> => order(child, asked)
    const address = await ask<string>(service, { do: 'serve' })
    await ask(client, { do: 'connect', address })
    return new BytesPair(service, client)
  }

  /** One round, bytes a second. */
  async round(way: 'download' | 'upload' = 'download'): Promise<number> {
    const asked: BytesOrder = { do: way, bytes: this.#bytes }
    const rate = await order<number>(this.#client, asked)
    this.#bytes = Math.max(MIB, Math.round((rate * ROUND_MS) / 1_000))
    return rate
  }

  [Symbol.dispose](): void {
    for (const child of this.#children) child.disconnect()
  }
}

export async function bytesRows(): Promise<readonly Row[]> {
  using noisecap = await BytesPair.start('noisecap')
  using tls = await BytesPair.start('tls')
  using secretStream = await BytesPair.start('secretStream')
  using uploading = await BytesPair.start('noisecap')
  const [ours = 0, ofTls = 0, ofSecretStream = 0, uploaded = 0] = (
    await alternate(
      [...[noisecap, tls, secretStream].map((pair) => () => pair.round()), () => uploading.round('upload')],
      WARMUPS,
      4 * ROUNDS,
    )
  ).map(median)
  const against = (peer: string, theirs: number, bar: number): Row => ({
    what: 'stream of bytes, one direction',
    ours: mibs(ours),
    peer: `${peer}: ${mibs(theirs)}`,
    ...atLeast(ours / theirs, bar),
  })
  return [
    against('@hyperswarm/secret-stream', ofSecretStream, 1.1),
    against('TLS 1.3', ofTls, 0.8),
    {
      what: 'stream of bytes to a service',
      ours: mibs(uploaded),
      peer: `from a service: ${mibs(ours)}`,
      ...reported(uploaded / ours),
    },
  ]
}

function mibs(rate: number): string {
  return `${(rate / MIB).toFixed(0)} MiB/s`
}
