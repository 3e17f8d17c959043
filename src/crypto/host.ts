// What the host offers, asked without importing Node: browsers have no `process`, bundlers put in one that is half empty.
// Leaves out what is then done with it (node.ts, sodium.ts, select.ts).

/** The host's `process`, undefined outside Node-like hosts; any member of it may be missing. */
export function hostProcess(): Partial<NodeJS.Process> | undefined {
  return typeof process === 'undefined' ? undefined : process
}
