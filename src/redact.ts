// How an object that holds a secret shows itself: `[redacted]` as string, as JSON and in Node's inspection.
// Leaves out the holding of secrets (each class keeps its own `#bytes`).

/** Node's hook for `util.inspect`, reachable without importing Node. */
const inspectHook = Symbol.for('nodejs.util.inspect.custom')

/** Give every instance of `target` a redacted string, JSON and inspection form.
 * @param target - class whose instances hold secrets in `#private` fields.
 * @param describe - what may be shown; must not contain a secret. */
export function redact<T extends object>(
  target: { readonly prototype: T },
  describe: (self: T) => string,
): void {
  const show = {
    value(this: T): string {
      return describe(this)
    },
    enumerable: false,
    configurable: false,
    writable: false,
  }
  Object.defineProperty(target.prototype, 'toString', show)
  Object.defineProperty(target.prototype, 'toJSON', show)
  Object.defineProperty(target.prototype, inspectHook, show)
}
