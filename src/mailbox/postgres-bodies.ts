// Large bodies in Postgres (spec/mailbox.md §6.5): a row for each from the beginning of its upload on, which counts for the box, and
// its pieces. Without a message, or without its box, it is nobody's, and is removed in slices, so that no transaction is long.
// Leaves out transactions and the lock of the box (postgres.ts).
import { MAILBOX_UPLOAD_IDLE_MS } from '../limits.js'
import { type Begun, checkBody, checkPiece, uploadRefusalOf } from './body-work.js'
import { countRefusal } from './box-deposit.js'
import { piecesOf } from './box-pieces.js'
import type { PostgresConnection } from './postgres-connection.js'
import type { Row } from './postgres-rows.js'
import type { PostgresTransaction } from './postgres-transaction.js'
import type { BoxRecord } from './records.js'
import type { BodyStore, NewMessage, UploadState } from './store.js'

/** Pieces that one statement removes. */
const SLICE = 256

/** Runs `work` in a transaction under the lock of an open box. */
export type InBox = <T>(
  box: Uint8Array,
  nowMs: number,
  otherwise: T,
  work: (tx: PostgresTransaction, record: BoxRecord) => Promise<T>,
) => Promise<T>

/** Pieces in Postgres. */
export class PostgresBodies implements BodyStore {
  readonly #connection: PostgresConnection
  readonly #inBox: InBox

  constructor(connection: PostgresConnection, inBox: InBox) {
    this.#connection = connection
    this.#inBox = inBox
  }

  async begin(
    box: Uint8Array,
    depositor: number,
    message: NewMessage,
    bodyBytes: number,
    nowMs: number,
  ): Promise<Begun> {
    const gone: Begun = { pieces: 0, complete: false, refusal: 'gone' }
    const begun = await this.#inBox(box, nowMs, gone, (tx, record) =>
      beginIn(tx, box, record, { depositor, message, bodyBytes, nowMs }),
    )
    if (begun.refusal !== undefined) await this.#connection.tell(box)
    return begun
  }

  async append(
    box: Uint8Array,
    depositor: number,
    id: Uint8Array,
    index: number,
    piece: Uint8Array,
    nowMs: number,
  ): Promise<UploadState | undefined> {
    const state = await this.#inBox<UploadState | undefined>(box, nowMs, undefined, (tx) =>
      appendIn(tx, box, { depositor, id, index, piece, nowMs }),
    )
    if (state?.complete) await this.#connection.tell(box)
    return state
  }

  async read(box: Uint8Array, id: Uint8Array, index: number, nowMs: number): Promise<Uint8Array | undefined> {
    const [row] = await this.#connection.rows(
      `select p.piece from noisecap_body b join noisecap_piece p on p.body = b.number and p.index = $3
         join noisecap_message m on m.box = b.box and m.position = b.position
         join noisecap_box o on o.id = b.box and (o.expires_ms = 0 or o.expires_ms > $4)
       where b.box = $1 and b.id = $2`,
      [box, id, index, nowMs],
    )
    return row?.['piece'] as Uint8Array | undefined
  }

  /** Remove uploads of which nothing was heard in their time, and bodies that are nobody's.
   * @returns how many. */
  async sweep(nowMs: number, max: number): Promise<number> {
    const idle = await this.#connection.rows(
      'select number, box from noisecap_body where position is null and until_ms <= $1 limit $2',
      [nowMs, max],
    )
    for (const row of idle)
      await this.#connection.transaction((tx) => giveUp(tx, row['box'] as Uint8Array, row['number'], nowMs))
    const left = await this.#connection.rows(
      `select number from noisecap_body b where not exists (select 1 from noisecap_box o where o.id = b.box)
         or position is not null and not exists (
           select 1 from noisecap_message m where m.box = b.box and m.position = b.position) limit $1`,
      [max],
    )
    for (const row of left) await this.#removeBody(row['number'])
    return left.length
  }

  async #removeBody(number: unknown): Promise<void> {
    const slice = `with slice as (select index from noisecap_piece where body = $1 limit ${SLICE})
      delete from noisecap_piece p using slice where p.body = $1 and p.index = slice.index returning 1`
    while ((await this.#connection.rows(slice, [number])).length === SLICE) {
      // The next slice.
    }
    await this.#connection.rows('delete from noisecap_body where number = $1', [number])
  }
}

interface Beginning {
  readonly depositor: number
  readonly message: NewMessage
  readonly bodyBytes: number
  readonly nowMs: number
}

async function beginIn(
  tx: PostgresTransaction,
  box: Uint8Array,
  record: BoxRecord,
  { depositor, message, bodyBytes, nowMs }: Beginning,
): Promise<Begun> {
  const { id, envelope } = message
  if (await isKnown(tx, box, id)) return { pieces: piecesOf(bodyBytes), complete: true, refusal: undefined }
  const before = await uploadOf(tx, box, id)
  if (before !== undefined && Number(before['depositor']) === depositor) {
    checkBody(Number(before['bytes']), bodyBytes)
    return { pieces: Number(before['pieces']), complete: false, refusal: undefined }
  }
  // Another depositor has the same message: what he has begun makes room for this, and counts no longer.
  if (before !== undefined) {
    const freed = await abandon(tx, box, before['number'])
    record.messages -= 1
    record.bytes -= freed
  }
  const refusal = uploadRefusalOf(record, message, bodyBytes, nowMs)
  if (refusal !== undefined) {
    if (refusal.startsWith('quota') && countRefusal(record, nowMs))
      tx.send('update noisecap_box set refusals = refusals + 1, refused_ms = $2 where id = $1', [box, nowMs])
    return { pieces: 0, complete: false, refusal }
  }
  const expiresMs = Math.min(message.expiresMs, nowMs + record.messageTtlSeconds * 1_000)
  const untilMs = Math.min(expiresMs, nowMs + MAILBOX_UPLOAD_IDLE_MS)
  tx.send(
    `insert into noisecap_body (box, id, depositor, bytes, expires_ms, until_ms, envelope)
     values ($1, $2, $3, $4, $5, $6, $7)`,
    [box, id, depositor, bodyBytes, expiresMs, untilMs, envelope],
  )
  count(tx, box, 1, envelope.length + bodyBytes)
  return { pieces: 0, complete: false, refusal: undefined }
}

interface Piece {
  readonly depositor: number
  readonly id: Uint8Array
  readonly index: number
  readonly piece: Uint8Array
  readonly nowMs: number
}

async function appendIn(
  tx: PostgresTransaction,
  box: Uint8Array,
  { depositor, id, index, piece, nowMs }: Piece,
): Promise<UploadState | undefined> {
  if (await isKnown(tx, box, id)) return { pieces: index + 1, complete: true }
  const upload = await uploadOf(tx, box, id)
  // Those of others are not there for him.
  if (upload === undefined || Number(upload['depositor']) !== depositor) return undefined
  const pieces = Number(upload['pieces'])
  if (index !== pieces) return { pieces, complete: false }
  const bodyBytes = Number(upload['bytes'])
  checkPiece(bodyBytes, index, piece)
  const { number } = upload
  tx.send('insert into noisecap_piece values ($1, $2, $3)', [number, index, piece])
  tx.send(
    'update noisecap_body set pieces = pieces + 1, until_ms = least(expires_ms, $2) where number = $1',
    [number, nowMs + MAILBOX_UPLOAD_IDLE_MS],
  )
  const complete = index + 1 === piecesOf(bodyBytes)
  if (complete) await finish(tx, box, number, nowMs)
  return { pieces: index + 1, complete }
}

/** Make a message of an upload that has all its pieces. */
async function finish(
  tx: PostgresTransaction,
  box: Uint8Array,
  number: unknown,
  nowMs: number,
): Promise<void> {
  const { rows } = await tx.query(
    'update noisecap_box set next_position = next_position + 1 where id = $1 returning next_position - 1 as position',
    [box],
  )
  const position = rows[0]?.['position']
  tx.send(
    `insert into noisecap_message (box, position, id, depositor, size, body_bytes, envelope, deposited_ms, expires_ms)
     select box, $2, id, depositor, length(envelope) + bytes, bytes, envelope, $3, expires_ms
     from noisecap_body where number = $1`,
    [number, position, nowMs],
  )
  tx.send(
    'insert into noisecap_id (box, id, position, expires_ms) select box, id, $2, expires_ms from noisecap_body where number = $1',
    [number, position],
  )
  tx.send('update noisecap_body set position = $2, envelope = null where number = $1', [number, position])
}

async function isKnown(tx: PostgresTransaction, box: Uint8Array, id: Uint8Array): Promise<boolean> {
  const { rows } = await tx.query('select 1 from noisecap_id where box = $1 and id = $2', [box, id])
  return rows.length > 0
}

/** The upload of a message. */
async function uploadOf(tx: PostgresTransaction, box: Uint8Array, id: Uint8Array): Promise<Row | undefined> {
  const { rows } = await tx.query(
    'select number, depositor, bytes, pieces from noisecap_body where box = $1 and id = $2 and position is null',
    [box, id],
  )
  return rows[0]
}

/** An upload of which nothing was heard, unless something was meanwhile. */
async function giveUp(
  tx: PostgresTransaction,
  box: Uint8Array,
  number: unknown,
  nowMs: number,
): Promise<void> {
  tx.send('select 1 from noisecap_box where id = $1 for update', [box])
  const { rows } = await tx.query(
    'select 1 from noisecap_body where number = $1 and position is null and until_ms <= $2',
    [number, nowMs],
  )
  if (rows.length > 0) await abandon(tx, box, number)
}

/** What was uploaded is nobody's any more.
 * @returns bytes that it counted for. */
async function abandon(tx: PostgresTransaction, box: Uint8Array, number: unknown): Promise<number> {
  // No message has such a position.
  const { rows } = await tx.query(
    `update noisecap_body set position = -1 where number = $1 returning length(envelope) + bytes as size`,
    [number],
  )
  const size = Number(rows[0]?.['size'] ?? 0)
  count(tx, box, -1, -size)
  return size
}

/** Change what counts for the box. */
function count(tx: PostgresTransaction, box: Uint8Array, messages: number, bytes: number): void {
  tx.send('update noisecap_box set messages = messages + $2, bytes = bytes + $3 where id = $1', [
    box,
    messages,
    bytes,
  ])
}
