// A process of the row of streams: `bytes-process.ts <subject>`, as the service or the client.
import { checkChunk } from '../suite/blocks.mjs'
import { obey } from '../suite/orders.js'
import { quantile } from '../suite/rounds.js'
import type { ByteSource, ByteSubject } from './byte-source.js'

/** What a parent may ask. */
export type BytesOrder =
  | { readonly do: 'serve' }
  | { readonly do: 'connect'; readonly address: string }
  | { readonly do: 'download' | 'upload'; readonly bytes: number }
  | { readonly do: 'latencies'; readonly windowMs: number; readonly beside: boolean }

/** Of calls one after the other during a window. */
export interface Latencies {
  readonly p99Micros: number
  /** Of the stream beside them; 0 without one. */
  readonly bytesPerSecond: number
}

/** Where a subject is, by name: module, then export. */
const SUBJECTS = {
  noisecap: ['./noisecap-bytes.js', 'noisecapBytes'],
  tls: ['../peers/bytes.mjs', 'tlsBytes'],
  secretStream: ['../peers/bytes.mjs', 'secretStreamBytes'],
} as const

export type ByteSubjectName = keyof typeof SUBJECTS

const CHECKED_BYTES = 4_000_001
const STREAMED_BYTES = 64 * 1_048_576

async function load(name: ByteSubjectName): Promise<ByteSubject> {
  const [file, exported] = SUBJECTS[name]
  const loaded = (await import(file)) as Record<string, ByteSubject> // the table says so
  const subject = loaded[exported]
  if (subject === undefined) throw new Error(`Cannot load ${file}: it has no ${exported}`)
  return subject
}

/** @returns bytes a second. */
async function timed(source: ByteSource, way: 'download' | 'upload', bytes: number): Promise<number> {
  const began = performance.now()
  const got = await source[way]?.(bytes)
  const elapsedMs = performance.now() - began
  if (got !== bytes) throw new Error(`Cannot time a stream: ${got} bytes arrived of ${bytes}`)
  return (bytes / elapsedMs) * 1_000
}

/** Calls one after the other for `windowMs`, beside streams that follow each other, or alone. */
async function latencies(source: ByteSource, windowMs: number, beside: boolean): Promise<Latencies> {
  const began = performance.now()
  let arrived = 0
  let isOver = false
  const streams = async (): Promise<void> => {
    while (beside && !isOver) {
      await source.download(STREAMED_BYTES, (data) => {
        if (!isOver) arrived += data.length
      })
    }
  }
  const streaming = streams()
  const micros: number[] = []
  for (let id = 0; performance.now() - began < windowMs; id++) {
    const sent = performance.now()
    const answer = await source.echo?.(id)
    micros.push((performance.now() - sent) * 1_000)
    if (answer !== id) throw new Error('Cannot time calls: the answer is wrong')
  }
  const bytesPerSecond = (arrived / (performance.now() - began)) * 1_000
  isOver = true
  await streaming
  return { p99Micros: quantile(micros, 0.99), bytesPerSecond }
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
    case 'upload':
      if (source === undefined) throw new Error(`Cannot ${asked.do}: not connected`)
      return timed(source, asked.do, asked.bytes)
    case 'latencies':
      if (source === undefined) throw new Error('Cannot call: not connected')
      return latencies(source, asked.windowMs, asked.beside)
  }
})
