// `noisecap doctor`: what this machine brings: crypto providers and why, Node's version, the registry and whether it can be
// used. Exit code 1 when something would fail. Changes nothing. Leaves out the choice itself (src/crypto/select.ts).
import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import process from 'node:process'
import type { Command } from 'commander'
import { keyHashText } from '../capability/index.js'
import { generateKeyPair, notesOf, type PrimitiveName, primitives, reportOf } from '../crypto/index.js'
import { NoisecapError } from '../errors.js'
import { defaultRegistryDirectory, FileRegistry } from '../resolve/file.js'
import { viewFailure } from './failure.js'
import type { Context } from './input.js'
import { table } from './output.js'
import { DoctorFailure } from './usage-error.js'
import { packageVersion } from './version.js'

/** Without these there is no session. */
const NEEDED: ReadonlySet<PrimitiveName> = new Set(['25519', 'ChaChaPoly', 'BLAKE2b', 'SHA256', 'random'])

/** The registry as found. */
interface RegistryReport {
  readonly directory: string
  readonly state: 'sound' | 'missing' | 'read_only' | 'unusable'
  readonly problem?: string
  readonly hint?: string | undefined
}

/** Add the command to `program`. */
export function addDoctor(program: Command, { io, output }: Context): Command {
  return program
    .command('doctor')
    .description('show crypto providers, versions and whether the registry can be used')
    .action(async () => {
      const choices = reportOf(primitives())
      const notes = notesOf(primitives())
      const registry = await examineRegistry(defaultRegistryDirectory(io.env))
      const missing = choices.filter((each) => each.provider === undefined && NEEDED.has(each.primitive))
      const problems = missing.map(({ primitive, reason }) => `no provider of ${primitive}: ${reason}`)
      if (registry.state === 'unusable') problems.push(registry.problem ?? 'the registry cannot be used')
      const report = {
        noisecap: packageVersion(),
        node: process.version,
        primitives: choices,
        notes,
        registry,
      }
      output.result(
        table([
          ['noisecap', report.noisecap],
          ['node', report.node],
          ...choices.map((each) => [each.primitive, choiceText(each.provider, each.reason)] as const),
          ...notes.map((note) => ['note', note] as const),
          ['registry', `${registry.directory} (${registryText(registry)})`],
        ]),
        { ...report, problems },
      )
      if (problems.length > 0) throw new DoctorFailure(problems.join('; '), registry.hint)
    })
}

/** Look, without leaving anything behind. */
async function examineRegistry(directory: string): Promise<RegistryReport> {
  try {
    // Nobody has this key: a registry that is sound knows nothing of it.
    using probe = generateKeyPair()
    const { publicKey } = probe
    await new FileRegistry({ directory }).resolve(keyHashText(publicKey), { publicKey })
    await access(directory, constants.R_OK | constants.W_OK | constants.X_OK)
    return { directory, state: 'sound' }
  } catch (error) {
    if (isCode(error, 'ENOENT')) return { directory, state: 'missing' }
    if (isCode(error, 'EACCES') || isCode(error, 'EROFS')) return { directory, state: 'read_only' }
    if (!(error instanceof NoisecapError)) throw error
    const { message, hint } = viewFailure(error)
    return { directory, state: 'unusable', problem: message, hint }
  }
}

function registryText({ state }: RegistryReport): string {
  switch (state) {
    case 'sound':
      return 'sound'
    case 'missing':
      return 'not there yet, the first service that listens creates it'
    case 'read_only':
      return 'sound, but this user can only find services, not announce any'
    case 'unusable':
      return 'cannot be used'
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}

function choiceText(provider: string | undefined, reason: string): string {
  return `${(provider ?? 'none').padEnd(6)}  ${reason}`
}
