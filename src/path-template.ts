// Object paths with parameters, `notes/:owner`: matched when a session asks for an object, filled when one is minted.
// Leaves out the syntax of a path itself (src/capability/grant.ts).
import { isObjectPath } from './capability/index.js'
import { redactCapabilities } from './redact.js'

/** Names of the parameters in a template: `PathParams<'notes/:owner'>` is `{ owner: string }`. */
export type PathParams<Path extends string> = Path extends `${infer Segment}/${infer Rest}`
  ? ParamOf<Segment> & PathParams<Rest>
  : ParamOf<Path>
type ParamOf<Segment extends string> = Segment extends `:${infer Name}`
  ? { readonly [K in Name]: string }
  : unknown

/** One template. */
export class PathTemplate {
  readonly #segments: readonly string[]

  /** @throws TypeError when it is no path, or names a parameter twice. */
  constructor(template: string) {
    this.#segments = template.split('/')
    const names = this.#segments
      .filter((segment) => segment.startsWith(':'))
      .map((segment) => segment.slice(1))
    const sample = this.#segments.map((segment) => (segment.startsWith(':') ? 'x' : segment)).join('/')
    const namesAreGood =
      names.every((name) => /^[A-Za-z][A-Za-z0-9]*$/.test(name)) && new Set(names).size === names.length
    if (!isObjectPath(sample) || !namesAreGood) {
      throw new TypeError(
        `Cannot use object path ${redactCapabilities(JSON.stringify(template))}: expected segments between slashes, parameters as :name, each once`,
      )
    }
  }

  /** The parameters of `path`, or undefined when it is another one. */
  match(path: string): Readonly<Record<string, string>> | undefined {
    const segments = path.split('/')
    if (segments.length !== this.#segments.length) return undefined
    const params: Record<string, string> = Object.create(null)
    for (const [i, expected] of this.#segments.entries()) {
      const segment = segments[i]!
      if (expected.startsWith(':')) params[expected.slice(1)] = segment
      else if (segment !== expected) return undefined
    }
    return params
  }

  /** The path with these parameters.
   * @throws TypeError when one is missing or is not one segment of a path. */
  fill(params: Readonly<Record<string, string>>): string {
    const path = this.#segments
      .map((segment) => {
        if (!segment.startsWith(':')) return segment
        const name = segment.slice(1)
        const value = Object.hasOwn(params, name) ? params[name] : undefined
        if (typeof value !== 'string' || value.includes('/') || !isObjectPath(value)) {
          throw new TypeError(
            `Cannot fill object path: expected parameter ${name} to be one segment of letters, digits and . _ ~ -`,
          )
        }
        return value
      })
      .join('/')
    if (!isObjectPath(path)) throw new TypeError('Cannot fill object path: it is too long')
    return path
  }
}
