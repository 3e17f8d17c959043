// Node-only door of the session layer: the contact file.
export { ContactFile, type ContactFileOptions } from './contact-file.js'
