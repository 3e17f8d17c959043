// The verifier in this process: recomputes a capability from its locator, checks the proof, then judges time, pattern,
// use and revocation; for hellos and for capabilities shown inside a session (spec/session.md §5). A verifier elsewhere answers the same HelloQuestion.
// Leaves out what is judged after the client's first transport message: holder, claims, object (src/service.ts).
import {
  type Authority,
  judge,
  type PatternName,
  type ProofPurpose,
  type RevocationSet,
  type Verified,
  verify,
} from '../capability/index.js'
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
  const proven = verifyProof(question, 'hello', knowledge)
  if (proven === undefined) return undefined
  const { verified, status } = proven
  return { answer: { psk: verified.keys.psk(question.protocol), status, limits: knowledge.limits }, verified }
}

/** What a verifier is asked about a capability that is shown inside a session. */
export type PresentationQuestion = Pick<HelloQuestion, 'locator' | 'proof' | 'proven' | 'pattern'>

/** Verify one presentation; holder, claims and object are judged by the session.
 * @returns undefined unless the proof is genuine. */
export function verifyPresentation(
  question: PresentationQuestion,
  knowledge: VerifierKnowledge,
): { readonly verified: Verified; readonly status: Status } | undefined {
  return verifyProof(question, 'present', knowledge)
}

function verifyProof(
  question: PresentationQuestion,
  purpose: ProofPurpose,
  knowledge: VerifierKnowledge,
): { readonly verified: Verified; readonly status: Status } | undefined {
  const verified = verify(question.locator, knowledge.authority)
  if (!verified.ok) return undefined
  if (!verified.keys.checkProof(question.proof, purpose, ...question.proven)) {
    verified[Symbol.dispose]()
    return undefined
  }
  return { verified, status: statusOf(question.pattern, verified, knowledge) }
}

/** A session is for every use but sealing; which of them an object is offered for is judged with the object.
 * Revocation is asked first and without early exit, so that timing does not tell which link was revoked. */
function statusOf(pattern: PatternName, verified: Verified, knowledge: VerifierKnowledge): Status {
  const revoked = knowledge.revocations.revokesAny(verified.ids)
  const use = verified.grant.use === 'seal' ? 'call' : verified.grant.use
  const judgement = judge(verified, { now: knowledge.nowSeconds, pattern, use })
  if (revoked) return 'revoked'
  return judgement
}
