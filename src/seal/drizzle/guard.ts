// The guard: every query of Drizzle is looked at before it becomes SQL, so that plaintext is neither stored in a sealed column
// nor compared with one. Column types alone do not see it: `like` and values made of SQL go past them. Whatever is not
// known to be harmless is refused. Leaves out SQL that names sealed columns in its text: nothing here reads that.
import { is, Placeholder, SQL } from 'drizzle-orm'
import { IndexField, SealedField } from '../rows/field.js'
import { type Declared, declaredIn, declaredOf, isStorable, nameOf } from './declaration.js'
import { type Token, tokensOf } from './tokens.js'

const GUARDED = Symbol.for('noisecap/v1 guarded')

/** Look at every query from now on. */
export function installGuard(): void {
  const prototype = SQL.prototype as SQL & { [GUARDED]?: true }
  if (prototype[GUARDED]) return
  const { toQuery } = prototype
  prototype[GUARDED] = true
  prototype.toQuery = function (config) {
    // The declaration of an index is no query.
    if (config.invokeSource !== 'indexes') checkQuery(this)
    return toQuery.call(this, config)
  }
}

/** @throws TypeError for a query that would store or compare plaintext where values are sealed. */
function checkQuery(query: SQL): void {
  const tokens = tokensOf(query)
  tokens.forEach((token, at) => {
    if (token.kind === 'column') checkColumn(tokens, at, declaredOf(token.column), token.column.name)
    const target = targetAt(tokens, at)
    if (target !== undefined) checkTarget(tokens, target)
  })
}

// ---- comparisons ----

function checkColumn(
  tokens: readonly Token[],
  at: number,
  declared: Declared | undefined,
  name: string,
): void {
  if (declared === undefined || isListed(tokens, at) || isNullTest(tokens, at)) return
  if (declared instanceof IndexField && isEquality(tokens, at, declared)) return
  throw new TypeError(
    declared instanceof SealedField
      ? `Cannot use "${name}" in this query: it is sealed, so the database can neither compare, order nor change it; select it, or compare a blind index of it`
      : `Cannot use "${name}" in this query: it is a blind index; compare it with find() by eq, ne or inArray`,
  )
}

const LIST_FUNCTION = /\b(?:json_build_array|json_array|count)\s*$/i
const KEYWORDS =
  /\b(?:select|returning|distinct on|from|where|on|having|by|set|values|using|and|or|not|like|ilike|in|between|case|when|then|else|limit|offset)\b/gi

/** Whether the column stands by itself in a list of what to select, or in a function that lists or counts. */
function isListed(tokens: readonly Token[], at: number): boolean {
  if (!/^\s*(?:[,)]|from\b|as\b|$)/i.test(textAt(tokens, at + 1))) return false
  const before = textAt(tokens, at - 1)
  if (!/(?:[,()]|\bselect|\bdistinct|\breturning)\s*$/i.test(before)) return false
  let outer = ''
  let depth = 0
  for (let i = at - 1; i >= 0; i--) {
    const token = tokens[i]!
    const text =
      token.kind === 'text'
        ? token.text
        : token.kind === 'open'
          ? '('
          : token.kind === 'close'
            ? ')'
            : ' \u0000 '
    for (let end = text.length - 1; end >= 0; end--) {
      const char = text[end]!
      if (char === ')') depth += 1
      else if (char === '(' && depth === 0) return opensList(outer, text.slice(0, end))
      else if (char === '(') depth -= 1
      else if (depth === 0) outer = char + outer
    }
    if (lastKeyword(outer) !== undefined) break
  }
  // A parenthesis that has closed before it is that of `distinct on (…)`.
  if (/\)\s*$/.test(before) && !/\bdistinct on\s*$/i.test(outer)) return false
  return isSelect(lastKeyword(outer))
}

/** What a parenthesis opens: a query of its own, or the arguments of a function. */
function opensList(inside: string, before: string): boolean {
  const keyword = lastKeyword(inside)
  return keyword === undefined ? LIST_FUNCTION.test(before) : isSelect(keyword)
}

function lastKeyword(text: string): string | undefined {
  return text.match(KEYWORDS)?.at(-1)?.toLowerCase()
}

function isSelect(keyword: string | undefined): boolean {
  return keyword === 'select' || keyword === 'returning' || keyword === 'distinct on'
}

function isNullTest(tokens: readonly Token[], at: number): boolean {
  const before = textAt(tokens, at - 1)
  return (
    /^\s*is (?:not )?null\b/i.test(textAt(tokens, at + 1)) &&
    /(?:\(|,|\b(?:where|and|or|not|on|having|when|select))\s*$/i.test(before)
  )
}

/** Whether a blind index is compared with blind indexes and nothing else. */
function isEquality(tokens: readonly Token[], at: number, index: IndexField<never>): boolean {
  const declared = new Set([index])
  const operator = textAt(tokens, at + 1)
    .trim()
    .toLowerCase()
  if (!/(?:\(|\b(?:where|and|or|not|on|having))\s*$/i.test(textAt(tokens, at - 1))) return false
  if (operator === '=' || operator === '<>')
    return isValueOf(tokens[at + 2], declared) && endsAt(tokens, at + 3)
  if ((operator !== 'in' && operator !== 'not in') || tokens[at + 2]?.kind !== 'open') return false
  let i = at + 3
  while (isValueOf(tokens[i], declared) && tokens[i + 1]?.kind === 'comma') i += 2
  return isValueOf(tokens[i], declared) && tokens[i + 1]?.kind === 'close' && endsAt(tokens, i + 2)
}

/** Whether an expression has ended before `at`. */
function endsAt(tokens: readonly Token[], at: number): boolean {
  const next = tokens[at]
  if (next === undefined) return true
  return /^\s*(?:[,)]|$|(?:and|or|from|where|returning|group|order|having|limit|offset|for|union|intersect|except|left|right|inner|full|cross|join|then|on conflict)\b)/i.test(
    textAt(tokens, at, 'x'),
  )
}

// ---- what is stored ----

interface Target {
  readonly statement: 'insert' | 'update'
  readonly name: string
  readonly columns: ReadonlyMap<string, ReadonlySet<Declared>>
  /** Index of the token after the table. */
  readonly next: number
}

/** The table that is written to from the text at `at` on, if it has sealed columns. */
function targetAt(tokens: readonly Token[], at: number): Target | undefined {
  const token = tokens[at]
  if (token?.kind !== 'text') return undefined
  const statement = /\b(insert|update)(?: into| or \w+ into)?\s+$/i.exec(token.text)?.[1]?.toLowerCase()
  if (statement !== 'insert' && statement !== 'update') return undefined
  const table = tokens[at + 1]
  if (table?.kind === 'table') return targetOf(statement, nameOf(table.table), at + 2)
  if (table?.kind !== 'name') return undefined
  const further = tokens[at + 3]
  if (textAt(tokens, at + 2) === '.' && further?.kind === 'name') {
    return targetOf(statement, { schema: table.name, name: further.name }, at + 4)
  }
  return targetOf(statement, { schema: undefined, name: table.name }, at + 2)
}

function targetOf(
  statement: Target['statement'],
  { schema, name }: { schema: string | undefined; name: string },
  next: number,
): Target | undefined {
  const columns = declaredIn(schema, name)
  return columns === undefined ? undefined : { statement, name, columns, next }
}

function checkTarget(tokens: readonly Token[], target: Target): void {
  const from = target.statement === 'insert' ? checkInsert(tokens, target) : target.next
  for (let i = from; i < tokens.length; i++) {
    const token = tokens[i]!
    const after = textAt(tokens, i + 1)
    if (token.kind !== 'name' || !/^\s*=/.test(after)) continue
    const declared = target.columns.get(token.name)
    if (declared === undefined) continue
    const isValue = after.trim() === '=' && isValueOf(tokens[i + 2], declared) && endsAt(tokens, i + 3)
    if (!isValue) throw unsealed(target, token.name)
  }
}

/** @returns the index of the token after the values. */
function checkInsert(tokens: readonly Token[], target: Target): number {
  const blank = textAt(tokens, target.next).trim() === ''
  const named = blank ? listAt(tokens, target.next + 1) : undefined
  if (named === undefined) throw unknownInsert(target)
  const names = named.items.map(([token]) => (token?.kind === 'name' ? token.name : ''))
  let i = named.end
  let rows = 0
  for (; i < tokens.length && !/\b(?:on conflict|returning)\b/i.test(textAt(tokens, i)); i++) {
    const row = listAt(tokens, i)
    if (row === undefined) continue
    rows += 1
    i = row.end - 1
    names.forEach((name, column) => {
      const declared = target.columns.get(name)
      if (declared !== undefined && !isStored(row.items[column] ?? [], declared)) throw unsealed(target, name)
    })
  }
  if (rows === 0) throw unknownInsert(target)
  return i
}

/** The items of the list that opens at `at`. */
function listAt(tokens: readonly Token[], at: number): { items: Token[][]; end: number } | undefined {
  if (tokens[at]?.kind !== 'open') return undefined
  const items: Token[][] = [[]]
  let depth = 0
  for (let i = at; i < tokens.length; i++) {
    const token = tokens[i]!
    if (token.kind === 'close') depth -= 1
    if (depth === 0 && i > at) return { items, end: i + 1 }
    if (depth === 1 && token.kind === 'comma') items.push([])
    else if (i > at) items.at(-1)!.push(token)
    if (token.kind === 'open') depth += 1
  }
  return undefined
}

function isStored(item: readonly Token[], declared: ReadonlySet<Declared>): boolean {
  const [token, further] = item
  if (further !== undefined) return false
  if (token?.kind !== 'text') return isValueOf(token, declared)
  if (!/^\s*(?:default|null)\s*$/i.test(token.text)) return false
  return [...declared].every((each) => each instanceof SealedField && each.mayBeAbsent)
}

/** Whether the token is a value that was made for such a column, or will be one when a prepared query runs. */
function isValueOf(token: Token | undefined, declared: ReadonlySet<Declared>): boolean {
  if (token?.kind !== 'param') return false
  const { encoder, value } = token.param
  const own = declaredOf(encoder)
  return own !== undefined && declared.has(own) && (is(value, Placeholder) || isStorable(value, own))
}

/** The text of the token at `at`; `other` for a token that is none, and nothing outside. */
function textAt(tokens: readonly Token[], at: number, other = ' \u0000 '): string {
  const token = tokens[at]
  if (token === undefined) return ''
  return token.kind === 'text' ? token.text : other
}

function unsealed({ statement, name }: Target, column: string): TypeError {
  return new TypeError(
    `Cannot ${statement} "${name}": expected for "${column}" what seal() or changes() gives for that column, got something else`,
  )
}

function unknownInsert({ name }: Target): TypeError {
  return new TypeError(
    `Cannot insert into "${name}": it has sealed columns, so only rows from seal() can be inserted, by insert().values()`,
  )
}
