// Door of `noisecap/testing`: a network in memory whose connections can be impaired, and a clock that the test moves.
// For tests of those who use noisecap; runs in Node and in browsers.
export type { Clock } from '../clock.js'
export { type Framing, memoryPair, type Pipe, type PipeEvents } from '../transport/index.js'
export { FakeClock } from './fake-clock.js'
export type { Direction, Impairment } from './impairment.js'
export type { CutPoint, TestConnection } from './link.js'
export { TestNetwork, type TestNetworkOptions, type TestServiceOptions } from './network.js'
