// How much has moved on all test networks of the process: two looks tell a clock whether something is still on its way.
// Leaves out what moved.

/** Counts up with every piece of bytes and every end of a connection. */
export const activity = { count: 0 }
