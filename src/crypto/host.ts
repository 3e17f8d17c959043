// What the host offers, asked without importing Node: browsers have no `process`, bundlers put in one that is half empty.
// Leaves out what is then done with it (node.ts, sodium.ts, select.ts).

/** The host's `process`, undefined outside Node-like hosts; any member of it may be missing. */
export function hostProcess(): Partial<NodeJS.Process> | undefined {
  return typeof process === 'undefined' ? undefined : process
}

/** Why loading failed, on one line: the first line of the message (Node appends the whole require stack) and of its causes,
 * since a loader's wrapper names the file and only the cause names the missing symbol or library. */
export function reasonIn(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const first = error.message.split('\n', 1)[0] ?? ''
  return error.cause === undefined ? first : `${first}: ${reasonIn(error.cause)}`
}
