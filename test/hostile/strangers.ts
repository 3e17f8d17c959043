// Child process: strangers by the thousand against one location, for flood tests and bench/flood.ts. Told what to do by messages.
// `stall` opens sockets, sends each some bytes and keeps it; `flood` opens, sends and hangs up, again and again; `report` tells.
import { connect, type Socket, type TcpNetConnectOpts } from 'node:net'

/** What the parent asks for; bytes as base64. */
export type StrangerOrder =
  | {
      readonly do: 'stall'
      readonly port: number
      readonly count: number
      readonly bytes: string
      /** Open another for each one that the service closes, until told to drop them. */
      readonly refill?: boolean
    }
  | {
      readonly do: 'flood'
      readonly port: number
      /** Stop after so many sockets, or after `ms`. */
      readonly count: number
      readonly ms: number
      readonly bytes: string
    }
  | { readonly do: 'report' }
  | { readonly do: 'drop' }

/** What the parent is told. */
export interface StrangerReport {
  /** Sockets that were connected and have sent their bytes. */
  readonly sent: number
  /** Of the stalled ones: still open. */
  readonly open: number
  /** Bytes that a service answered, all sockets together. */
  readonly received: number
  /** Dials that failed. */
  readonly failed: number
}

const DIALLING_AT_ONCE = 256
const FLOODING_AT_ONCE = 64

const stalled = new Set<Socket>()
let sent = 0
let received = 0
let failed = 0
let refilling = false

/** Connect and send. */
function dial(port: number, bytes: Buffer): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const target: TcpNetConnectOpts = { port, host: '127.0.0.1' }
    const socket = connect(target)
    socket.on('data', (answer) => {
      received += answer.length
    })
    socket.once('error', () => {
      if (socket.bytesWritten === 0) failed += 1
      resolve(undefined)
    })
    socket.once('connect', () => {
      if (bytes.length === 0) {
        sent += 1
        resolve(socket)
        return
      }
      socket.write(bytes, (error) => {
        if (error == null) sent += 1
        resolve(socket)
      })
    })
  })
}

async function many(atOnce: number, work: () => Promise<boolean>): Promise<void> {
  const worker = async (): Promise<void> => {
    while (await work());
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
}

async function stall(port: number, count: number, bytes: Buffer, refill = false): Promise<void> {
  let left = count
  refilling = refill
  await many(Math.min(count, DIALLING_AT_ONCE), async () => {
    if (left === 0) return false
    left -= 1
    const socket = await dial(port, bytes)
    if (socket === undefined || socket.destroyed) return true
    stalled.add(socket)
    socket.once('close', () => {
      stalled.delete(socket)
      if (refilling) void stall(port, 1, bytes, true)
    })
    return true
  })
}

async function flood(port: number, count: number, ms: number, bytes: Buffer): Promise<void> {
  const deadline = performance.now() + ms
  let left = count
  await many(FLOODING_AT_ONCE, async () => {
    if (left === 0 || performance.now() > deadline) return false
    left -= 1
    const socket = await dial(port, bytes)
    if (socket === undefined) return true
    // In order, so that the bytes arrive before the end does. The service may keep its side until the deadline: no flood waits.
    await new Promise<void>((resolve) => {
      socket.once('close', resolve)
      socket.end(resolve)
    })
    socket.destroy()
    return true
  })
}

process.on('message', (order: StrangerOrder) => {
  const report = (): void => {
    const answer: StrangerReport = { sent, open: stalled.size, received, failed }
    process.send?.(answer)
  }
  switch (order.do) {
    case 'stall':
      stall(order.port, order.count, Buffer.from(order.bytes, 'base64'), order.refill).then(report, report)
      return
    case 'flood':
      flood(order.port, order.count, order.ms, Buffer.from(order.bytes, 'base64')).then(report, report)
      return
    case 'report':
      report()
      return
    case 'drop':
      refilling = false
      for (const socket of stalled) socket.destroy()
      report()
      sent = received = failed = 0
  }
})
process.on('disconnect', () => process.exit(0))
process.send?.('ready')
