// A capability in the fragment of a page's address, `https://app.example/#noisecap=…`: the one part of an address that a
// browser sends to nobody. It is taken out of the address bar and of the history entry at once, so that no screenshot,
// bookmark or later script finds it there. Leaves out keeping it (store.ts).
import { Capability } from '../capability/index.js'

const PARAMETER = 'noisecap='

/** What is used of the page. */
interface Page {
  readonly location: { readonly href: string }
  readonly history: {
    readonly state: unknown
    replaceState(state: unknown, unused: string, url: string): void
  }
}

/** The address of a page, with a capability in its fragment. Treat it as the capability itself.
 * @param page - absolute or relative, with or without a fragment, which is replaced. */
export function linkTo(capability: Capability<unknown>, page: string): string {
  const text = capability.export().replaceAll(/[%#&]/g, encodeURIComponent)
  return `${page.replace(/#.*$/s, '')}#${PARAMETER}${text}`
}

/** Take the capability out of the address of this page, from the address bar and the current history entry too.
 * @returns undefined when there is none.
 * @throws `capability/malformed` for one that is cut off or altered; it is taken out all the same. */
export function takeCapability(page: Page = globalThis as unknown as Page): Capability | undefined {
  const { href } = page.location
  const start = href.indexOf('#')
  const parts = start < 0 ? [] : href.slice(start + 1).split('&')
  const found = parts.find((part) => part.startsWith(PARAMETER))
  if (found === undefined) return undefined
  const others = parts.filter((part) => !part.startsWith(PARAMETER)).join('&')
  const rest = others === '' ? '' : `#${others}`
  page.history.replaceState(page.history.state, '', href.slice(0, start) + rest)
  return Capability.parse(decoded(found.slice(PARAMETER.length)))
}

/** Text that was not encoded as a whole is refused as a capability, with the words of that. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
