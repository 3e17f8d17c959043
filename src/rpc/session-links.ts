// What stands behind the links of values in one session (spec/rpc.md §5): writes references, answers, streams and capabilities
// of this side, and builds those of the other. One value at a time: begin, write or read, then take note or roll back.
// Leaves out the bytes (value-links.ts) and the tables that it fills (exports.ts, imports.ts, streams.ts).
import { Capability } from '../capability/index.js'
import { PIPELINED_BYTES_MAX } from '../limits.js'
import { ExportedCaller } from './exported-caller.js'
import type { Authority, Exports } from './exports.js'
import type { Imports } from './imports.js'
import type { ItemWriter } from './item-writer.js'
import { LocalCaller, type LocalTarget, targetBehind } from './local-target.js'
import type { Description } from './method-definition.js'
import type { OutgoingStream } from './outgoing-stream.js'
import { Question, questionOf } from './question.js'
import { AnswerCaller } from './reference-promise.js'
import { type ReferenceOwner, RemoteReference } from './remote-reference.js'
import type { StreamSource } from './shapes.js'
import { type ByteSource, isStreamSource } from './stream-source.js'
import { type Caller, callerOf, createStub, createUntypedStub, isReference, isReleased } from './stub.js'
import {
  type LinkReader,
  type LinkWriter,
  type PathKey,
  type Substitute,
  writeAnswer,
  writeCapability,
  writeReference,
  writeStream,
} from './value-links.js'
import { BudgetExceeded, NotYet, Refusal } from './value-refusal.js'

/** Answers of calls that this side serves, for values that refer to them. */
export interface KnownAnswers {
  /** What stands at `path` of an answer that is there: a stub of its own, or a copy of at most `maxBytes`.
   * @returns undefined when there is nothing that can be passed on. */
  take(call: number, path: readonly PathKey[], maxBytes: number): TakenAnswer | undefined
}

/** An answer, or a member of it, for a handler. */
export interface TakenAnswer {
  readonly value: unknown
  /** Length of the copy on the wire, bytes; 0 of a stub. */
  readonly copiedBytes: number
}

/** The streams of a session, as far as values need them. */
export interface StreamTable {
  /** Whether this side may announce streams: not the caller on a pipe that carries one batch each way, where no credit comes. */
  readonly mayFeed: boolean
  /** @returns undefined when there are too many. */
  add(source: StreamSource<unknown> | ByteSource, authority: Authority): OutgoingStream | undefined
  withdraw(id: number): void
  begin(id: number): void
  feed(id: number): OutgoingStream | undefined
  breakFeeds(authority: Authority, why: string): void
  /** @returns undefined when there are too many, or it is there already. */
  receive(id: number, isBytes: boolean): object | undefined
}

/** Why a value that was read cannot be used. */
export type LinkProblem = 'no_reference' | 'no_answer' | 'capability' | 'exports' | 'streams'

/** Links of one session. */
export class SessionLinks implements LinkWriter, LinkReader {
  readonly imports: Imports
  readonly exports: Exports
  readonly streams: StreamTable
  readonly #owner: ReferenceOwner
  /** Set once by the half that serves. */
  answers: KnownAnswers | undefined

  // Of the value in hand.
  #authority!: Authority
  #settled: ReadonlyMap<PromiseLike<unknown>, unknown> | undefined
  #exported: number[] | undefined
  #sentStreams: number[] | undefined
  #arrivalAuthority: Authority | undefined
  #expected: Description | undefined
  #copyableBytes = 0
  /** Stubs that the value in hand gave away, to be let go once it has left as a result. */
  given: object[] | undefined
  /** Calls on whose answers the value in hand is built. */
  relied: Question[] | undefined
  /** Stubs that the value in hand brought. */
  arrived: object[] | undefined
  problem: LinkProblem | undefined
  /** Whether the value in hand holds references. */
  hasReferences = false

  constructor(owner: ReferenceOwner, imports: Imports, exports: Exports, streams: StreamTable) {
    this.#owner = owner
    this.imports = imports
    this.exports = exports
    this.streams = streams
  }

  /** Before a value is written.
   * @param authority - under which its references are exported.
   * @param settled - values of promises that it holds. */
  beginWrite(authority: Authority, settled?: ReadonlyMap<PromiseLike<unknown>, unknown>): this {
    this.#authority = authority
    this.#settled = settled
    this.#exported = undefined
    this.#sentStreams = undefined
    this.given = undefined
    this.relied = undefined
    this.hasReferences = false
    return this
  }

  /** The value that was begun last does not leave. */
  rollBack(): void {
    for (const id of this.#exported ?? []) this.exports.release(id, 1)
    for (const id of this.#sentStreams ?? []) this.streams.withdraw(id)
    this.#exported = undefined
    this.#sentStreams = undefined
  }

  /** Streams of the value that was begun last begin to flow.
   * @returns their ids. */
  sendStreams(): readonly number[] | undefined {
    // A source may call at once, which writes another value.
    const ids = this.#sentStreams
    if (ids !== undefined) for (const id of ids) this.streams.begin(id)
    return ids
  }

  write(value: object, to: ItemWriter): boolean | Substitute {
    if (isReference(value)) return this.#writeStub(value, to)
    if (value instanceof Promise) return this.#writePromise(value, to)
    if (value instanceof Capability) {
      writeCapability(to, value.export())
      return true
    }
    if (!isStreamSource(value)) return false
    if (!this.streams.mayFeed)
      throw new Refusal(
        'a stream, which a request of HTTP cannot carry',
        'Send a list, or use a location of ws: or tcp:',
      )
    const feed = this.streams.add(value, this.#authority)
    if (feed === undefined)
      throw new BudgetExceeded('streams', 'Read streams to their end, or leave them with return()')
    this.#sentStreams ??= []
    this.#sentStreams.push(feed.id)
    writeStream(to, feed.id, feed.isBytes)
    return true
  }

  #writeStub(stub: object, to: ItemWriter): boolean | Substitute {
    if (isReleased(stub))
      throw new Refusal('a reference that was released', 'keep(reference) makes one that lasts')
    const own = callerOf(stub)
    const caller = own.current?.() ?? own
    if (caller instanceof AnswerCaller) {
      const source = caller.source.behind ?? caller.source
      if (source instanceof Question) return this.#writeAnswer(source, caller.path, to)
    }
    this.hasReferences = true
    this.given ??= []
    this.given.push(stub)
    if (caller instanceof RemoteReference && caller.isOf(this.#owner)) {
      writeReference(to, 'yours', caller.exportId)
      return true
    }
    writeReference(to, isHostedHere(caller) ? 'mine' : 'passedOn', this.#export(caller))
    return true
  }

  #export(caller: Caller): number {
    const again = caller instanceof ExportedCaller ? caller.exportAgain(this.exports) : undefined
    const id = again ?? this.#share(targetBehind(caller))
    this.#exported ??= []
    this.#exported.push(id)
    return id
  }

  #share(target: LocalTarget): number {
    const id = this.exports.share(this.#authority, target, () => this.#authority.derive(target))
    if (id !== undefined) return id
    throw new BudgetExceeded(
      'references',
      'Dispose references that are no longer needed, or raise maxExports',
    )
  }

  #writePromise(promise: Promise<unknown>, to: ItemWriter): boolean | Substitute {
    if (this.#settled?.has(promise) === true) return { instead: this.#settled.get(promise) }
    const question = questionOf(promise)
    if (question === undefined) throw new NotYet(promise)
    return this.#writeAnswer(question, [], to)
  }

  #writeAnswer(question: Question, path: readonly PathKey[], to: ItemWriter): boolean | Substitute {
    const call = (question.owner as object) === this.#owner ? question.rely() : undefined
    if (call !== undefined) {
      writeAnswer(to, call, path)
      this.relied ??= []
      this.relied.push(question)
      return true
    }
    const promise = question.at(path)
    if (this.#settled?.has(promise) !== true) throw new NotYet(promise)
    return { instead: this.#settled.get(promise) }
  }

  /** Before a value is read.
   * @param authority - under which this side serves what comes along with its references.
   * @param expected - interface of the references in it, where all have the same. */
  beginRead(authority: Authority | undefined, expected: Description | undefined): this {
    this.#arrivalAuthority = authority
    this.#expected = expected
    this.#copyableBytes = PIPELINED_BYTES_MAX
    this.arrived = undefined
    this.problem = undefined
    this.hasReferences = false
    return this
  }

  mine(id: number, isProxied: boolean): unknown {
    this.hasReferences = true
    const reference = this.imports.arrive(id, this.#arrivalAuthority, isProxied)
    if (reference === undefined) return this.#fail('exports')
    return this.#arrive(reference, this.#expected)
  }

  yours(id: number): unknown {
    this.hasReferences = true
    const exported = this.exports.find(id)
    if (exported === undefined) return this.#fail('no_reference')
    const target = this.exports.targetOf(id)
    if (target?.forward !== undefined) {
      target.forward.retain()
      return this.#arrive(target.forward, this.#expected)
    }
    return this.#arrive(new ExportedCaller(exported, id, target), target?.description ?? this.#expected)
  }

  #arrive(caller: Caller, description: Description | undefined): object {
    const stub =
      description === undefined ? createUntypedStub(caller) : createStub<object>(description, caller)
    this.arrived ??= []
    this.arrived.push(stub)
    return stub
  }

  answer(call: number, path: readonly PathKey[]): unknown {
    // One message can name the same large answer thousands of times: nothing is copied for a value that is refused anyway.
    if (this.problem !== undefined) return undefined
    const found = this.answers?.take(call, path, this.#copyableBytes)
    if (found === undefined) return this.#fail('no_answer')
    this.#copyableBytes -= found.copiedBytes
    if (isReference(found.value)) {
      this.arrived ??= []
      this.arrived.push(found.value)
    }
    return found.value
  }

  stream(id: number, isBytes: boolean): unknown {
    const received = this.streams.receive(id, isBytes)
    if (received === undefined) return this.#fail('streams')
    this.arrived ??= []
    this.arrived.push(received)
    return received
  }

  capability(text: string): unknown {
    try {
      return Capability.parse(text)
    } catch {
      return this.#fail('capability')
    }
  }

  #fail(problem: LinkProblem): undefined {
    this.problem ??= problem
    return undefined
  }
}

/** Whether calls end in this process, and not at the host of another session. */
function isHostedHere(caller: Caller): boolean {
  return caller instanceof LocalCaller || caller instanceof ExportedCaller
}
