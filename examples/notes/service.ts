// The service: `npx tsx examples/notes/service.ts <directory>`. Keeps its key, its revocations and all notes in that
// directory, offers `notes/:owner` and `admin`, and leaves the owner's capability in `admin.capability`, mode 0600.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Service } from 'noisecap'
import { Notebook } from './notebook.js'
import { Admin, Notes } from './notes.js'

const directory = process.argv[2] ?? 'notes-data'
await mkdir(directory, { recursive: true, mode: 0o700 })
const service = await Service.open(join(directory, 'service.key'))

// One notebook for each owner, however many sessions there are.
const notebooks = new Map<string, Promise<Notebook>>()
const notes = service.offer('notes/:owner', Notes, async ({ params: { owner } }) => {
  const notebook = notebooks.get(owner) ?? Notebook.open(directory, owner)
  notebooks.set(owner, notebook)
  return notebook
})

const admin = service.offer('admin', Admin, () => ({
  mint: ({ owner }) => notes.mint({ owner }).export(),
  revoke: ({ id }) => service.revoke(id),
}))

const location = await service.listen('tcp://127.0.0.1:0')
await writeFile(join(directory, 'admin.capability'), admin.mint({}).export(), { mode: 0o600 })
console.log(location)

process.once('SIGINT', () => void service.close())
process.once('SIGTERM', () => void service.close())
