// What a command needs of its surroundings, as an argument, so that tests run commands without a process.
// Leaves out files, which commands open by name.

/** Environment and streams of one run. */
export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly stdin: AsyncIterable<Uint8Array | string> & { readonly isTTY?: boolean | undefined }
  readonly stdout: (text: string) => void
  readonly stderr: (text: string) => void
  /** Standard output for bytes; resolves when they may be overwritten. */
  readonly writeBytes: (bytes: Uint8Array) => Promise<void>
  /** Whether standard output is a terminal. */
  readonly toTerminal: boolean
  /** Standard error where it is a terminal, on which progress is drawn. */
  readonly progress: NodeJS.WritableStream | undefined
  /** Whether standard output shows colours. */
  readonly colour: boolean
  /** A signal that is aborted when the user asks the command to stop; asked for by commands that run on. */
  readonly stopSignal: () => AbortSignal
  /** Let V8 optimize code in this process, where it was kept from that: called by commands that find their work to be in JavaScript. */
  readonly optimize: () => void
}
