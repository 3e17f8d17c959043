// The base of classes that put a private field on an object made elsewhere (stubs, promises): that cannot be forged, and
// shows nowhere. Leaves out what the fields are for (stub.ts, question.ts).

/** Returns what it is given, so that a subclass can put a private field on it. */
export class Identity {
  // A constructor that returns an object makes it `this` of the subclass: the one way to add a private field to an
  // object with a prototype of its own.
  constructor(target: object) {
    // biome-ignore lint/correctness/noConstructorReturn: see above
    return target
  }
}
