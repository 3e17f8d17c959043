// How a page of the tests says what came of it: a value of its own, or the error that it met.

/** Run a page. */
export function tell(run: () => Promise<unknown>): void {
  const say = (told: unknown): void => void Object.assign(globalThis, { told })
  run().then(say, (error: unknown) => say({ failed: String(error), code: codeOf(error) }))
}

export function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
}

/** Code of what a promise fails with, undefined when it does not. */
export async function codeFrom(promise: PromiseLike<unknown>): Promise<unknown> {
  try {
    await promise
    return undefined
  } catch (error) {
    return codeOf(error) ?? String(error)
  }
}
