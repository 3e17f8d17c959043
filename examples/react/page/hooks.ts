// noisecap in React: a reference that lasts as long as a component, and what a stream of it tells. StrictMode mounts each
// component twice; what the first time opened is let go. Leaves out drawing.
import { type Observed, observe } from 'noisecap'
import { useEffect, useMemo, useState, useSyncExternalStore } from 'react'

/** A reference, once there is one. */
export interface Opened<Reference> {
  readonly reference: Reference | undefined
  /** Why there is none. */
  readonly error: unknown
}

/** A reference that is opened when the component is there, and disposed when it goes.
 * @param open - that of the first time counts: `(signal) => connect(capability, Poll, { signal })`. */
export function useReference<Reference extends Disposable>(
  open: (signal: AbortSignal) => Promise<Reference>,
): Opened<Reference> {
  const [first] = useState(() => open)
  const [opened, setOpened] = useState<Opened<Reference>>({ reference: undefined, error: undefined })
  useEffect(() => {
    const leaving = new AbortController()
    const opening = first(leaving.signal)
    opening.then(
      (reference) => {
        if (leaving.signal.aborted) return reference[Symbol.dispose]()
        setOpened({ reference, error: undefined })
      },
      (error: unknown) => {
        if (!leaving.signal.aborted) setOpened({ reference: undefined, error })
      },
    )
    return () => {
      leaving.abort()
      opening.then(
        (reference) => reference[Symbol.dispose](), // twice does no harm
        () => {}, // there is nothing to let go
      )
    }
  }, [first])
  return opened
}

/** What a stream tells, while the component is there.
 * @param follow - that of the first time for each reference counts: `(signal) => poll.watch(undefined, { signal })`. */
export function useObserved<Item>(
  reference: object,
  follow: (signal: AbortSignal) => AsyncIterable<Item>,
): Observed<Item> {
  // `follow` is another function each time, and opens the same stream.
  const store = useMemo(() => observe(reference, follow), [reference])
  return useSyncExternalStore(store.subscribe, store.get)
}
