// How an object that holds a secret shows itself: `[redacted]` as string, as JSON and in Node's inspection.
// Also takes capabilities out of texts, since somebody may give one where a file or a path belongs.
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
      try {
        return describe(this)
      } catch {
        // Of the prototype itself, or of an object made from it: there is nothing to describe.
        return '[redacted]'
      }
    },
    enumerable: false,
    configurable: false,
    writable: false,
  }
  Object.defineProperty(target.prototype, 'toString', show)
  Object.defineProperty(target.prototype, 'toJSON', show)
  Object.defineProperty(target.prototype, inspectHook, show)
}

/** `text` without the secret part of any capability in it. */
export function redactCapabilities(text: string): string {
  return text
    .replaceAll(/(noisecap:[^\s#'"]{0,8192}#)[^\s'"]+/gi, '$1[redacted]')
    .replaceAll(/[A-Za-z0-9_-]{100,}/g, '[redacted]')
}
