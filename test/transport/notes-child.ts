// Child process of the stdio tests: a service for its parent alone. Prints a capability to stderr; ends with the session.
import { Service } from '../../src/index.js'
import { parentPipe } from '../../src/transport/stdio.js'
import { Notes, NotesOf } from '../integration/notes.js'

const service = Service.create(undefined, { announcers: [] })
const notes = service.offer('notes/:owner', Notes, ({ params, client }) => new NotesOf(params.owner, client))
process.stderr.write(`${notes.mint({ owner: 'ada' }).export()}\n`)
service.accept(parentPipe())
