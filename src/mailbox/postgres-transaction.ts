// One transaction of a connection to Postgres. Statements whose rows nobody needs yet are sent without waiting for each other,
// which saves a turn to the server each. Leaves out connections (postgres-connection.ts).
import type { QueryConfig, QueryResult } from 'pg'
import type { Row } from './postgres-rows.js'

/** What runs a statement: a client of the package `pg`. */
interface Client {
  query(statement: QueryConfig): Promise<QueryResult<Row>>
}

/** Statements between `begin` and `commit`. */
export class PostgresTransaction {
  readonly #client: Client
  readonly #sent: Promise<unknown>[] = []
  #failure: { readonly error: unknown } | undefined

  private constructor(client: Client) {
    this.#client = client
  }

  /** Run `work` in a transaction of `client`. The commit follows what it sends: all of it is one turn to the server when the work
   * waits for no rows.
   * @throws what failed first; nothing is changed then. */
  static async run<T>(client: Client, work: (tx: PostgresTransaction) => Promise<T>): Promise<T> {
    const tx = new PostgresTransaction(client)
    tx.send('begin', []) // as a statement with values: those are gathered (postgres-socket.ts)
    try {
      const result = await work(tx)
      tx.send('commit')
      await Promise.all(tx.#sent)
      return result
    } catch (error) {
      const { error: first } = tx.#failure ?? { error }
      await Promise.allSettled(tx.#sent)
      await client.query({ text: 'rollback' }).catch(() => {}) // the connection may be what failed
      throw first
    }
  }

  /** Run a statement, behind all that were sent, and wait for its rows. */
  query(text: string, values?: unknown[]): Promise<QueryResult<Row>> {
    const answer = this.#client.query(values === undefined ? { text } : { name: nameOf(text), text, values })
    answer.catch((error: unknown) => {
      this.#failure ??= { error }
    })
    return answer
  }

  /** Run a statement, behind all that were sent; if it fails, so does the transaction. */
  send(text: string, values?: unknown[]): void {
    this.#sent.push(this.query(text, values))
  }
}

const names = new Map<string, string>()

/** The name under which a connection keeps a statement, so that the server plans it once. The texts are those of this package: few. */
function nameOf(text: string): string {
  const name = names.get(text) ?? `noisecap_${names.size}`
  names.set(text, name)
  return name
}
