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

async function count(source: StreamSource<Uint8Array>): Promise<number> {
  let got = 0
  for await (const { length } of source as AsyncIterable<Uint8Array>) got += length
  return got
}

export const noisecapBytes: ByteSubject = {
  async serve() {
    const service = Service.create(undefined, { announcers: [] })
    const files = service.offer('files', Files, () => ({
      download: blocks,
      upload: count,
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
      async download(count, chunk) {
        let got = 0
        for await (const data of files.download(count)) {
          chunk?.(data, got)
          got += data.length
        }
        return got
      },
    }
  },
}
