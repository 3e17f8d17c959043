// What peers keep in the place of an envelope of 1 KiB.

/** About as many as that has, bytes. */
export const STORED_BYTES = 1_200
