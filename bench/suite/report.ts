// One table: what was measured, ours, the peer's, their ratio, the bar, met or missed; and on what machine.
import { execFileSync } from 'node:child_process'
import { cpus } from 'node:os'

/** One line of the table. */
export interface Row {
  readonly what: string
  readonly ours: string
  readonly peer: string
  /** As the bar states it; undefined where the bar is a plain number, or where there is nothing to compare. */
  readonly ratio: number | undefined
  /** Empty for what is only reported. */
  readonly bar: string
  readonly met: boolean | undefined
}

/** A ratio of which more is better. */
export function atLeast(ratio: number, bar: number): Pick<Row, 'ratio' | 'bar' | 'met'> {
  return { ratio, bar: `≥ ${bar} ×`, met: ratio >= bar }
}

/** A ratio of which less is better. */
export function atMost(ratio: number, bar: number): Pick<Row, 'ratio' | 'bar' | 'met'> {
  return { ratio, bar: `≤ ${bar} ×`, met: ratio <= bar }
}

/** For a row without a bar. */
export function reported(ratio?: number): Pick<Row, 'ratio' | 'bar' | 'met'> {
  return { ratio, bar: '', met: undefined }
}

/** A whole number with its thousands. */
export function count(value: number): string {
  return Math.round(value).toLocaleString('en')
}

/** Machine, Node version and commit. */
export function circumstances(): string {
  const git = (...args: string[]): string => execFileSync('git', args, { encoding: 'utf8' }).trim()
  const altered = git('status', '--porcelain', '--', 'src', 'bench') === '' ? '' : ', with changes'
  const [cpu] = cpus()
  return `${cpu?.model.trim()}, ${cpus().length} CPUs, Node ${process.version}, commit ${git('rev-parse', '--short', 'HEAD')}${altered}`
}

const HEADS = ['what', 'noisecap', 'peer', 'ratio', 'bar', '']

/** Print the table as Markdown. */
export function print(rows: readonly Row[]): void {
  const cells = rows.map(({ what, ours, peer, ratio, bar, met }) => [
    what,
    ours,
    peer,
    ratio === undefined ? '' : `${ratio.toFixed(2)} ×`,
    bar,
    met === undefined ? '' : met ? 'met' : 'MISSED',
  ])
  const widths = HEADS.map((head, i) =>
    Math.max(3, head.length, ...cells.map((line) => line[i]?.length ?? 0)),
  )
  const lines = [HEADS, widths.map((width) => '-'.repeat(width)), ...cells]
  for (const line of lines)
    console.log(`| ${line.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`)
}
