// The part of Standard Schema v1 (standardschema.dev) that noisecap uses, as an interface: any validator that follows
// the standard fits, and none is a dependency.

/** A validator from `Input` to `Output`. */
export interface StandardSchema<Input = unknown, Output = unknown> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>
    readonly types?: { readonly input: Input; readonly output: Output } | undefined
  }
}

/** A validated value, or what is wrong with it. */
export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] }

/** One thing that is wrong. */
export interface SchemaIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

const ISSUES_SHOWN_MAX = 3
const TEXT_SHOWN_MAX_CHARS = 300

/** Issues as one bounded line: `items.3.name: expected string`. */
export function describeIssues(issues: readonly SchemaIssue[]): string {
  const shown = issues.slice(0, ISSUES_SHOWN_MAX).map(({ path, message }) => {
    const where = (path ?? [])
      .map((segment) => String(typeof segment === 'object' ? segment.key : segment))
      .join('.')
    return where === '' ? message : `${where}: ${message}`
  })
  if (issues.length > ISSUES_SHOWN_MAX) shown.push(`and ${issues.length - ISSUES_SHOWN_MAX} more`)
  const text = shown.join('; ')
  return (
    text.length > TEXT_SHOWN_MAX_CHARS ? `${text.slice(0, TEXT_SHOWN_MAX_CHARS)}…` : text
  ).toWellFormed()
}
