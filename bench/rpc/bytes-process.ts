// A process of the row of streams: `bytes-process.ts <subject>`, as the service or the client.
import { checkChunk } from '../suite/blocks.mjs'
import { obey } from '../suite/orders.js'
import type { ByteSource, ByteSubject } from './byte-source.js'

/** What a parent may ask. */
export type BytesOrder =
  | { readonly do: 'serve' }
  | { readonly do: 'connect'; readonly address: string }
  | { readonly do: 'download'; readonly bytes: number }

/** Where a subject is, by name: module, then export. */
const SUBJECTS = {
  tls: ['../peers/bytes.mjs', 'tlsBytes'],
  secretStream: ['../peers/bytes.mjs', 'secretStreamBytes'],
} as const

export type ByteSubjectName = keyof typeof SUBJECTS

const CHECKED_BYTES = 4_000_001

async function load(name: ByteSubjectName): Promise<ByteSubject> {
  const [file, exported] = SUBJECTS[name]
  const loaded = (await import(file)) as Record<string, ByteSubject> // the table says so
  const subject = loaded[exported]
  if (subject === undefined) throw new Error(`Cannot load ${file}: it has no ${exported}`)
  return subject
}

/** @returns bytes a second. */
async function timed(source: ByteSource, bytes: number): Promise<number> {
  const began = performance.now()
  const got = await source.download(bytes)
  const elapsedMs = performance.now() - began
  if (got !== bytes) throw new Error(`Cannot time a stream: ${got} bytes arrived of ${bytes}`)
  return (bytes / elapsedMs) * 1_000
}

const subject = await load(process.argv[2] as ByteSubjectName) // an unknown name fails to load
let source: ByteSource | undefined

obey(async (asked: BytesOrder): Promise<unknown> => {
  switch (asked.do) {
    case 'serve':
      return subject.serve()
    case 'connect':
      source = await subject.connect(asked.address)
      return source.download(CHECKED_BYTES, checkChunk)
    case 'download':
      if (source === undefined) throw new Error('Cannot download: not connected')
      return timed(source, asked.bytes)
  }
})
