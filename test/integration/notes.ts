// A small service that integration tests share: a real Service over real TCP, with a registry of its own.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import type { InternalError } from '../../src/index.js'
import { iface, method, NoisecapError, type Offer, Service, type ServiceOptions } from '../../src/index.js'
import { FileRegistry } from '../../src/resolve/file.js'
import type { Calls } from '../../src/rpc/index.js'

export const Notes = iface('Notes', {
  add: method(z.object({ text: z.string().max(20) }), z.number(), {
    errors: { full: z.object({ max: z.number() }) },
  }),
  list: method<void, string[]>(),
  echo: method<unknown, unknown>(),
  wait: method<void, string>(),
  crash: method<void, never>(),
  whoami: method<void, string>(),
})

export class NotesOf {
  readonly texts: string[] = []
  readonly owner: string
  readonly client: Uint8Array | undefined
  aborted = 0
  waiting = 0
  disposed = 0

  constructor(owner: string, client: Uint8Array | undefined) {
    this.owner = owner
    this.client = client
  }

  add({ text }: { text: string }): number {
    if (this.texts.length >= 3) throw Notes.failure('add', 'full', { max: 3 })
    return this.texts.push(text)
  }

  list(): string[] {
    return this.texts
  }

  echo(value: unknown): unknown {
    return value
  }

  wait(_input: unknown, { signal }: { signal: AbortSignal }): Promise<string> {
    this.waiting += 1
    return new Promise((resolve) => {
      signal.addEventListener('abort', () => {
        this.aborted += 1
        resolve(`stopped: ${(signal.reason as Error).name}`)
      })
    })
  }

  crash(): never {
    throw new Error('secret inside of the service')
  }

  whoami(): string {
    return this.client === undefined ? 'anonymous' : `client of ${this.client.length} bytes`
  }

  [Symbol.dispose](): void {
    this.disposed += 1
  }
}

export interface World {
  readonly service: Service
  readonly registry: FileRegistry
  readonly location: string
  readonly objects: NotesOf[]
  readonly errors: InternalError[]
  readonly notes: Offer<Calls<(typeof Notes)['declared']>, { readonly owner: string }>
  close(): Promise<void>
}

/** A listening notes service and the registry that knows it. */
export async function startNotes(options: ServiceOptions = {}): Promise<World> {
  const directory = await mkdtemp(join(tmpdir(), 'noisecap-test-'))
  const registry = new FileRegistry({ directory: join(directory, 'registry') })
  const errors: InternalError[] = []
  const service = Service.create(undefined, {
    announcers: [registry],
    onInternalError: (report) => errors.push(report),
    ...options,
  })
  const objects: NotesOf[] = []
  const notes = service.offer('notes/:owner', Notes, ({ params, client }) => {
    const object = new NotesOf(params.owner, client)
    objects.push(object)
    return object
  })
  const location = await service.listen('tcp://127.0.0.1:0')
  return {
    service,
    registry,
    location,
    objects,
    errors,
    notes,
    close: async () => {
      await service.close(200)
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** The code with which `promise` rejects. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error === undefined) return 'resolved'
  return error instanceof NoisecapError ? error.code : `not ours: ${String(error)}`
}
