// Which pages may reach a service: the `Origin` that browsers send, against a list (spec/session.md §12, §13).
// No authority comes of it: a page without a capability meets the silence that all strangers meet.

/** Origins as browsers write them (`https://app.example`), or a judge of one. */
export type Origins = readonly string[] | ((origin: string) => boolean)

/** Whether a request with these headers may go on; without a list, pages of the same host and port may. */
export function allowsOrigin(
  origin: string | undefined,
  host: string | undefined,
  origins: Origins | undefined,
): boolean {
  if (origin === undefined) return true
  if (typeof origins === 'function') return origins(origin)
  if (origins !== undefined) return origins.includes(origin)
  return host !== undefined && /^https?:\/\//.test(origin) && origin.replace(/^https?:\/\//, '') === host
}
