// Real TCP passes the conformance suite, over IPv4 and IPv6; locations that are none are refused.
import { readFile } from 'node:fs/promises'
import { networkInterfaces } from 'node:os'
import { describe, expect, test } from 'vitest'
import type { Pipe } from '../../src/transport/index.js'
import { dialTcp, listenTcp } from '../../src/transport/tcp.js'
import { conformance } from './conformance.js'
import { lendingConformance, socketConformance, socketEnds } from './sockets.js'

const hasIpv6 = Object.values(networkInterfaces()).some((all) =>
  all?.some(({ address }) => address === '::1'),
)
const transport = { listen: listenTcp, dial: dialTcp }

conformance('TCP', () => socketEnds(listenTcp, dialTcp, 'tcp://127.0.0.1:0'))
socketConformance('TCP', transport, () => 'tcp://127.0.0.1:0')
lendingConformance('TCP', transport, () => 'tcp://127.0.0.1:0')
if (hasIpv6) {
  conformance('TCP over IPv6', () => socketEnds(listenTcp, dialTcp, 'tcp://[::1]:0'))
  socketConformance('TCP over IPv6', transport, () => 'tcp://[::1]:0')
}

test.runIf(hasIpv6)('an IPv6 location keeps its brackets and tells the port', async () => {
  const listener = await listenTcp('tcp://[0:0:0:0:0:0:0:1]:0', (pipe) => pipe.destroy())
  expect(listener.location).toMatch(/^tcp:\/\/\[::1\]:[1-9]\d*$/)
  await listener.close()
})

test.runIf(process.platform === 'linux')('both ends have keepalive on', async () => {
  const pipes: Pipe[] = []
  const listener = await listenTcp('tcp://127.0.0.1:0', (pipe) => pipes.push(pipe))
  pipes.push(await dialTcp(listener.location, AbortSignal.timeout(20_000)))
  const port = Number(new URL(listener.location).port)
  const hex = port.toString(16).toUpperCase().padStart(4, '0')
  /** Of both sockets of the connection: which timer runs; 2 is keepalive (proc_net_tcp in the kernel's documentation). */
  const timers = async (): Promise<string[]> => {
    const lines = (await readFile('/proc/net/tcp', 'utf8'))
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
    return lines
      .filter(
        ([, from, to, state]) => state === '01' && (from?.endsWith(`:${hex}`) || to?.endsWith(`:${hex}`)),
      )
      .map(([, , , , , timer]) => timer?.slice(0, 2) ?? '')
  }
  await expect.poll(timers).toEqual(['02', '02'])
  for (const pipe of pipes) pipe.destroy()
  await listener.close()
})

describe('locations', () => {
  test.each([
    'tcp://127.0.0.1',
    'tcp://:7000',
    'tcp://127.0.0.1:65536',
    'tcp://[127.0.0.1]:7000',
    'tcp://[::1:7000',
    'tcp://a/b:7000',
    'tcp://127.1:7000',
    'tcp://user@127.0.0.1:7000',
    'unix:/tmp/x',
    'http://127.0.0.1:7000',
    `tcp://${'a'.repeat(255)}:1`,
  ])('%s is not a location of TCP', (location) => {
    const code = { code: 'transport/bad_location' }
    expect(() => dialTcp(location, AbortSignal.timeout(1_000))).toThrow(expect.objectContaining(code))
    expect(() => listenTcp(location, () => {})).toThrow(expect.objectContaining(code))
  })

  test('port 0 can be listened at, not dialled', () => {
    const code = { code: 'transport/bad_location' }
    expect(() => dialTcp('tcp://127.0.0.1:0', AbortSignal.timeout(1_000))).toThrow(
      expect.objectContaining(code),
    )
  })

  test('nobody listening is transport/unreachable with the reason of the system', async () => {
    const listener = await listenTcp('tcp://127.0.0.1:0', (pipe) => pipe.destroy())
    await listener.close()
    const error = await dialTcp(listener.location, AbortSignal.timeout(5_000)).catch((e: unknown) => e)
    expect(error).toMatchObject({ code: 'transport/unreachable' })
    expect((error as Error).message).toContain('ECONNREFUSED')
  })

  test('a port that is taken is transport/unreachable', async () => {
    const listener = await listenTcp('tcp://127.0.0.1:0', (pipe) => pipe.destroy())
    const error = await listenTcp(listener.location, () => {}).catch((e: unknown) => e)
    expect(error).toMatchObject({ code: 'transport/unreachable' })
    await listener.close()
  })
})
