// Writes spec/vectors/sealed-rows.json: blind indexes with their column keys, and the contexts of rows.
// Run: npx tsx scripts/vectors/sealed-rows.ts. A test holds the file against this generator and against a reader of its own.
import { writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { hexEncode } from '../../src/bytes.js'
import {
  caseless,
  digits,
  exact,
  type IndexCell,
  key,
  sealedColumns,
  sealedTable,
} from '../../src/seal/rows/index.js'

const FILE = new URL('../../spec/vectors/sealed-rows.json', import.meta.url)
const root = Uint8Array.from({ length: 32 }, (_, i) => i)

const NORMALISATIONS = { exact, caseless, digits } as const
type Name = keyof typeof NORMALISATIONS

const indexes: readonly (readonly [table: string, column: string, Name, value: string, bits: number])[] = [
  ['users', 'email_index', 'exact', 'ada@example.org', 128],
  ['users', 'email_index', 'exact', 'Ada@example.org', 128],
  ['users', 'email_index', 'caseless', ' Ada@Example.ORG ', 128],
  ['"crm"."users"', 'email_index', 'caseless', 'ada@example.org', 128],
  ['users', 'phone_index', 'digits', '+44 (0)20 7946-0000', 32],
  ['users', 'name_index', 'exact', 'A\u030asa', 13],
  ['users', 'name_index', 'caseless', 'ÅSA', 8],
  ['users', 'name_index', 'exact', '', 96],
]

const keyed: readonly (readonly [kind: keyof typeof key, value: unknown])[] = [
  ['uuid', 'ABCDEF01-8F0E-4A43-9A4C-5B1D0F6F0A01'],
  ['text', 'Ada'],
  ['integer', 7],
  ['integer', '9223372036854775807'],
  ['bytes', Uint8Array.of(1, 2, 3)],
]

function indexVector([table, column, normalisation, value, bits]: (typeof indexes)[number]) {
  const pii = sealedColumns(undefined, { indexRoot: root })
  const normalise = NORMALISATIONS[normalisation]
  const declared = sealedTable(table, {
    id: key.text(),
    s: pii.text(),
    [column]: pii.index({ of: 's', normalise, bits }),
  })
  // The name of the column is known at run time only.
  const index = hexEncode((pii.find(declared, column as never, value as never) as IndexCell<string>).bytes)
  return { table, column, normalisation, value, bits, index }
}

function contextVector([kind, value]: (typeof keyed)[number]) {
  const pii = sealedColumns()
  const { plan } = sealedTable('users', { id: key[kind](), email: pii.text({ schemaVersion: 1 }) })
  const [cell] = plan.cells
  const ad = cell!.column.associatedData(plan.rowKeyOf({ id: value }, 'seal'))
  const given = value instanceof Uint8Array ? hexEncode(value) : value
  return { table: 'users', column: 'email', schemaVersion: 1, kind, key: given, ad: hexEncode(ad) }
}

/** The whole file. */
export function vectors() {
  return {
    root: hexEncode(root),
    indexes: indexes.map(indexVector),
    contexts: keyed.map(contextVector),
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  writeFileSync(FILE, `${JSON.stringify(vectors(), null, 2)}\n`)
}
