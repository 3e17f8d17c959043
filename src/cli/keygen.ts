// `noisecap keygen`: a new key file for a service or a client. Leaves out the file format (src/capability/key-file.ts).
import type { Command } from 'commander'
import { base64urlEncode } from '../bytes.js'
import { createKeyPair, createServiceKey } from '../capability/files.js'
import { type Context, readPassphrase } from './input.js'
import { table } from './output.js'

interface Options {
  readonly client?: true
  readonly passphraseFile?: string
}

/** Add the command to `program`. */
export function addKeygen(program: Command, { output }: Context): Command {
  return program
    .command('keygen <file>')
    .description('create a key file with mode 0600; never overwrites')
    .option('--client', 'a client key, to prove who calls, instead of a service key')
    .option('--passphrase-file <file>', 'encrypt the key under the passphrase in this file')
    .action(async (file: string, options: Options) => {
      const passphrase = await readPassphrase(options.passphraseFile)
      if (options.client) {
        using pair = await createKeyPair(file, { passphrase })
        const publicKey = base64urlEncode(pair.publicKey)
        output.result([publicKey], { file, kind: 'client', publicKey })
        output.note(`wrote client key ${file}; the line above is its public key, for --holder`)
        return
      }
      using key = await createServiceKey(file, { passphrase })
      const { keyHash } = key
      const publicKey = base64urlEncode(key.publicKey)
      const lines = table([
        ['key hash', keyHash],
        ['public key', publicKey],
      ])
      output.result(lines, { file, kind: 'service', keyHash, publicKey })
      output.note(`wrote service key ${file}`)
    })
}
