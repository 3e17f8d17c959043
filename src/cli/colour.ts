// Colour for people at a terminal: never into a pipe, and not where NO_COLOR asks for none (no-color.org).
// Colour only ever repeats what the words say. Leaves out where it goes (output.ts).

/** How a piece of a line stands out. */
export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow'

/** A piece of a line. */
export interface Styled {
  readonly text: string
  readonly style: Style
}

/** A line of a result, plain or in pieces. */
export type Line = string | readonly (string | Styled)[]

const CODES: Readonly<Record<Style, string>> = { bold: '1', dim: '2', red: '31', green: '32', yellow: '33' }

/** `text` in `style`. */
export function styled(style: Style, text: string): Styled {
  return { text, style }
}

/** Whether a stream is a terminal that shows colour, and its user wants it. */
export function wantsColour(
  stream: { readonly isTTY?: boolean | undefined },
  env: Readonly<Record<string, string | undefined>>,
): boolean {
  const { NO_COLOR: noColour = '', TERM: terminal } = env
  return stream.isTTY === true && noColour === '' && terminal !== 'dumb'
}

/** `line` as it is written.
 * @param clean - what makes its text harmless; the colours are added after that. */
export function paint(line: Line, colour: boolean, clean: (text: string) => string): string {
  if (typeof line === 'string') return clean(line)
  return line.map((piece) => paintPiece(piece, colour, clean)).join('')
}

function paintPiece(piece: string | Styled, colour: boolean, clean: (text: string) => string): string {
  if (typeof piece === 'string') return clean(piece)
  const text = clean(piece.text)
  return colour ? `\u001b[${CODES[piece.style]}m${text}\u001b[0m` : text
}
