// Addresses of boxes and capabilities of relays, as the mailbox commands read them; what is of another kind is told apart, since all
// of them are long texts that look alike. Also the optional packages behind the stores. Leaves out what is done with them.
import type { Command } from 'commander'
import { Capability } from '../capability/index.js'
import { CollectAddress, DepositAddress } from '../mailbox/index.js'
import { type CapabilitySource, type Context, readCapabilityText } from './input.js'
import { UsageError } from './usage-error.js'

const DEPOSIT = 'noisecap-deposit:'
const COLLECT = 'noisecap-collect:'
const HINT =
  'noisecap box create prints a deposit address for senders and a collect address for the recipient'

/** Add the option that names a file with an address. */
export function addAddressOption(command: Command, what: string): Command {
  return command.option('--capability-file <file>', `read ${what} from this file; - is standard input`)
}

/** A deposit address. */
export async function readDeposit(context: Context, source: CapabilitySource): Promise<DepositAddress> {
  return parseDeposit(await readCapabilityText(context, source))
}

/** The deposit address in `text`. */
export function parseDeposit(text: string): DepositAddress {
  if (!text.trim().startsWith(DEPOSIT)) throw otherKind('a deposit address', text)
  return DepositAddress.parse(text)
}

/** A collect address. */
export async function readCollect(context: Context, source: CapabilitySource): Promise<CollectAddress> {
  const text = await readCapabilityText(context, source)
  if (!text.trim().startsWith(COLLECT)) throw otherKind('a collect address', text)
  return CollectAddress.parse(text)
}

/** A capability that opens boxes. */
export async function readOpener(context: Context, source: CapabilitySource): Promise<Capability> {
  const text = await readCapabilityText(context, source)
  const expected = 'the capability of a relay'
  if (!text.trim().startsWith('noisecap://')) throw otherKind(expected, text)
  const capability = Capability.parse(text)
  if (capability.use !== 'call' || capability.object !== 'relay') throw otherKind(expected, text, capability)
  return capability
}

function otherKind(expected: string, text: string, capability?: Capability): UsageError {
  const hint = expected === 'the capability of a relay' ? 'noisecap relay prints it when it starts' : HINT
  return new UsageError(
    `Cannot use address: expected ${expected}, got ${kindOf(text.trim(), capability)}`,
    hint,
  )
}

/** What a text is, without any of it. */
function kindOf(text: string, capability: Capability | undefined): string {
  if (text.startsWith(DEPOSIT)) return 'a deposit address'
  if (text.startsWith(COLLECT)) return 'a collect address'
  if (capability?.object !== undefined)
    return `a capability to ${capability.use} ${capability.object.split('/')[0]}`
  if (text.startsWith('noisecap://')) return 'a capability'
  return `${text.length} other characters`
}

/** A module whose optional package may be missing.
 * @param load - imports it. */
export async function loadOptional<T>(packageName: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load()
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new UsageError(
      `Cannot use the mailbox: the package ${packageName} is not installed`,
      `npm install ${packageName}, beside noisecap`,
    )
  }
}

/** The embedded store. */
export const loadLmdb = () => loadOptional('lmdb', () => import('../mailbox/lmdb.js'))
