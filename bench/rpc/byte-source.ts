// What is downloaded from in the row of streams. Leaves out the processes (bytes-process.ts).

/** One system that carries bytes. */
export interface ByteSubject {
  /** Serve until the process ends.
   * @returns what `connect` needs. */
  serve(): Promise<string>
  connect(address: string): Promise<ByteSource>
}

/** One connection. */
export interface ByteSource {
  /** Have the service send `bytes` bytes of blocks.
   * @param chunk - told what arrives, and at which offset.
   * @returns how many arrived, once that is all. */
  download(bytes: number, chunk?: (data: Uint8Array, offset: number) => void): Promise<number>
  /** Send `bytes` bytes of blocks to the service, where there is such a way.
   * @returns how many arrived, once that is all. */
  upload?(bytes: number): Promise<number>
  /** One small call beside it, where there are calls. */
  echo?(value: number): Promise<number>
}
