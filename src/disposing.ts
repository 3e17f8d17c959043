// `using` as a function. Leaves out what is asynchronous.

/** What `use` makes of `resource`, which is disposed afterwards, whatever happened. For code that pages load: tsup.config.ts lowers
 * `using` there, whose helpers would come along with each file that has it. */
export function disposing<T extends Disposable, Result>(resource: T, use: (resource: T) => Result): Result {
  try {
    return use(resource)
  } finally {
    resource[Symbol.dispose]()
  }
}
