// Starts a job with nothing but Temporal, approves its plans once they are there, and prints how it went.
//
//   node dist/direct.js localhost:7233 OWNER_ID OBJECT_KEY
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import type { DirectJobInput } from './contract/DirectJob.input.schema.js';
import type { SettledJob } from './contract/DirectJob.result.schema.js';
import type { ApproveOutputs } from './contract/approve.argument.schema.js';
import type { JobState } from './contract/job_state.answer.schema.js';
import type { Steered } from './contract/update.answer.schema.js';

const [address = 'localhost:7233', ownerId = '', objectKey = ''] = process.argv.slice(2);

const input: DirectJobInput = {
  contract_version: 1,
  job_id: randomUUID(),
  new_job: {
    owner_id: ownerId,
    project: { name: 'Kitchen talk' },
    assets: [{ object_key: objectKey, name: 'talk.mp4', kind: 'a_roll' }],
    request: { variants: ['vertical_reel', 'hook_cut'], pace: 'fast', approval: { default: 'cancel' } },
  },
};

const connection = await Connection.connect({ address });
const client = new Client({ connection });
const job = await client.workflow.start('DirectJob', {
  workflowId: `job-${input.job_id}`,
  taskQueue: 'cinema-jobs',
  args: [input],
  workflowIdReusePolicy: 'REJECT_DUPLICATE',
  workflowExecutionTimeout: '30 days',
  staticSummary: 'Kitchen talk: vertical_reel, hook_cut',
});

let state = await job.query<JobState>('job_state');
while (state.status !== 'awaiting_approval' && (await job.describe()).status.name === 'RUNNING') {
  await sleep(200);
  state = await job.query<JobState>('job_state');
}
let approved: Steered | null = null;
if (state.status === 'awaiting_approval') {
  approved = await job.executeUpdate<Steered, [ApproveOutputs]>('approve', { args: [{}] });
}
const result: SettledJob = await job.result();
console.log(JSON.stringify({ state, approved, result }));
await connection.close();
