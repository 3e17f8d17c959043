// What a statement on the page about threats is made of.

/** A statement on the page, and the test that shows it. */
export interface Shown {
  readonly what: string
  /** File below test/, and the name of the test in it. Missing where no test can show it. */
  readonly test?: readonly [file: string, name: string]
}
