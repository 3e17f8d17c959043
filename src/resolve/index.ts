// Door of the resolve layer; free of Node. The file registry has a door of its own (`noisecap/resolve/file`).

export {
  canonicalLocation,
  formatLocation,
  isLocation,
  type ParsedLocation,
  parseLocation,
} from '../location.js'
export { LocationCache, type LocationCacheOptions } from './cache.js'
export { orderLocations } from './order.js'
export { isPublicAddress, publicLocations, type Reach, reachOf, reachOfHost } from './reach.js'
export {
  type AnnouncedLocation,
  judgeRecord,
  type LocationRecord,
  openRecord,
  RECORD_SALT_BYTES,
  sealRecord,
} from './record.js'
export {
  type Announcement,
  type Announcer,
  type Answer,
  type Asked,
  answers,
  hintResolver,
  type Location,
  type ResolveContext,
  type Resolver,
  resolveFirst,
} from './resolver.js'
