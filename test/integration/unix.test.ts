// A service at a unix socket: found through the registry, called, and served by the command line as well.
import { once } from 'node:events'
import { existsSync, statSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { connect } from '../../src/index.js'
import { Desk, firstLine, NOTES_MODULE } from '../cli/cli.js'
import { Notes, startNotes } from './notes.js'

test('a service listens at a unix socket beside TCP, is announced there, answers, and removes it', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'noisecap-test-'))
  const world = await startNotes()
  try {
    const path = join(directory, 'notes.sock')
    const location = await world.service.listen(`unix://${path}`)
    expect(location).toBe(`unix:${path}`)
    const announced = await world.registry.resolve(world.service.keyHash, {
      publicKey: world.service.key.publicKey,
    })
    expect(announced.map(({ uri }) => uri).sort()).toEqual([world.location, location].sort())
    for (const at of [location, `unix://${path}`]) {
      await using ada = await connect(world.notes.mint({ owner: 'ada' }, { at: [at] }), { resolvers: [] })
      expect(await ada.whoami()).toBe('anonymous')
    }
    await world.close()
    expect(existsSync(path)).toBe(false)
  } finally {
    await world.close()
    await rm(directory, { recursive: true, force: true })
  }
})

test('listen with a mode gives it to the socket; with origins, which no socket has, it is refused', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'noisecap-test-'))
  const world = await startNotes()
  try {
    const path = join(directory, 'notes.sock')
    await world.service.listen(`unix://${path}`, { mode: 0o660 })
    expect(statSync(path).mode & 0o777).toBe(0o660)
    const refused = { origins: ['https://app.example'] }
    await expect(world.service.listen(`unix://${path}.2`, refused)).rejects.toThrow(TypeError)
    await expect(world.service.listen('ws://127.0.0.1:0/', { mode: 0o660 })).rejects.toThrow(TypeError)
  } finally {
    await world.close()
    await rm(directory, { recursive: true, force: true })
  }
})

test('noisecap serve --listen unix:///… is called by key hash alone, and removes its socket at the end', async () => {
  const desk = await Desk.create()
  const path = desk.path('s.sock')
  try {
    expect((await desk.run(['keygen', desk.path('s.key')])).exitCode).toBe(0)
    const service = desk.spawn([
      'serve',
      NOTES_MODULE,
      '--key',
      desk.path('s.key'),
      '--listen',
      `unix://${path}`,
    ])
    const ended = once(service, 'close')
    expect(await firstLine(service)).toBe(`unix:${path}`)
    const minted = await desk.run(['mint', '--key', desk.path('s.key'), '--object', 'notes/ada'])
    const text = minted.stdout.trim()
    expect(await desk.runChild(['call', 'add', '{"text":"hello"}'], { stdin: text })).toEqual({
      exitCode: 0,
      stdout: '1\n',
      stderr: '',
    })
    service.kill('SIGTERM')
    await ended
    expect(existsSync(path)).toBe(false)
  } finally {
    await desk.remove()
  }
})

test('connect accepts the interface with a text that has a unix hint', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'noisecap-test-'))
  const world = await startNotes()
  const location = await world.service.listen(`unix:${join(directory, 'n.sock')}`)
  await using ada = await connect(world.notes.mint({ owner: 'ada' }, { at: [location] }).export(), Notes, {
    resolvers: [],
  })
  expect(await ada.add({ text: 'milk' })).toBe(1)
  await world.close()
  await rm(directory, { recursive: true, force: true })
})
