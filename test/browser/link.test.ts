// Capabilities in addresses: what goes in comes out, and nothing of it stays behind.
import { describe, expect, test } from 'vitest'
import { linkTo, takeCapability } from '../../src/browser/index.js'
import { type Capability, iface, method, NoisecapError, Service } from '../../src/index.js'

const Bell = iface('Bell', { ring: method<void, void>() })
const at = ['ws://127.0.0.1:7000/live?x=1&y=%20']
const capability = Service.create()
  .offer('bell', Bell, () => ({ ring: () => undefined }))
  .mint({}, { at, label: 'the bell' })

/** A page as far as it is used, at an address. */
function pageAt(href: string) {
  const page = {
    location: { href },
    history: {
      state: { kept: true } as unknown,
      replaceState(state: unknown, _: string, url: string) {
        page.history.state = state
        page.location.href = url
      },
    },
  }
  return page
}

describe('linkTo and takeCapability', () => {
  test.each([
    ['https://app.example/', 'https://app.example/'],
    ['https://app.example/a?b=c', 'https://app.example/a?b=c'],
    ['https://app.example/#old', 'https://app.example/'],
  ])('a link to %s, the same capability, nothing of it left', (address, left) => {
    const page = pageAt(linkTo(capability, address))
    const taken = takeCapability(page)
    expect(taken?.export()).toBe((capability as Capability<unknown>).export())
    expect(taken?.locations).toEqual(at)
    expect(page.location.href).toBe(left)
    expect(page.history.state).toEqual({ kept: true })
    expect(takeCapability(page)).toBeUndefined()
  })

  test('other parameters of the fragment stay', () => {
    const link = linkTo(capability, 'https://app.example/')
    const page = pageAt(`${link.replace('#', '#tab=2&')}&theme=dark`)
    expect(takeCapability(page)?.keyHash).toBe(capability.keyHash)
    expect(page.location.href).toBe('https://app.example/#tab=2&theme=dark')
  })

  test.each([
    'https://app.example/',
    'https://app.example/#',
    'https://app.example/#tab=2',
    'https://app.example/?noisecap=x',
  ])('%s, none, and the address as it was', (href) => {
    const page = pageAt(href)
    expect(takeCapability(page)).toBeUndefined()
    expect(page.location.href).toBe(href)
  })

  test.each(['', '%', 'noisecap://x', 'a%23b'])(
    '%j as a capability, capability/malformed, and taken out',
    (text) => {
      const page = pageAt(`https://app.example/#noisecap=${text}`)
      const act = (): unknown => takeCapability(page)
      expect(act).toThrow(NoisecapError)
      expect(page.location.href).toBe('https://app.example/')
    },
  )
})
