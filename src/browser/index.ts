// Door of `noisecap/browser`: capabilities in the addresses of pages, and keys that outlive a page.
export { linkTo, takeCapability } from './link.js'
export { BrowserStore } from './store.js'
