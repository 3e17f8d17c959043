// Sealing of rows: every sealed column of a row for its place (spec/seal.md §7), and the blind indexes beside it. The one place
// where plaintext becomes what a driver may be given. Leaves out what a table is, and reading.
import { base64urlDecode, hexDecode } from '../../bytes.js'
import { Capability } from '../../capability/index.js'
import { asPublicKey, type PublicKey } from '../../crypto/index.js'
import { redact } from '../../redact.js'
import type { EpochBounds } from '../incarnation.js'
import type { WriterIdentity } from '../recipients.js'
import { SealWriter, type SealWriterOptions } from '../writer.js'
import { IndexRoot, randomIndex } from './blind-index.js'
import { IndexCell, SealedCell } from './cell.js'
import type { NamedField } from './field.js'
import { type NamedIndex, placeOf, type RowPlan } from './plan.js'

/** To whom rows are sealed: a capability whose use is `seal` or its text, public keys of readers, or one as text (64 hexadecimal
 * digits or 43 characters of base64url). Undefined for a process that only declares columns and reads. */
export type SealTarget = SealWriterOptions['to'] | string | undefined

/** What else row helpers take. */
export interface SealedColumnsOptions {
  /** Default N: the reader learns nothing about who wrote. */
  readonly as?: WriterIdentity | undefined
  readonly epoch?: EpochBounds | undefined
  /** Makes values compact; see {@link SealWriterOptions.onEpoch}. */
  readonly onEpoch?: SealWriterOptions['onEpoch']
  /** For blind indexes: 32 random bytes, or their text in base64url or hexadecimal. */
  readonly indexRoot?: Uint8Array | string | undefined
}

const HEX_KEY_CHARACTERS = 64

/** Seals rows of any planned table; `using` forgets the key of its epoch. Prints as `[redacted]`. */
export class RowSealer implements Disposable {
  readonly #writer: SealWriter | undefined
  readonly #root: IndexRoot | undefined

  /** @throws `capability/malformed`, `seal/denied`, TypeError, RangeError. */
  constructor(to: SealTarget, { indexRoot, ...options }: SealedColumnsOptions = {}) {
    this.#writer = to === undefined ? undefined : new SealWriter({ ...options, to: targetOf(to) })
    this.#root = indexRoot === undefined ? undefined : new IndexRoot(indexRoot)
  }

  /** A new row, whose sealed columns and blind indexes are all filled.
   * @throws TypeError for a row without its key, a missing value, or one that is sealed already. */
  sealRow(plan: RowPlan, row: object): Record<string, unknown> {
    return this.#seal(plan, row, { ...row }, plan.cells)
  }

  /** What an update sets: the sealed columns that `row` has a value for, their indexes, and whatever else it has save for the key.
   * @throws as {@link sealRow}. */
  sealChanges(plan: RowPlan, row: object): Record<string, unknown> {
    const changes: Record<string, unknown> = { ...row }
    for (const { property } of plan.keys) delete changes[property]
    const cells = plan.cells.filter(({ property }) => changes[property] !== undefined)
    return this.#seal(plan, row, changes, cells)
  }

  /** The blind index of `value`, to be compared with.
   * @throws TypeError without an index root, or for a value that cannot be indexed. */
  protected findIn(plan: RowPlan, index: NamedIndex, value: unknown): IndexCell<never> {
    if (value === null || value === undefined) {
      throw new TypeError(
        `Cannot find rows of "${plan.table}": rows without a value are not indexed, expected a value of "${index.source}"`,
      )
    }
    const normalised = index.field.normalise(value as never)
    if (typeof normalised !== 'string' && !(normalised instanceof Uint8Array)) {
      throw new TypeError(`Cannot index "${plan.table}": expected \`normalise\` to give text or bytes`)
    }
    const bytes = this.#rootFor(plan).indexOf(plan.table, index.name, normalised, index.field.bits)
    return new IndexCell(bytes, index.field)
  }

  [Symbol.dispose](): void {
    this.#writer?.[Symbol.dispose]()
  }

  #seal(
    plan: RowPlan,
    row: object,
    out: Record<string, unknown>,
    cells: readonly NamedField[],
  ): Record<string, unknown> {
    const key = plan.rowKeyOf(row, 'seal')
    const writer = this.#writerFor(plan)
    for (const { property } of plan.indexes) {
      if (out[property] !== undefined) throw givenIndex(plan, property)
    }
    for (const { property, column, field } of cells) {
      const value = out[property]
      if (value instanceof SealedCell) throw sealedAlready(plan, property)
      if (value === undefined && !field.mayBeAbsent) throw missing(plan, property)
      // The codec checks what it takes, here and for indexes `normalise`.
      out[property] = new SealedCell(writer.seal(value as never, placeOf(column, key)), field)
      for (const index of plan.indexes) {
        if (index.source === property) out[index.property] = this.#indexOf(plan, index, value)
      }
    }
    return out
  }

  #indexOf(plan: RowPlan, index: NamedIndex, value: unknown): IndexCell<never> {
    if (value !== null && value !== undefined) return this.findIn(plan, index, value)
    return new IndexCell(randomIndex(index.field.bits), index.field)
  }

  #writerFor({ table }: RowPlan): SealWriter {
    if (this.#writer !== undefined) return this.#writer
    throw new TypeError(
      `Cannot seal row of "${table}": these columns were declared without a capability or public key to seal to`,
    )
  }

  #rootFor({ table }: RowPlan): IndexRoot {
    if (this.#root !== undefined) return this.#root
    throw new TypeError(
      `Cannot index "${table}": expected an \`indexRoot\` where its sealed columns are declared`,
    )
  }
}

redact(RowSealer, () => 'RowSealer [redacted]')

function targetOf(to: Exclude<SealTarget, undefined>): SealWriterOptions['to'] {
  if (typeof to !== 'string') return to
  const text = to.trim()
  return text.startsWith('noisecap:') ? Capability.parse(text) : publicKeyOf(text)
}

function publicKeyOf(text: string): PublicKey {
  try {
    return asPublicKey(text.length === HEX_KEY_CHARACTERS ? hexDecode(text) : base64urlDecode(text))
  } catch {
    throw new TypeError(
      `Cannot seal: expected a capability (noisecap://…) or a public key of 64 hexadecimal digits or 43 characters of base64url, got ${text.length} characters`,
    )
  }
}

function givenIndex({ table }: RowPlan, property: string): TypeError {
  return new TypeError(
    `Cannot seal row of "${table}": "${property}" is a blind index, which follows from its column; leave it out`,
  )
}

function sealedAlready({ table }: RowPlan, property: string): TypeError {
  return new TypeError(
    `Cannot seal row of "${table}": "${property}" is sealed already; open it first, since it opens in its own row only`,
  )
}

function missing({ table }: RowPlan, property: string): TypeError {
  return new TypeError(
    `Cannot seal row of "${table}": expected a value for "${property}"; declare it with optional() where it may be absent`,
  )
}
