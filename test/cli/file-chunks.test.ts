// Sealing and opening files in batches when what they write to fails: the error arrives once, and none is left unheard.
import { open, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openFile, sealFile } from '../../src/cli/file-chunks.js'
import { SealReader, SealWriter, streamOpener, streamSealer } from '../../src/seal/index.js'
import { ACCEPT, reader } from '../seal/parties.js'
import { content, seal } from '../seal/stream-parts.js'

const BYTES = 4_000_000

/** Takes `good` writes and fails from then on, at a later moment. */
function failing(good: number) {
  let left = good
  return {
    async write() {
      await new Promise((resolve) => setImmediate(resolve))
      if (left-- <= 0) throw new Error('nobody reads')
    },
  }
}

test.each([0, 1, 2, 3, 4])('a sink that fails after %i writes', async (good) => {
  const path = join(tmpdir(), `noisecap-chunks-${process.pid}-${good}`)
  const advance = () => undefined
  await writeFile(path, content(BYTES))
  const plain = await open(path)
  using sealer = streamSealer(new SealWriter({ to: reader.publicKey }))
  await expect(sealFile(plain, sealer, failing(good), advance)).rejects.toThrow('nobody reads')
  await plain.close()
  const sealedBytes = await seal(content(BYTES), {})
  await writeFile(path, sealedBytes)
  const sealed = await open(path)
  using opener = streamOpener(new SealReader({ keys: reader, accept: [ACCEPT.N] }), sealedBytes)
  const opened = openFile(sealed, opener.preludeBytes, opener, failing(Math.min(good, 3)), advance)
  await expect(opened).rejects.toThrow('nobody reads')
  await sealed.close()
  await rm(path)
})
