// Made from ../contract.json by types.mjs. Times are texts in RFC 3339.

export type JsonValue = unknown;
export type ReceiptStatus =
  'done' | 'failed' | 'invalid' | 'rejected' | 'refused' | 'cancelled' | 'unknown' | 'planned';
export type RequestStatus = 'running' | 'completed' | 'failed' | 'cancelled' | 'limit_reached';

/**
 * The plan that a request applies. It runs under the id `<request_id>.apply`, so a plan is applied once.
 */
export interface Apply {
  /**
   * of the rehearsal
   */
  request_id: string;
  /**
   * of its plan, as it was shown
   */
  digest: string;
}
/**
 * A call of a tool, to be made as it is.
 */
export interface GivenCall {
  tool: string;
  arguments?: {
    [k: string]: JsonValue;
  };
}
/**
 * Where a request stops although the model would go on.
 *
 * Turns, calls and seconds count anew for each message of a request that is kept open; tokens and cost do not.
 */
export interface Limits {
  /**
   * model calls that may ask for tools
   */
  turns?: number;
  /**
   * tool calls in all
   */
  calls?: number;
  /**
   * from the start to the end, waiting included
   */
  seconds?: number;
  /**
   * how long a person is waited for: an approval, an answer
   */
  approval_seconds?: number;
  /**
   * how long a request that is kept open waits for a message
   */
  idle_seconds?: number;
  /**
   * tokens that the model reads, in all
   */
  input_tokens?: number | null;
  /**
   * tokens that the model writes, in all
   */
  output_tokens?: number | null;
  /**
   * by the worker's price table
   */
  cost?: number | null;
}
/**
 * What a person or a system asks for. The workflow id it is started under is its `request_id`.
 */
export interface Request {
  /**
   * stay for more after the first answer: Update `say`, until Update `close` or `idle_seconds`
   */
  keep_open?: boolean;
  /**
   * instead of a text to be understood: no model is asked, and `output` is the call's result
   */
  call?: GivenCall | null;
  /**
   * instead of a text: the plan whose writes are made
   */
  apply?: Apply | null;
  /**
   * reads run, writes do not: the outcome is the plan of what would be written
   */
  rehearse?: boolean;
  /**
   * what should happen, in plain words
   */
  text?: string;
  /**
   * who asks; policies and the UI show it
   */
  requester?: string;
  /**
   * tools approved in advance; `*` is every tool
   */
  approve?: string[];
  /**
   * names of callback endpoints that are told of its end, of calls that wait for a yes, of questions that wait for an answer and of actions whose end is unknown
   *
   * @maxItems 5
   */
  notify?:
    | []
    | [string]
    | [string, string]
    | [string, string, string]
    | [string, string, string, string]
    | [string, string, string, string, string];
  limits?: Limits;
  /**
   * JSON Schema of the outcome's `output`
   */
  output_schema?: {
    [k: string]: JsonValue;
  } | null;
}
/**
 * What a rehearsed request would do. Nothing of it has been done.
 */
export interface Plan {
  /**
   * those that would be made, in their order
   */
  writes: PlannedWrite[];
  /**
   * those that would not be made
   */
  refused?: PlannedWrite[];
  /**
   * those that the writes rest on
   */
  reads?: PlannedRead[];
  /**
   * of the rehearsal
   */
  request_id: string;
  made_at: string;
  /**
   * why it cannot be applied
   */
  problem?: string;
  /**
   * SHA-256 of all else: what a yes to the plan is bound to
   */
  digest: string;
}
/**
 * A write exactly as it would be made, and what the rules say of it.
 */
export interface PlannedWrite {
  /**
   * of the call in the rehearsal
   */
  key: string;
  tool: string;
  arguments: {
    [k: string]: JsonValue;
  };
  /**
   * SHA-256 of tool and arguments
   */
  digest: string;
  about?: string;
  verdict: 'allowed' | 'needs approval' | 'refused';
  /**
   * what allows it, why it needs a yes, or what forbids it
   */
  why?: string;
  /**
   * the keys of the reads that its arguments rest on
   */
  depends_on?: string[];
  /**
   * the keys of planned writes of whose stand-in results it has values: it cannot be applied
   */
  stand_ins?: string[];
  /**
   * values that nobody mentioned before the model did
   */
  ungrounded?: string[];
  /**
   * figures in its texts that nobody mentioned either
   */
  unsupported?: string[];
  /**
   * figures and addresses that only a stranger's text mentions
   */
  strangers?: string[];
  /**
   * a stranger's text had been read before it
   */
  untrusted?: boolean;
  /**
   * the same is planned before it
   */
  repeats?: boolean;
}
/**
 * A read that planned writes rest on.
 */
export interface PlannedRead {
  key: string;
  tool: string;
  arguments: {
    [k: string]: JsonValue;
  };
  /**
   * SHA-256 of its result
   */
  digest: string;
  at: string;
}
/**
 * What became of one tool call, taken from what happened and never from the model's words.
 *
 * `failed` and `cancelled` mean that the action did not take effect; `unknown` means that it may have. `planned` is a
 * write of a rehearsal, which did not take effect either.
 */
export interface Receipt {
  key: string;
  tool: string;
  arguments: {
    [k: string]: JsonValue;
  };
  /**
   * null where the model named no tool that there is
   */
  effect: ('read' | 'write') | null;
  status: ReceiptStatus;
  result: JsonValue;
  error: string | null;
  attempts: number;
  approved_by: string | null;
  started_at: string | null;
  finished_at: string | null;
  /**
   * not of this run: the ledger knows it of the run before a reset, or of an earlier request
   */
  earlier?: boolean;
  /**
   * the write's key in the ledger, where an earlier request of the same id has taken `key`
   */
  ledger_key?: string | null;
  /**
   * how it became known that a write is done of which that was not known at first
   */
  settled?: ('asked again' | 'looked') | null;
}
export interface Usage {
  model_calls: number;
  input_tokens: number;
  output_tokens: number;
  /**
   * by the worker's price table; null where the model has no price
   */
  cost?: number | null;
}
/**
 * What a request returns, however it ends.
 */
export interface Outcome {
  request_id: string;
  status: RequestStatus;
  summary: string;
  /**
   * sentences of the summary that no receipt bears out, each with what is wrong with it
   */
  unsupported_claims: string[];
  output: JsonValue;
  receipts: Receipt[];
  usage: Usage;
  /**
   * of a rehearsal: what would be written
   */
  plan?: Plan | null;
}
/**
 * A call that waits for a yes or a no, exactly as it would be run.
 */
export interface PendingApproval {
  key: string;
  digest: string;
  tool: string;
  arguments: {
    [k: string]: JsonValue;
  };
  about: string;
  /**
   * why it needs a person
   */
  reason: string;
  /**
   * the requester's own yes does not count
   */
  four_eyes?: boolean;
  /**
   * patterns of who may decide; empty: anybody
   */
  approvers?: string[];
  expires_at: string;
}
/**
 * A question of the model's that waits for an answer.
 */
export interface PendingQuestion {
  key: string;
  text: string;
  expires_at: string;
}
/**
 * The answer of query `state`: where a request stands now.
 */
export interface RequestState {
  request_id: string;
  status: RequestStatus;
  turn: number;
  doing: string;
  awaiting_approval: PendingApproval[];
  /**
   * the one that was asked first in front
   */
  awaiting_answer?: PendingQuestion[];
  /**
   * the keys of the calls that are under way
   */
  running: string[];
  /**
   * of a request that is kept open: said and not yet begun
   */
  messages_waiting: number;
  /**
   * of the calls that have ended
   */
  receipts: Receipt[];
  usage: Usage;
}
/**
 * Update `say`: the answer to a question of the request that waits, or else a further message to a request that is
 * kept open. The Update's answer is the message's `Outcome`; of an answer, one that says that the request goes on.
 *
 * The id of the Update is the message's own: the same id twice is one message.
 */
export interface Say {
  text: string;
  by?: string;
  /**
   * the key of the question that this answers; without it, the first that waits, if any does
   */
  question?: string;
}
/**
 * Update `approve`: a yes to one exact call. `digest` is the one shown with the call.
 *
 * With `arguments`, the yes is to the call with these in place of its own, if they fit the tool's schema. Where the
 * rules say something of them that was not shown yet (nobody mentioned a recipient, a rule asks), nothing runs: the
 * Update's answer is the `PendingApproval` that waits now, and its digest is what a second yes is given to.
 */
export interface Approve {
  /**
   * of the call that waits, as `state` shows it
   */
  key: string;
  /**
   * of the call that waits, as `state` shows it
   */
  digest: string;
  /**
   * who decides: a person's name
   */
  by: string;
  arguments?: {
    [k: string]: JsonValue;
  } | null;
}
/**
 * Update `reject`: a no to one exact call. The model is told `reason`.
 */
export interface Reject {
  /**
   * of the call that waits, as `state` shows it
   */
  key: string;
  /**
   * of the call that waits, as `state` shows it
   */
  digest: string;
  /**
   * who decides: a person's name
   */
  by: string;
  reason?: string;
}
/**
 * What an Update that is refused fails with: Temporal's application error of this type, never to be retried.
 */
export interface Refusal {
  type:
    | 'BadRequest'
    | 'Moved'
    | 'Busy'
    | 'NotOpen'
    | 'AnsweredBefore'
    | 'NotWaiting'
    | 'DigestMismatch'
    | 'NotAnApprover'
    | 'OwnRequest'
    | 'InvalidArguments';
  /**
   * what happened, to which thing, and what to do
   */
  message: string;
}
