// Where received messages go: standard output, one file each, or a command. Each takes the whole body, or throws: then the message
// is given back, and nothing of it lies where somebody could take it for whole.
import { spawn } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { base64urlEncode } from '../bytes.js'
import type { Received } from '../mailbox/index.js'
import type { Context } from './input.js'
import { escapeControls } from './output.js'
import { outputFile } from './output-file.js'
import { UsageError } from './usage-error.js'

const PRIVATE_FILE = 0o600
const PRIVATE_DIRECTORY = 0o700
/** What standard output takes as one piece of JSON. */
const JSON_BODY_MAX_BYTES = 16_777_216

/** Takes messages, one at a time. */
export interface MessageSink extends AsyncDisposable {
  /** @throws an error for what shall come again. */
  take(message: Received): Promise<void>
}

/** What is known of a message besides its body. */
function describeMessage(message: Received): Record<string, unknown> {
  const { id, contentType, headers, sentAt, series, deliveries, inReplyTo } = message
  const reply = replyOf(message)
  return {
    id,
    from: writerOf(message) ?? null,
    pattern: message.from.pattern,
    contentType,
    headers,
    sentAt: sentAt.toISOString(),
    series,
    deliveries,
    ...(inReplyTo === undefined ? {} : { inReplyTo }),
    ...(reply === undefined ? {} : { reply }),
  }
}

/** Where answers go, if that is an address. */
function replyOf(message: Received): string | undefined {
  try {
    return message.reply?.export()
  } catch {
    return undefined
  }
}

/** Standard output: bodies as they are, one after the other; with `--json` one line each, with what is known of it. */
export function outputSink(context: Context): MessageSink {
  const { io, output } = context
  return {
    async take(message) {
      if (output.json) return takeJson(context, message)
      if (!io.toTerminal) {
        for await (const piece of message.body) await io.writeBytes(piece)
        return
      }
      const text = textOf(await wholeBody(message))
      if (text === undefined)
        throw new UsageError(
          'Cannot write to the terminal: the message is not text',
          'Name a directory with --output, or pipe the output on',
        )
      io.stdout(`${escapeControls(text)}${text.endsWith('\n') ? '' : '\n'}`)
    },
    async [Symbol.asyncDispose]() {},
  }
}

async function takeJson({ output }: Context, message: Received): Promise<void> {
  const body = await wholeBody(message)
  const text = textOf(body)
  const shown = text === undefined ? { bytes: base64urlEncode(body) } : { text }
  output.result([], { ...describeMessage(message), ...shown })
}

/** One file a message, named by its id, which appears when it is whole. */
export async function directorySink(context: Context, path: string): Promise<MessageSink> {
  try {
    await mkdir(path, { recursive: true, mode: PRIVATE_DIRECTORY })
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'failed'
    throw new UsageError(`Cannot use --output ${path}: ${code}`)
  }
  return {
    async take(message) {
      const file = join(path, message.id)
      await using output = await outputFile(file, { force: true, mode: PRIVATE_FILE })
      for await (const piece of message.body) await output.write([piece])
      await output.commit()
      context.output.result([file], { file, ...describeMessage(message) })
    },
    async [Symbol.asyncDispose]() {},
  }
}

/** A command of the shell, with the body on standard input and what is known of it in its environment. */
export function commandSink({ io }: Context, command: string): MessageSink {
  return {
    async take(message) {
      const child = spawn(command, {
        shell: true,
        stdio: ['pipe', 'inherit', 'inherit'],
        env: { ...io.env, ...environmentOf(message) },
      })
      const ended = new Promise<number | string>((resolve, reject) => {
        child.on('error', reject)
        child.on('close', (code, signal) => resolve(code ?? String(signal)))
      })
      // It may end without reading all.
      child.stdin.on('error', () => undefined)
      const fed = pipeline(Readable.from(message.body), child.stdin).catch((error: unknown) => error)
      const code = await ended
      if (code !== 0) throw new Error(`the command ended with ${code}`)
      const failure = await fed
      if (failure instanceof Error && !isClosedPipe(failure)) throw failure
    },
    async [Symbol.asyncDispose]() {},
  }
}

function environmentOf(message: Received): Record<string, string> {
  return {
    NOISECAP_MESSAGE_ID: message.id,
    NOISECAP_MESSAGE_TYPE: message.contentType,
    NOISECAP_MESSAGE_FROM: writerOf(message) ?? '',
    NOISECAP_MESSAGE_SENT_AT: message.sentAt.toISOString(),
    NOISECAP_MESSAGE_JSON: JSON.stringify(describeMessage(message)),
  }
}

/** The command did not want to read more, and said that all is well. */
function isClosedPipe(error: Error): boolean {
  return 'code' in error && ['EPIPE', 'ERR_STREAM_PREMATURE_CLOSE', 'ECONNRESET'].includes(String(error.code))
}

function writerOf({ from }: Received): string | undefined {
  return 'writer' in from ? base64urlEncode(from.writer) : undefined
}

async function wholeBody(message: Received): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  let length = 0
  for await (const piece of message.body) {
    length += piece.length
    if (length > JSON_BODY_MAX_BYTES)
      throw new UsageError(
        `Cannot show message: expected at most ${JSON_BODY_MAX_BYTES} bytes`,
        'Name a directory with --output',
      )
    pieces.push(piece)
  }
  return Buffer.concat(pieces)
}

function textOf(body: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body)
  } catch {
    return undefined
  }
}
