// Every way in which a program shows an object or takes it apart: strings, JSON, inspection, console, copies, walks.
import assert from 'node:assert'
import { Console } from 'node:console'
import { Writable } from 'node:stream'
import { format, inspect } from 'node:util'
import { serialize } from 'node:v8'
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads'

const EVERYTHING = {
  showHidden: true,
  depth: Number.POSITIVE_INFINITY,
  getters: true,
  maxArrayLength: null,
  maxStringLength: null,
}
const latin1 = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1')

/** What `run` gives, or the whole of the error that it throws: nothing may leak there either. */
function attempt(run: () => unknown): string {
  try {
    const shown = run()
    return typeof shown === 'string' ? shown : inspect(shown, EVERYTHING)
  } catch (error) {
    return inspect(error, EVERYTHING)
  }
}

function onConsole(write: (to: Console) => void): string {
  let text = ''
  const stream = new Writable({
    write: (chunk, _encoding, done) => {
      text += String(chunk)
      done()
    },
  })
  write(new Console({ stdout: stream, stderr: stream, inspectOptions: { depth: null } }))
  return text
}

function posted(value: unknown): unknown {
  const { port1, port2 } = new MessageChannel()
  try {
    port1.postMessage(value)
    return receiveMessageOnPort(port2)
  } finally {
    port1.close()
    port2.close()
  }
}

/** Members that exist in order to hand out a secret, as their documentation says. */
const EXITS: ReadonlySet<string> = new Set(['secretKey', 'key'])

/** All that can be reached from `root` by property, own or inherited, getters and members of collections included. */
export function walk(root: unknown): string {
  const seen = new Set<unknown>()
  let text = ''
  const visit = (value: unknown): void => {
    if (typeof value === 'string') text += `${value}\n`
    if ((typeof value !== 'object' && typeof value !== 'function') || value === null || seen.has(value))
      return
    seen.add(value)
    if (value instanceof Uint8Array) {
      text += `${value.join(',')}\n`
      return
    }
    if (value instanceof Map || value instanceof Set) for (const member of value) visit(member)
    for (
      let holder: object | null = value;
      holder !== null && !isBuiltIn(holder);
      holder = Object.getPrototypeOf(holder)
    ) {
      for (const key of Reflect.ownKeys(holder)) {
        if (typeof key === 'string' && EXITS.has(key) && holder !== value) continue
        const thrown = attemptVisit(() => visit(Reflect.get(holder, key, value)))
        text += thrown
      }
    }
  }
  const attemptVisit = (run: () => void): string => {
    try {
      run()
      return ''
    } catch (error) {
      return inspect(error, EVERYTHING)
    }
  }
  visit(root)
  return text
}

const BUILT_IN: ReadonlySet<unknown> = new Set(
  Reflect.ownKeys(globalThis)
    .map(
      (key) => Object.getOwnPropertyDescriptor(globalThis, key)?.value as { prototype?: unknown } | undefined,
    )
    .flatMap((value) =>
      typeof value === 'function' ? [value, (value as { prototype?: unknown }).prototype] : [],
    ),
)
const isBuiltIn = (value: unknown) => BUILT_IN.has(value) || value === Function.prototype

/** Name and text of every way to show. Where Node is told to pass over the hooks of objects (`console.dir` always does), getters
 * are not run: whoever asks for both reads `secretKey` himself. */
export const SHOWS: Readonly<Record<string, (value: object) => string>> = {
  'String()': (value) => attempt(() => String(value)),
  'a template': (value) => attempt(() => `${value as unknown as string}`),
  toLocaleString: (value: object) => attempt(() => value.toLocaleString()),
  'JSON.stringify': (value) => attempt(() => JSON.stringify(value)),
  'JSON.stringify of a holder': (value) => attempt(() => JSON.stringify({ value, list: [value] })),
  'JSON.stringify of a spread': (value) => attempt(() => JSON.stringify({ ...value })),
  inspect: (value) => inspect(value, EVERYTHING),
  'inspect without hooks': (value) => inspect(value, { ...EVERYTHING, customInspect: false, getters: false }),
  'inspect of a holder': (value) => inspect(new Map([[value, [value]]]), EVERYTHING),
  'inspect of a cause': (value) => inspect(new Error('outer', { cause: value }), EVERYTHING),
  'inspect of a prototype': (value) => attempt(() => inspect(Object.create(value), EVERYTHING)),
  'format %o %O %j %s %d': (value: object) =>
    attempt(() => format('%o %O %j %s %d', value, value, value, value, value)),
  'console.log': (value) => onConsole((to) => to.log(value, { value })),
  'console.error': (value) => onConsole((to) => to.error('failed', value)),
  'console.dir': (value) => onConsole((to) => to.dir(value, { ...EVERYTHING, getters: false })),
  'console.table': (value) => attempt(() => onConsole((to) => to.table([value, { value }]))),
  structuredClone: (value) => attempt(() => structuredClone(value)),
  postMessage: (value) => attempt(() => posted(value)),
  'v8.serialize': (value) => attempt(() => latin1(serialize(value))),
  'assert.deepEqual': (value) => attempt(() => assert.deepEqual(value, { other: 1 })),
  'assert.deepStrictEqual': (value) => attempt(() => assert.deepStrictEqual([value], [{ other: 1 }])),
  'assert.equal': (value) => attempt(() => assert.strictEqual(value, 1)),
  'Object.entries': (value) => inspect(Object.entries(value), EVERYTHING),
  'a walk over all properties': walk,
}
