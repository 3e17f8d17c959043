// Types of package-folder.mjs, for tests.

export function packageFolder(): Promise<{ readonly folder: string; remove(): void }>
