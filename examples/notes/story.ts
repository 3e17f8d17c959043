// Tells the story and keeps account of what was expected: a check that fails is printed and remembered.
// Colour on a terminal only, and never with NO_COLOR (no-color.org).

type Style = 'bold' | 'dim' | 'green' | 'red'
const CODES: Readonly<Record<Style, number>> = { bold: 1, dim: 2, green: 32, red: 31 }

/** Whether a stream wants colour. */
export function wantsColour(
  stream: { readonly isTTY?: boolean | undefined },
  env: Readonly<Record<string, string | undefined>>,
): boolean {
  const { NO_COLOR: noColour = '', TERM: terminal } = env
  return stream.isTTY === true && noColour === '' && terminal !== 'dumb'
}

/** A narrator. */
export class Story {
  readonly #write: (line: string) => void
  readonly #colour: boolean
  #chapters = 0
  #checks = 0
  #failures = 0

  constructor(write: (line: string) => void, colour: boolean) {
    this.#write = write
    this.#colour = colour
  }

  get checks(): number {
    return this.#checks
  }

  get failures(): number {
    return this.#failures
  }

  chapter(title: string): void {
    this.#chapters += 1
    this.#write('')
    this.#write(this.#paint('bold', `${this.#chapters}. ${title}`))
  }

  tell(line: string): void {
    this.#write(`   ${line}`)
  }

  /** A number that was measured, or bytes that passed. */
  measured(line: string): void {
    this.#write(this.#paint('dim', `   · ${line}`))
  }

  /** Something that must be so. */
  check(holds: boolean, line: string): void {
    this.#checks += 1
    if (!holds) this.#failures += 1
    this.#write(
      holds ? `   ${this.#paint('green', '✓')} ${line}` : `   ${this.#paint('red', `✗ not so: ${line}`)}`,
    )
  }

  #paint(style: Style, text: string): string {
    return this.#colour ? `\u001b[${CODES[style]}m${text}\u001b[0m` : text
  }
}
