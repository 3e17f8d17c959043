// The thread of the worker tests, in TypeScript behind tsx's hooks: workers do not inherit them from Vitest.
import { register } from 'tsx/esm/api'

register()
await import('./notes-worker.ts')
