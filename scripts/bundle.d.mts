// Types of bundle.mjs, for tests and benchmarks.

export function bundleForBrowser(entry: string): Promise<string>
