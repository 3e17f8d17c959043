// Frames out of a byte stream: cut anywhere, bounded before memory is taken.
import { describe, expect, test } from 'vitest'
import { concat } from '../../src/bytes.js'
import { FrameReader, FrameTooLongError } from '../../src/session/framing.js'
import { u16 } from '../../src/session/hello.js'

const frame = (...body: number[]) => concat(u16(body.length), Uint8Array.from(body))
const stream = concat(frame(1, 2, 3), frame(), frame(4), frame(...new Array<number>(300).fill(7)))

function readAll(chunks: readonly Uint8Array[], maxBytes = 1_000): number[][] {
  const reader = new FrameReader('length', maxBytes)
  const bodies: number[][] = []
  for (const chunk of chunks) {
    reader.push(chunk)
    for (let body = reader.next(); body !== undefined; body = reader.next()) bodies.push([...body])
  }
  return bodies
}

describe('FrameReader of a byte stream', () => {
  test('whole, byte by byte and cut at every place it gives the same frames', () => {
    const whole = readAll([stream.slice()])
    expect(whole.map(({ length }) => length)).toEqual([3, 0, 1, 300])
    expect(readAll(Array.from(stream, (byte) => Uint8Array.of(byte)))).toEqual(whole)
    for (let cut = 1; cut < stream.length; cut++) {
      expect(readAll([stream.slice(0, cut), stream.slice(cut)])).toEqual(whole)
    }
  })

  test('a length beyond the limit is refused from its two bytes alone, before memory is taken', () => {
    const reader = new FrameReader('length', 4_096)
    reader.push(Uint8Array.of(0x10, 0x01))
    expect(() => reader.next()).toThrow(FrameTooLongError)
    expect(reader.isMidFrame).toBe(false)
    reader.maxBytes = 4_097
    reader.push(Uint8Array.of(0x10, 0x01))
    expect(reader.next()).toBeUndefined()
    expect(reader.isMidFrame).toBe(true)
  })

  test('isMidFrame is true from the first byte of a length to the last of its body', () => {
    const reader = new FrameReader('length', 10)
    const states: boolean[] = []
    for (const byte of frame(1, 2)) {
      reader.push(Uint8Array.of(byte))
      reader.next()
      states.push(reader.isMidFrame)
    }
    expect(states).toEqual([true, true, true, false])
  })

  test('a frame that arrived whole is a view, not a copy', () => {
    const reader = new FrameReader('length', 10)
    const chunk = frame(1, 2)
    reader.push(chunk)
    expect(reader.next()?.buffer).toBe(chunk.buffer)
  })

  test('push before the earlier frames are drained is a mistake of the caller', () => {
    const reader = new FrameReader('length', 10)
    reader.push(frame(1))
    expect(() => reader.push(frame(2))).toThrow('not drained')
  })
})

describe('FrameReader of messages', () => {
  test('one message is one frame, and one too long is refused', () => {
    const reader = new FrameReader('message', 3)
    reader.push(Uint8Array.of(1, 2, 3))
    expect(reader.next()).toEqual(Uint8Array.of(1, 2, 3))
    expect(reader.next()).toBeUndefined()
    reader.push(new Uint8Array(4))
    expect(() => reader.next()).toThrow(FrameTooLongError)
  })
})
