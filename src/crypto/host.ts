// What the host offers, asked without importing Node: browsers have no `process`, bundlers put in one that is half empty.
// Leaves out what is then done with it (node.ts, sodium.ts, select.ts).

/** The host's `process`, undefined outside Node-like hosts; any member of it may be missing. */
export function hostProcess(): Partial<NodeJS.Process> | undefined {
  return typeof process === 'undefined' ? undefined : process
}

/** First line of an error's message: Node's module errors append the whole require stack. */
export function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return message.split('\n', 1)[0] ?? ''
}
