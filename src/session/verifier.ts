// The verifier in this process: recomputes a capability from its locator, checks the proof, then judges time, pattern,
// use and revocation (spec/session.md §5). A verifier elsewhere answers the same HelloQuestion.
// Leaves out what is judged after the client's first transport message: holder, claims, object (src/service.ts).
import { equalConstantTime } from '../bytes.js'
import { type Authority, judge, type RevocationSet, type Verified, verify } from '../capability/index.js'
import type { SessionLimits } from './parameters.js'
import type { HelloAnswer, HelloQuestion, ServiceIdentity } from './server-handshake.js'
import type { Status } from './wire.js'

/** A proven hello: what to answer, and the capability that was proven. */
export interface Verdict {
  readonly answer: HelloAnswer
  readonly verified: Verified
}

/** Decides about a hello, now or later; undefined means silence. */
export type Verifier<Identity extends ServiceIdentity = ServiceIdentity> = (
  question: HelloQuestion<Identity>,
) => Verdict | undefined | Promise<Verdict | undefined>

/** What the local verifier knows of one service. */
export interface VerifierKnowledge {
  readonly authority: Authority
  readonly revocations: RevocationSet
  readonly limits: SessionLimits
  readonly nowSeconds: number
}

/** Verify one hello.
 * @returns undefined unless the proof is genuine; only a genuine holder is told a status. */
export function verifyHello(question: HelloQuestion, knowledge: VerifierKnowledge): Verdict | undefined {
  const verified = verify(question.locator, knowledge.authority)
  if (!verified.ok) return undefined
  const proof = verified.keys.prove('hello', ...question.proven)
  if (!equalConstantTime(proof, question.proof)) {
    verified[Symbol.dispose]()
    return undefined
  }
  const psk = verified.keys.psk(question.protocol)
  return {
    answer: { psk, status: statusOf(question, verified, knowledge), limits: knowledge.limits },
    verified,
  }
}

/** Revocation is asked first and without early exit, so that timing does not tell which link was revoked. */
function statusOf(question: HelloQuestion, verified: Verified, knowledge: VerifierKnowledge): Status {
  const revoked = knowledge.revocations.revokesAny(verified.ids)
  const judgement = judge(verified, { now: knowledge.nowSeconds, pattern: question.pattern, use: 'call' })
  if (revoked) return 'revoked'
  return judgement
}
