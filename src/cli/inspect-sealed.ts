// `noisecap inspect` of a sealed file: what it says to anybody, never content. With a key file also whether a reader's hint fits.
// Leaves out reading it (src/seal/describe.ts) and capabilities (inspect.ts).
import { open } from 'node:fs/promises'
import {
  describeSealed,
  type HeaderDescription,
  type SealDescription,
  type SegmentDescription,
} from '../seal/index.js'
import { type Line, styled } from './colour.js'
import { type Context, looksLikeCapability } from './input.js'
import { table } from './output.js'
import { sizeText } from './progress.js'
import { type KeyOptions, readAnyKey } from './sealing-parties.js'

/** First bytes of the forms of seals (spec/seal.md §2); in no text. */
const FIRST_BYTES: ReadonlySet<number> = new Set([0xf9, 0xfa, 0xfb, 0xfc])
/** Segments of a log that are drawn one by one. */
const DRAWN_MAX = 20

/** Whether `argument` names a file that begins as sealed bytes do. */
export async function isSealedFile(argument: string | undefined): Promise<boolean> {
  if (argument === undefined || looksLikeCapability(argument)) return false
  try {
    await using file = await open(argument)
    const first = new Uint8Array(1)
    return (await file.read(first, 0, 1, 0)).bytesRead === 1 && FIRST_BYTES.has(first[0]!)
  } catch {
    return false // what is wrong with it, whoever takes it for a capability says
  }
}

/** Describe the sealed file at `path`. */
export async function inspectSealed({ output }: Context, path: string, options: KeyOptions): Promise<void> {
  await using file = await open(path)
  const key = options.key === undefined ? undefined : await readAnyKey(options.key, options)
  using pair = key?.pair
  const { size } = await file.stat()
  const described = await describeSealed(file, pair?.publicKey)
  output.result(draw(described, size), { file: path, bytes: size, ...described })
}

function draw(described: SealDescription, size: number): Line[] {
  if (described.form !== 'stream') {
    const { form, epochId, position, contentBytes } = described
    return [
      ...table([
        ['form', form],
        ...('pattern' in described ? headerRows(described) : ([['epoch', epochId]] as const)),
        ...(position === undefined ? [] : [['position', String(position)] as const]),
        ...(contentBytes === undefined ? [] : [['content', `at most ${contentBytes} bytes`] as const]),
      ]),
    ]
  }
  const { segments } = described
  const content = segments.reduce((sum, segment) => sum + segment.contentBytes, 0)
  const incomplete = segments.some(({ complete }) => !complete)
  const rows: (readonly [string, string])[] = [
    ['form', segments.length === 1 ? 'stream' : `log of ${segments.length} segments`],
    ['size', `${sizeText(size)}, content ${sizeText(content)}`],
  ]
  const lines: Line[] = [...table(rows)]
  for (const segment of segments.slice(0, DRAWN_MAX)) lines.push('', ...table(segmentRows(segment)))
  if (segments.length > DRAWN_MAX) lines.push('', `… and ${segments.length - DRAWN_MAX} more; --json has all`)
  if (incomplete)
    lines.push('', [styled('red', 'It was cut short: the last chunk, or what follows it, is not there.')])
  return lines
}

function segmentRows(segment: SegmentDescription): readonly (readonly [string, string])[] {
  const { offset, chunks, chunkBytes, contentBytes } = segment
  return [
    ...(offset === 0 ? [] : [['offset', String(offset)] as const]),
    ...headerRows(segment),
    ['chunks', `${chunks} of ${sizeText(chunkBytes)}`],
    ['content', `${contentBytes} bytes`],
  ]
}

function headerRows({
  pattern,
  epochId,
  readers,
}: HeaderDescription): readonly (readonly [string, string])[] {
  return [
    ['pattern', pattern],
    ['epoch', epochId],
    ...readers.map(({ hint, fits }, i) => {
      const mark = fits === undefined ? '' : fits ? '  fits the key' : '  another key'
      return [i === 0 ? 'readers' : '', `hint ${hint}${mark}`] as const
    }),
  ]
}
