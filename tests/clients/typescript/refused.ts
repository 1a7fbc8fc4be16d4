// Starts a workflow for each [id, input] in a JSON list, and prints why each was refused.
//
//   node dist/refused.js localhost:7233 LIST
import { ApplicationFailure, Client, Connection, WorkflowFailedError } from '@temporalio/client';
import type { ErrorInfo } from './contract/error.info.schema.js';
import type { FieldProblem } from './contract/error.problems.schema.js';

const [address = '', starts = '[]'] = process.argv.slice(2);
const connection = await Connection.connect({ address });
const client = new Client({ connection });

async function refusal(workflowId: string, input: unknown) {
  try {
    await client.workflow.execute('DirectJob', { workflowId, taskQueue: 'cinema-jobs', args: [input] });
  } catch (error) {
    if (!(error instanceof WorkflowFailedError && error.cause instanceof ApplicationFailure)) throw error;
    const { type, message, nonRetryable } = error.cause;
    const [info, problems] = error.cause.details as [ErrorInfo, FieldProblem[]];
    return { type, message, non_retryable: nonRetryable, info, problems };
  }
  throw new Error('it was not refused');
}

const refusals = [];
for (const [workflowId, input] of JSON.parse(starts) as [string, unknown][]) {
  refusals.push(await refusal(workflowId, input));
}
console.log(JSON.stringify(refusals));
await connection.close();
