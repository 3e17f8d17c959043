// Text of a revocation file: a first line, then one line a revocation; spec/capability.md §8.
// Leaves out checksums and what crashes leave (src/append-log) and the file (revocation-file.ts).
import { decodeLines, encodeLine, type LogFormat, type LogPiece, utcText } from '../append-log/index.js'

export { DamagedLog } from '../append-log/index.js'

/** First line of the file. */
export const LOG_HEADER = 'noisecap revocations v1\n'

const ID_CHARS = 32

/** Records are the id as 32 hexadecimal digits, and when it was revoked. */
export const REVOCATION_LOG: LogFormat = {
  header: LOG_HEADER,
  checkLabel: 'noisecap/v1 revocation',
  body: /^[0-9a-f]{32} \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/,
  bodyChars: ID_CHARS + 1 + 20,
}

/** One record with its line end.
 * @param id - 32 hexadecimal digits, lower case.
 * @param unixSeconds - when; for people only. */
export function encodeRecord(id: string, unixSeconds: number): string {
  return encodeLine(REVOCATION_LOG, `${id} ${utcText(unixSeconds)}`)
}

/** The id that a record revokes. */
export function revokedId(body: string): string {
  return body.slice(0, ID_CHARS)
}

/** Read a piece of the log, as {@link decodeLines}.
 * @returns the ids in the order in which they were revoked, among others. */
export function decodeRecords(
  text: string,
  firstLine: number,
  last: boolean,
): LogPiece & { readonly ids: readonly string[] } {
  const piece = decodeLines(REVOCATION_LOG, text, firstLine, last)
  return { ...piece, ids: piece.bodies.map(revokedId) }
}
