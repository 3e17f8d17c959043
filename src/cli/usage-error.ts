// Errors of the command itself, besides those of the library. Leaves out how they are shown (failure.ts).

/** Something on the command line, or a file it names, is not what was expected. */
export class UsageError extends Error {
  readonly hint: string | undefined

  constructor(message: string, hint?: string) {
    super(message)
    this.hint = hint
  }
}

/** `noisecap doctor` found something that would fail. */
export class DoctorFailure extends Error {
  readonly hint: string | undefined

  constructor(message: string, hint: string | undefined) {
    super(message)
    this.hint = hint
  }
}
