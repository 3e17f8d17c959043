// The internal signal that received bytes break a rule of spec/capability.md, before a door turns it into its own answer:
// parse throws `capability/malformed`, verify denies. Never leaves the layer, never holds what was received.

/** Received bytes are not what the spec allows. */
export class Malformed extends Error {
  /** @param expected - what should have stood there, fixed text. */
  constructor(expected: string) {
    super(`expected ${expected}`)
  }

  override get name(): string {
    return 'Malformed'
  }
}
