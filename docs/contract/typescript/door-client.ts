/** A client of Errand over HTTP, by fetch alone, to copy from. */
import { randomUUID } from 'node:crypto';
import type { Errand, Outcome, PendingApproval, Request, RequestState } from './errand.js';

/** What the door refuses a call with (RFC 9457). */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly type: string,
    detail: string,
  ) {
    super(detail);
  }
}

const WAIT_SECONDS = 30;

/** Who asks and who decides is known by the key: `by` and `requester` may be left empty. */
export class OverHttp implements Errand {
  constructor(
    private readonly url = 'http://127.0.0.1:8240',
    private readonly key?: string,
  ) {}

  async submit(request: Request, requestId: string = randomUUID()): Promise<string> {
    const started = await this.call('POST', '/v1/requests', { ...request, request_id: requestId });
    return ((await started.json()) as { request_id: string }).request_id;
  }

  async state(requestId: string): Promise<RequestState> {
    return (await (await this.call('GET', path(requestId))).json()) as RequestState;
  }

  wait(requestId: string): Promise<Outcome> {
    return this.awaited('GET', `${path(requestId)}/outcome?wait=${WAIT_SECONDS}`);
  }

  async approve(requestId: string, call: PendingApproval, by: string, edited?: object): Promise<PendingApproval | null> {
    const yes = { decision: 'approve', digest: call.digest, arguments: edited, by: by || undefined };
    const decided = await this.call('POST', `${path(requestId)}/approvals/${call.key.replace(/^.*\//, '')}`, yes);
    return ((await decided.json()) as { waits: PendingApproval | null }).waits;
  }

  say(id: string, text: string, by: string, messageId: string = randomUUID(), question?: string): Promise<Outcome> {
    const message = { text, by, message_id: messageId, question };
    return this.awaited('POST', `${path(id)}/messages?wait=${WAIT_SECONDS}`, message);
  }

  /** Ask until the answer is there: 202 says that it is not yet. */
  private async awaited(method: string, path: string, body?: object): Promise<Outcome> {
    for (;;) {
      const answer = await this.call(method, path, body);
      if (answer.status !== 202) return (await answer.json()) as Outcome;
      await answer.body?.cancel();
    }
  }

  private async call(method: string, path: string, body?: object): Promise<Response> {
    const headers: Record<string, string> = { 'Content-Type': 'application/json' };
    if (this.key) headers.Authorization = `Bearer ${this.key}`;
    const answer = await fetch(this.url + path, { method, headers, body: body ? JSON.stringify(body) : null });
    if (answer.ok) return answer;
    const problem = (await answer.json().catch(() => ({}))) as { type?: string; detail?: string };
    throw new Problem(answer.status, problem.type ?? 'about:blank', problem.detail ?? answer.statusText);
  }
}

function path(requestId: string): string {
  return `/v1/requests/${encodeURIComponent(requestId)}`;
}
