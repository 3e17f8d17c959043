// Where results, notes and failures go: results to standard output, all else to standard error; one JSON object with --json.
// Control characters are escaped, since labels, claims and messages come from others and could steer a terminal.
// Leaves out what a failure looks like (failure.ts) and values of calls (json-value.ts).
import { type Line, paint } from './colour.js'
import { type FailureView, redactSecrets } from './failure.js'
import type { Io } from './io.js'

/** The output of one run. */
export class Output {
  /** Whether `--json` was given. */
  json: boolean
  readonly #io: Io

  constructor(io: Io, json: boolean) {
    this.#io = io
    this.json = json
  }

  /** The result of a command.
   * @param lines - for people; none prints nothing.
   * @param machine - for `--json`, one line. */
  result(lines: readonly Line[], machine: object): void {
    if (this.json) this.#io.stdout(`${escapeControls(JSON.stringify(machine))}\n`)
    else for (const line of lines) this.#io.stdout(`${paint(line, this.#io.colour, escapeControls)}\n`)
  }

  /** Something for a person that is not the result; silent with `--json`. */
  note(text: string): void {
    if (!this.json) this.#io.stderr(`${escapeControls(redactSecrets(text))}\n`)
  }

  /** Something that needs attention and is no failure. */
  warn(text: string): void {
    const message = redactSecrets(text)
    const line = this.json ? JSON.stringify({ warning: message }) : `warning: ${message}`
    this.#io.stderr(`${escapeControls(line)}\n`)
  }

  /** The one failure of a run. */
  failure({ code, message, hint, call }: FailureView): void {
    if (this.json) {
      this.#io.stderr(`${escapeControls(JSON.stringify({ error: { code, message, hint, ...call } }))}\n`)
      return
    }
    const lines = [`error: ${message}`]
    if (hint !== undefined) lines.push(`hint: ${hint}`)
    this.#io.stderr(`${escapeControls(lines.join('\n'))}\n`)
  }
}

/** Lines of names and values, the values aligned. */
export function table(rows: readonly (readonly [name: string, value: string])[]): string[] {
  const width = Math.max(...rows.map(([name]) => name.length))
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`.trimEnd())
}

/** `text` with control and format characters, save for line feeds, as `\uXXXX`: valid in JSON, harmless in a terminal. */
export function escapeControls(text: string): string {
  return text.replaceAll(/(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    [...Array(character.length).keys()]
      .map((index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`)
      .join(''),
  )
}
