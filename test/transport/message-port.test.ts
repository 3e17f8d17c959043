// Real message ports pass the conformance suite, as Node's emitters and as what browsers know of them; a real worker serves.
import { once } from 'node:events'
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import { afterEach, describe, expect, test } from 'vitest'
import { connect } from '../../src/index.js'
import { MESSAGE_WINDOW_BYTES } from '../../src/limits.js'
import { type MessagePortLike, messagePortPipe } from '../../src/transport/message-port.js'
import { Notes } from '../integration/notes.js'
import { conformance, type Ends, piece, pieces, turns, watch } from './conformance.js'

/** A port with nothing but what the DOM gives it: no emitter, and no event when the other side closed. */
function asInBrowsers(port: MessagePort): MessagePortLike {
  const target = port as unknown as Required<MessagePortLike>
  return {
    postMessage: (message, transfer) => target.postMessage(message, transfer),
    addEventListener: (type, listener) => {
      if (type === 'message') target.addEventListener(type, listener)
    },
    removeEventListener: (type, listener) => target.removeEventListener(type, listener),
    start: () => target.start(),
    close: () => target.close(),
  }
}

function ends(form: (port: MessagePort) => MessagePortLike): Ends {
  const { port1, port2 } = new MessageChannel()
  return {
    client: messagePortPipe(form(port1)),
    server: messagePortPipe(form(port2)),
    close: async () => {
      port1.close()
    },
  }
}

conformance('MessagePort', async () => ends((port) => port as MessagePortLike))
conformance('MessagePort of the DOM', async () => ends(asInBrowsers))

const workers: Worker[] = []
afterEach(async () => {
  for (const worker of workers.splice(0)) await worker.terminate()
})

function start(): Worker {
  const worker = new Worker(new URL('./notes-worker.mjs', import.meta.url), { stdout: true })
  workers.push(worker)
  return worker
}

describe('a worker', () => {
  test('serves over its own port; the session ends in the open, and the worker goes on', async () => {
    const worker = start()
    const [text] = (await once(worker, 'message')) as [string]
    const notes = await connect(text, Notes, { via: () => messagePortPipe(worker as MessagePortLike) })
    expect(await notes.whoami()).toBe('anonymous')
    expect(await notes.echo({ text: 'x'.repeat(500_000) })).toEqual({ text: 'x'.repeat(500_000) })
    await notes[Symbol.asyncDispose]()
    expect(worker.threadId).toBeGreaterThan(0)
  })

  test('that ends in the middle of a call breaks it, and a worker used before is no way back', async () => {
    const worker = start()
    const [text] = (await once(worker, 'message')) as [string]
    await using notes = await connect(text, Notes, {
      via: () => messagePortPipe(worker as MessagePortLike),
      timeoutMs: 5_000,
    })
    const waiting = notes.wait().catch((error: unknown) => error)
    await notes.whoami() // behind it, so that the other one has arrived
    await worker.terminate()
    expect(await waiting).toMatchObject({ code: 'rpc/disconnected' })
    const again = await notes.whoami().catch((error: unknown) => error)
    expect(again).toMatchObject({
      code: 'rpc/unavailable',
      message: expect.stringContaining('pipe was not opened'),
    })
  })

  test('serves over a port that it was handed, beside messages of its own', async () => {
    const worker = start()
    const [text] = (await once(worker, 'message')) as [string]
    const open = (): ReturnType<typeof messagePortPipe> => {
      const { port1, port2 } = new MessageChannel()
      worker.postMessage({ port: port2 }, [port2])
      return messagePortPipe(port1 as MessagePortLike)
    }
    for (const _ of [1, 2]) {
      await using notes = await connect(text, Notes, { via: open })
      expect(await notes.whoami()).toBe('anonymous')
    }
  })
})

describe('a message port', () => {
  test.each<[string, unknown, RegExp]>([
    ['a text', 'hello', /no message of bytes/],
    ['an object', { bytes: new Uint8Array(16) }, /no message of bytes/],
    ['an ArrayBuffer', new ArrayBuffer(16), /no message of bytes/],
    ['undefined', undefined, /no message of bytes/],
    ['7 bytes', new Uint8Array(7), /shorter than a record/],
    ['nothing, which says that the other end is gone', null, /connection lost/],
  ])('that brings %s is dropped', async (_, message, error) => {
    const { port1, port2 } = new MessageChannel()
    let closed: Error | undefined
    messagePortPipe(port2 as MessagePortLike).start({
      data() {},
      drain() {},
      end() {},
      closed: (cause) => {
        closed = cause
      },
    })
    port1.postMessage(message)
    await expect.poll(() => closed?.message).toMatch(error)
  })

  test('is a pipe once', () => {
    const { port1 } = new MessageChannel()
    messagePortPipe(port1 as MessagePortLike).destroy()
    expect(() => messagePortPipe(port1 as MessagePortLike)).toThrow(TypeError)
  })

  test('hands over nothing of the memory beside a message', async () => {
    const { port1, port2 } = new MessageChannel()
    const pool = Buffer.alloc(8_192, 0x5a)
    const pipe = messagePortPipe(port1 as MessagePortLike)
    const arrived = once(port2, 'message')
    pipe.write(pool.subarray(100, 5_000))
    const [message] = (await arrived) as [Uint8Array]
    expect([message.length, message.buffer.byteLength]).toEqual([4_900, 4_900])
    expect(pool.every((byte) => byte === 0x5a)).toBe(true)
    pipe.destroy()
  })

  test('to a reader that pauses holds no more than the window', async () => {
    const both = ends((port) => port as MessagePortLike)
    const heard = watch(both.server)
    both.server.pause()
    let written = 0
    while (both.client.write(new Uint8Array(32_768))) {
      written += 32_768
      await turns(1)
    }
    expect(written).toBeLessThan(MESSAGE_WINDOW_BYTES + 65_536)
    expect(both.client.waitingBytes).toBeGreaterThan(0)
    both.server.resume()
    await expect.poll(() => both.client.waitingBytes).toBe(0)
    both.client.write(piece(1))
    await expect.poll(() => heard.bytes.slice(-16)).toEqual(pieces(1))
    both.client.destroy()
  })
})
