// noisecap in the rows of streams: bytes, and small calls beside them in the same session.
import {
  byteStream,
  bytes,
  connect,
  iface,
  method,
  Service,
  type StreamSource,
  stream,
  streamOf,
} from 'noisecap'
import { z } from 'zod'
import { BLOCK, BLOCK_BYTES } from '../suite/blocks.mjs'
import type { ByteSubject } from './byte-source.js'

export const Files = iface('Files', {
  download: stream(z.number(), bytes),
  upload: method(streamOf(bytes), z.number()),
  echo: method<number, number>(),
})

async function* blocks(count: number): AsyncGenerator<Uint8Array> {
  for (let left = count; left > 0; left -= BLOCK_BYTES) {
    yield left < BLOCK_BYTES ? BLOCK.subarray(0, left) : BLOCK
  }
}

/** Read a stream to its end.
 * @returns its length, bytes. */
async function arrived(
  stream: AsyncIterable<Uint8Array>,
  chunk?: (data: Uint8Array, offset: number) => void,
): Promise<number> {
  let got = 0
  for await (const data of stream) {
    chunk?.(data, got)
    got += data.length
  }
  return got
}

export const noisecapBytes: ByteSubject = {
  async serve() {
    const service = Service.create(undefined, { announcers: [] })
    const files = service.offer('files', Files, () => ({
      download: blocks,
      upload: (data: StreamSource<Uint8Array>) => arrived(data as AsyncIterable<Uint8Array>),
      echo: (value) => value,
    }))
    const location = await service.listen('tcp://127.0.0.1:0')
    return files.mint({}, { at: [location] }).export()
  },
  async connect(address) {
    const files = await connect(address, Files, { resolvers: [] })
    return {
      echo: (value) => files.echo(value),
      upload: (length) => files.upload(byteStream(blocks(length))),
      download: (length, chunk) => arrived(files.download(length), chunk),
    }
  },
}
