// A query of Drizzle as a flat list of tokens, in the order in which its SQL is written: text, names, tables, columns, values.
// Mirrors how Drizzle writes SQL, and runs nothing. Leaves out what is allowed (guard.ts).
import { Column, is, Name, Param, Placeholder, SQL, StringChunk, Subquery, Table, View } from 'drizzle-orm'

/** `text` is SQL as it stands; `value` one that no column encodes; `open`, `comma` and `close` belong to a list. */
export type Token =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'table'; readonly table: Table }
  | { readonly kind: 'column'; readonly column: Column }
  | { readonly kind: 'param'; readonly param: Param }
  | { readonly kind: 'value' | 'open' | 'comma' | 'close' }

interface Wrapper {
  getSQL(): SQL
}

/** All tokens of `query`; adjacent texts are one. */
export function tokensOf(query: SQL): readonly Token[] {
  const tokens: Token[] = []
  addChunks(tokens, query.queryChunks)
  return tokens
}

function addChunks(tokens: Token[], chunks: readonly unknown[]): void {
  for (const chunk of chunks) addChunk(tokens, chunk)
}

function addChunk(tokens: Token[], chunk: unknown): void {
  if (chunk === undefined) return
  if (chunk === null || typeof chunk !== 'object') {
    // An enum of Postgres is a function; its values are no secret.
    tokens.push(typeof chunk === 'function' ? { kind: 'text', text: 'enum' } : { kind: 'value' })
    return
  }
  if (is(chunk, StringChunk)) addText(tokens, chunk.value.join(''))
  else if (is(chunk, SQL)) addChunks(tokens, chunk.queryChunks)
  else if (is(chunk, Name)) tokens.push({ kind: 'name', name: chunk.value })
  else if (is(chunk, Param)) tokens.push({ kind: 'param', param: chunk })
  else if (is(chunk, Column)) tokens.push({ kind: 'column', column: chunk })
  else if (Array.isArray(chunk)) addList(tokens, chunk)
  else if (is(chunk, Table)) tokens.push({ kind: 'table', table: chunk })
  else if (is(chunk, Placeholder)) tokens.push({ kind: 'value' })
  else if (is(chunk, SQL.Aliased)) tokens.push({ kind: 'name', name: chunk.fieldAlias })
  else if (is(chunk, Subquery)) addSubquery(tokens, chunk)
  else if (is(chunk, View)) addText(tokens, 'view')
  else if ('getSQL' in chunk) addWrapped(tokens, chunk as Wrapper)
  else tokens.push({ kind: 'value' })
}

function addText(tokens: Token[], text: string): void {
  if (text === '') return
  const last = tokens.at(-1)
  if (last?.kind === 'text') tokens[tokens.length - 1] = { kind: 'text', text: last.text + text }
  else tokens.push({ kind: 'text', text })
}

function addList(tokens: Token[], list: readonly unknown[]): void {
  tokens.push({ kind: 'open' })
  list.forEach((item, index) => {
    if (index > 0) tokens.push({ kind: 'comma' })
    addChunk(tokens, item)
  })
  tokens.push({ kind: 'close' })
}

function addSubquery(tokens: Token[], { _: { sql, alias, isWith } }: Subquery): void {
  if (!isWith) {
    addText(tokens, '(')
    addChunk(tokens, sql)
    addText(tokens, ')')
  }
  tokens.push({ kind: 'name', name: alias })
}

function addWrapped(tokens: Token[], wrapper: Wrapper): void {
  addText(tokens, '(')
  addChunk(tokens, wrapper.getSQL())
  addText(tokens, ')')
}
