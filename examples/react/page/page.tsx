// The page: votes of everybody, as they come, while they are shown.
import { type Capability, connect } from 'noisecap'
import { takeCapability } from 'noisecap/browser'
import { StrictMode, useState } from 'react'
import { createRoot, type Root } from 'react-dom/client'
import { Poll } from '../poll.js'
import { useObserved, useReference } from './hooks.js'

type OpenPoll = Awaited<ReturnType<typeof openPoll>>

const STATUS_WORDS = {
  connecting: 'Connecting …',
  live: 'Live',
  away: 'Away; it is tried again',
  over: 'Closed',
} as const

function openPoll(capability: Capability, signal: AbortSignal) {
  return connect(capability, Poll, { signal })
}

function App({ capability }: { readonly capability: Capability }) {
  const { reference: poll, error } = useReference((signal) => openPoll(capability, signal))
  const [shown, setShown] = useState(true)
  if (error !== undefined) return <p role="alert">The poll cannot be opened: {messageOf(error)}</p>
  if (poll === undefined) return <p role="status">Connecting …</p>
  return (
    <>
      {shown ? <Results poll={poll} /> : <p role="status">Not followed</p>}
      <button type="button" className="quiet" onClick={() => setShown(!shown)}>
        {shown ? 'Hide the results' : 'Show the results'}
      </button>
    </>
  )
}

function Results({ poll }: { readonly poll: OpenPoll }) {
  const {
    status,
    value: choices = [],
    error,
  } = useObserved(poll, (signal) => poll.watch(undefined, { signal }))
  const [refusal, setRefusal] = useState('')
  const most = Math.max(1, ...choices.map(({ votes }) => votes))
  const vote = (name: string) =>
    poll.vote(name).then(
      () => setRefusal(''),
      (reason: unknown) => setRefusal(messageOf(reason)),
    )
  return (
    <>
      <p role="status">{STATUS_WORDS[status]}</p>
      <ul>
        {choices.map(({ name, votes }) => (
          <li key={name}>
            <span className="name">{name}</span>
            <progress max={most} value={votes} aria-label={`Votes for ${name}`} />
            <span className="votes">{votes}</span>
            <button type="button" disabled={status !== 'live'} onClick={() => vote(name)}>
              Vote<span className="unseen"> for {name}</span>
            </button>
          </li>
        ))}
      </ul>
      {status === 'over' && <p role="alert">{messageOf(error)}</p>}
      {refusal !== '' && <p role="alert">{refusal}</p>}
    </>
  )
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'the poll has ended'
}

/** Draw the page. */
function start(): Root {
  const root = createRoot(document.getElementById('root') as HTMLElement) // stands in index.html
  const words = { none: 'This page needs a link.', malformed: 'This link is incomplete.' }
  let content = <p role="alert">{words.none}</p>
  try {
    const capability = takeCapability()
    if (capability !== undefined) content = <App capability={capability} />
  } catch {
    content = <p role="alert">{words.malformed}</p>
  }
  root.render(<StrictMode>{content}</StrictMode>)
  return root
}

/** For the tests, which take the page down. */
Object.assign(globalThis, { root: start() })
