// Types of chromium.mjs, for tests and benchmarks.
import type { Browser } from 'playwright-core'

export function findChromium(): string | undefined
export function installChromium(): string
export function startChromium(): Promise<Browser>
