// A function without members: the target of proxies that can be called and whose every name is a method of something
// elsewhere. A function's own `name` and `length` would be what a proxy must answer for them (ECMA-262 §10.5.8).
// Leaves out the proxies (answer-path.ts, map-recording.ts).

/** A new one, frozen, without a prototype. */
export function bareFunction(): object {
  const bare = (): void => {}
  Reflect.deleteProperty(bare, 'name')
  Reflect.deleteProperty(bare, 'length')
  return Object.freeze(Object.setPrototypeOf(bare, null)) as object
}
