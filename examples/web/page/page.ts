// The page: holds the capability of its link and shows what it allows. Whoever has a reader's link gets a page without a way
// to write: the object that it holds has no method for it.
import { type Capability, connect, type ObservedStore, observe } from 'noisecap'
import { BrowserStore, linkTo, takeCapability } from 'noisecap/browser'
import { type Note, Notebook, Reader } from '../notebook.js'
import { codeFor } from './code.js'
import { AWAY, mayPass, NO_LINK, wordsFor } from './words.js'

type Owner = Awaited<ReturnType<typeof openAsOwner>>

const RETRY_MS = 1_500
const STATUS_WORDS = { connecting: 'Connecting …', live: 'Live', away: 'Away', over: 'Closed' } as const

const part = <Element extends HTMLElement>(id: string): Element => document.getElementById(id) as Element

function openAsOwner(capability: Capability) {
  return connect(capability, Notebook)
}

/** The link's capability; kept for reloads of this tab, where the browser lets us. */
async function ownCapability(): Promise<Capability | undefined> {
  const given = takeCapability()
  sessionStorage['notebook'] ??= crypto.randomUUID()
  const name = String(sessionStorage['notebook'])
  try {
    using store = await BrowserStore.open('notebook')
    if (given !== undefined) await store.keep(name, given)
    return given ?? (await store.capability(name))
  } catch {
    return given
  }
}

async function start(): Promise<void> {
  const capability = await ownCapability().catch((error: unknown) => stand('over', wordsFor(error)))
  if (capability === undefined)
    return document.body.dataset['status'] === 'over' ? undefined : standWithoutLink()
  for (;;) {
    try {
      return await open(capability)
    } catch (error) {
      if (!mayPass(error)) return stand('over', wordsFor(error))
      stand('away', AWAY)
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
    }
  }
}

async function open(capability: Capability): Promise<void> {
  if (capability.label === 'reader') {
    const reader = await connect(capability, Reader)
    show(observe(reader, (signal) => reader.watch(undefined, { signal })))
    return
  }
  const notebook = await openAsOwner(capability)
  show(
    observe(notebook, (signal) => notebook.watch(undefined, { signal })),
    notebook,
  )
  allowWriting(notebook)
}

/** Draw what the store tells. */
function show(store: ObservedStore<Note[]>, owner?: Owner): void {
  const role = owner === undefined ? ', read only' : ''
  addEventListener('online', store.retry)
  store.subscribe(({ status, value, error }) => {
    if (value !== undefined) draw(value, owner)
    stand(status, status === 'live' || status === 'connecting' ? '' : wordsFor(error), role)
  })
}

function standWithoutLink(): void {
  stand('over', NO_LINK)
  part('status').textContent = 'No link'
}

function stand(status: keyof typeof STATUS_WORDS, problem: string, role = ''): void {
  document.body.dataset['status'] = status
  part('status').textContent = STATUS_WORDS[status] + (status === 'live' ? role : '')
  part('problem').textContent = problem
  part('problem').hidden = problem === ''
  const off = status !== 'live'
  // A link can be copied without the service.
  const needing = document.querySelectorAll<HTMLButtonElement | HTMLInputElement>('button:not(.copy), #text')
  for (const control of needing) control.disabled = off
}

function draw(notes: readonly Note[], owner: Owner | undefined): void {
  part('empty').hidden = notes.length > 0
  part('notes').replaceChildren(
    ...notes.map(({ id, text }) => {
      const item = document.createElement('li')
      const words = document.createElement('span')
      words.textContent = text
      item.append(words)
      if (owner !== undefined) {
        const remove = button('Remove', () => owner.remove(id), 'quiet')
        remove.setAttribute('aria-label', `Remove: ${text}`)
        item.append(remove)
      }
      return item
    }),
  )
}

function allowWriting(notebook: Owner): void {
  part('write').hidden = false
  part('sharing').hidden = false
  const text = part<HTMLInputElement>('text')
  part<HTMLFormElement>('add').addEventListener('submit', (event) => {
    event.preventDefault()
    const words = text.value
    if (words.trim() === '') return
    text.value = ''
    notebook.add(words).catch(() => {
      text.value = words // the status says why
    })
  })
  part('share').addEventListener('click', () => void share(notebook))
}

async function share(notebook: Owner): Promise<void> {
  const capability = await notebook.share()
  const link = linkTo(capability, location.href)
  const item = document.createElement('li')
  const about = document.createElement('div')
  about.className = 'about'
  const words = document.createElement('p')
  words.textContent = 'Reads for one hour. Scan the code, or send the link; who has it can read.'
  const row = document.createElement('div')
  row.className = 'row buttons'
  const copied = async () => {
    const words = await navigator.clipboard.writeText(link).then(
      () => 'Copied',
      () => 'The browser refused; scan the code',
    )
    copy.textContent = words
  }
  const copy = button('Copy the link', copied, 'copy')
  const revoke = button(
    'Revoke',
    async () => {
      await notebook.revoke(capability)
      item.remove()
      part('share').focus()
    },
    'quiet',
  )
  row.append(copy, revoke)
  about.append(words, row)
  item.append(codeFor(link), about)
  item.dataset['link'] = link
  part('links').prepend(item)
  copy.focus()
}

function button(words: string, act: () => PromiseLike<unknown>, kind = ''): HTMLButtonElement {
  const made = document.createElement('button')
  made.type = 'button'
  made.className = kind
  made.textContent = words
  made.addEventListener('click', () => {
    act().then(undefined, () => undefined) // a lost connection is told by the status
  })
  return made
}

void start()
