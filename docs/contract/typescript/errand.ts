/** What both clients can do, and the messages. */
import type { Outcome, PendingApproval, Request, RequestState } from './contract.js';

export type * from './contract.js';

export interface Errand {
  /** Start a request. The same id again is the same request. Answers with its id. */
  submit(request: Request, requestId?: string): Promise<string>;
  /** Where a request stands, and which calls wait for approval. */
  state(requestId: string): Promise<RequestState>;
  /** Wait for the end of a request, however long it takes. */
  wait(requestId: string): Promise<Outcome>;
  /**
   * Say yes to a call exactly as it waits, or to it with other arguments. Answers with the call where these need a
   * second yes.
   */
  approve(requestId: string, call: PendingApproval, by: string, edited?: object): Promise<PendingApproval | null>;
  /**
   * Answer a question that waits (`awaiting_answer`): the one of this key, or the first; the outcome is `running` then.
   * Where none waits, say more to a request that is kept open, and wait for the answer. The same message id again is
   * the same message.
   */
  say(requestId: string, text: string, by: string, messageId?: string, question?: string): Promise<Outcome>;
}
