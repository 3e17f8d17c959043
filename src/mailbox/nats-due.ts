// What is due in boxes in NATS, as subjects of the stream: hour, time and box, so that a sweep finds it without reading boxes. There
// is one for each box that is not later than the first expiry there; more do no harm. Leaves out what a sweep removes (box-sweep.ts).
import { hexDecode, hexEncode } from '../bytes.js'
import type { NatsStream, Subjects } from './nats-stream.js'

const HOUR_MS = 3_600_000
/** Hour of boxes that have ended, and may have left something. */
const ENDED = { hour: 0, ms: 0 }

/** One of them. */
export interface Due {
  readonly subject: string
  readonly ms: number
  readonly box: Uint8Array
}

export function dueSubject(subjects: Subjects, ms: number, box: Uint8Array): string {
  return subjects.due(Math.floor(ms / HOUR_MS), ms, hexEncode(box))
}

export function endedSubject(subjects: Subjects, box: Uint8Array): string {
  return subjects.due(ENDED.hour, ENDED.ms, hexEncode(box))
}

/** Lists what is due. */
export class DueList {
  readonly #stream: NatsStream
  /** The hour for which everything was listed once; later only what is in it. */
  #listedHour: number | undefined

  constructor(stream: NatsStream) {
    this.#stream = stream
  }

  /** What is due, the oldest first. */
  async until(nowMs: number): Promise<readonly Due[]> {
    const hour = Math.floor(nowMs / HOUR_MS)
    const { subjects } = this.#stream
    const hours = this.#listedHour === hour ? ([hour, ENDED.hour] as const) : (['*'] as const)
    const found: Due[] = []
    for (const listed of hours) {
      for (const subject of await this.#stream.list(subjects.due(listed, '*', '*'))) {
        const due = parse(subject)
        if (due.ms <= nowMs) found.push(due)
      }
    }
    return found.sort((a, b) => a.ms - b.ms)
  }

  /** All that was due at `nowMs` was swept. */
  swept(nowMs: number): void {
    this.#listedHour = Math.floor(nowMs / HOUR_MS)
  }
}

function parse(subject: string): Due {
  const [ms = '', box = ''] = subject.split('.').slice(-2)
  return { subject, ms: Number(ms), box: hexDecode(box) }
}
