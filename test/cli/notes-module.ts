// What a user hands to `noisecap serve`.
import { iface, method, type Service } from '../../src/index.js'

const Notes = iface('Notes', {
  add: method<{ text: string }, number>(),
  list: method<void, string[]>(),
  echo: method<unknown, unknown>(),
  whoami: method<void, Uint8Array | null>(),
  forget: method<void, void>(),
  crash: method<void, never>(),
})

export default function offerNotes(service: Service): void {
  const texts: string[] = []
  service.offer('notes/:owner', Notes, ({ client }) => ({
    add: ({ text }: { text: string }) => texts.push(text),
    list: () => texts,
    echo: (value: unknown) => value,
    whoami: () => client ?? null,
    forget: () => undefined,
    crash: () => {
      throw new Error('inside of the service')
    },
  }))
}
