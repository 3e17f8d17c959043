// Types of bundle.mjs, for tests, benchmarks and examples.

export function bundleForBrowser(entry: string, options?: { readonly development?: boolean }): Promise<string>
