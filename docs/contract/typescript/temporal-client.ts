/** A client of Errand over Temporal, to copy from. */
import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import {
  ApplicationFailure,
  Client,
  Connection,
  WorkflowExecutionAlreadyStartedError,
  WorkflowUpdateFailedError,
} from '@temporalio/client';
import type { Approve, Errand, Outcome, PendingApproval, Request, RequestState, Say } from './errand.js';

export class OverTemporal implements Errand {
  constructor(
    private readonly client: Client,
    private readonly taskQueue = 'errand',
  ) {}

  static async connect(address = '127.0.0.1:7233', namespace = 'default', taskQueue = 'errand'): Promise<OverTemporal> {
    return new OverTemporal(new Client({ connection: await Connection.connect({ address }), namespace }), taskQueue);
  }

  async close(): Promise<void> {
    await this.client.connection.close();
  }

  /** A request that was started before under this id is joined, whatever its text is. */
  async submit(request: Request, requestId: string = randomUUID()): Promise<string> {
    try {
      await this.client.workflow.start('RequestWorkflow', {
        workflowId: requestId,
        taskQueue: this.taskQueue,
        args: [request],
        staticSummary: summary(request.text ?? ''),
        workflowIdReusePolicy: 'REJECT_DUPLICATE',
      });
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    }
    return requestId;
  }

  state(requestId: string): Promise<RequestState> {
    return this.handle(requestId).query<RequestState>('state');
  }

  wait(requestId: string): Promise<Outcome> {
    return this.handle(requestId).result() as Promise<Outcome>;
  }

  async approve(id: string, call: PendingApproval, by: string, edited?: object): Promise<PendingApproval | null> {
    const yes = { key: call.key, digest: call.digest, by, ...(edited && { arguments: { ...edited } }) };
    const waits = await this.handle(id).executeUpdate<PendingApproval | null, [Approve]>('approve', { args: [yes] });
    return waits ?? null; // the SDK gives undefined for null
  }

  async say(id: string, text: string, by: string, messageId: string = randomUUID(), question = ''): Promise<Outcome> {
    for (;;) {
      try {
        const update = { args: [{ text, by, question }] as [Say], updateId: messageId };
        return await this.handle(id).executeUpdate<Outcome, [Say]>('say', update);
      } catch (error) {
        if (!['Moved', 'Busy'].includes(refusal(error) ?? '')) throw error;
      }
      await setTimeout(500); // the request goes on in a new run, or five messages wait: the same again, under the same id
    }
  }

  private handle(requestId: string) {
    return this.client.workflow.getHandle(requestId);
  }
}

/** The type of the error that an Update was refused with: NotWaiting, DigestMismatch, NotOpen … */
export function refusal(error: unknown): string | null | undefined {
  const cause = error instanceof WorkflowUpdateFailedError ? error.cause : undefined;
  return cause instanceof ApplicationFailure ? cause.type : undefined;
}

/** What the Temporal UI shows of a request: in backticks, since it takes Markdown, and in at most 200 bytes. */
function summary(text: string): string {
  const line = text.replaceAll('`', "'").split(/\s+/).join(' ').trim();
  return line && `\`${line.length > 60 ? `${line.slice(0, 60)}…` : line}\``;
}
