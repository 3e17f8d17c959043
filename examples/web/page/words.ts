// What is wrong, in plain words, by the code of an error.

const WORDS: Readonly<Record<string, string>> = {
  'session/revoked': 'This link was revoked. Whoever gave it to you has taken it back; ask for a new one.',
  'session/expired': 'This link has expired. Ask whoever gave it to you for a new one.',
  'session/not_yet_valid': 'This link is not valid yet. Check the clock of this device, or come back later.',
  'session/denied': 'This link does not open this notebook. Ask for a new one.',
  'session/no_answer': 'Nobody answers to this link. It may be incomplete, or of another notebook.',
  'capability/malformed': 'This link is incomplete. Copy all of it, to the very end, and open it again.',
  'browser/store': 'This browser keeps nothing for this page, so the link is needed again after a reload.',
}

export const NO_LINK = 'This page needs a link. Open the one that you were given, or scan its code.'
export const AWAY = 'The notebook cannot be reached. This page tries again by itself; nothing is lost.'

export function wordsFor(error: unknown): string {
  const code = codeOf(error)
  return (code === undefined ? undefined : WORDS[code]) ?? AWAY
}

/** Whether trying again may help. */
export function mayPass(error: unknown): boolean {
  return WORDS[codeOf(error) ?? ''] === undefined
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
