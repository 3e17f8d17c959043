// The version of this package, found from wherever this file runs: as source, or bundled into dist.
import { readFileSync } from 'node:fs'

/** The version in the nearest package.json of noisecap, `unknown` where there is none. */
export function packageVersion(): string {
  for (const path of ['../package.json', '../../package.json']) {
    const found = readManifest(new URL(path, import.meta.url))
    if (found?.name === 'noisecap' && found.version !== undefined) return found.version
  }
  return 'unknown'
}

function readManifest(url: URL): { readonly name?: string; readonly version?: string } | undefined {
  try {
    return JSON.parse(readFileSync(url, 'utf8')) as { name?: string; version?: string } // checked by name
  } catch {
    return undefined
  }
}
