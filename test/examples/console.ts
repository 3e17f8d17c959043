// Reads the terminal sessions of a page: `$ command`, then what it prints, where `…` stands for what differs each time.
import { readFile } from 'node:fs/promises'

/** One command and what follows it. */
export interface Step {
  readonly command: string
  readonly expected: readonly string[]
}

/** A fenced block; `info` is what stands behind the language. */
export interface Block {
  readonly language: string
  readonly info: string
  readonly code: string
}

/** All fenced blocks of a page, in order. */
export async function fencedBlocks(page: string): Promise<readonly Block[]> {
  const markdown = await readFile(page, 'utf8')
  const found = markdown.matchAll(/^```(\w+)(?: (\S+))?\n(.*?)^```$/gms)
  return [...found].map(([, language = '', info = '', code = '']) => ({ language, info, code }))
}

/** The steps of a session. */
export function stepsOf(session: string): readonly Step[] {
  const steps: { command: string; expected: string[] }[] = []
  for (const line of session.trimEnd().split('\n')) {
    if (line.startsWith('$ ')) steps.push({ command: line.slice(2), expected: [] })
    else if (steps.length === 0) throw new Error(`expected a command before ${JSON.stringify(line)}`)
    else steps.at(-1)?.expected.push(line)
  }
  return steps
}

/** Whether `printed` is what `expected` says, line by line. */
export function agrees(expected: string, printed: string): boolean {
  const parts = expected.split('…').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${parts.join('.*')}$`).test(printed)
}
