import { setTimeout } from 'node:timers/promises';
import { OverTemporal } from './temporal-client.js';

// Over the door: new OverHttp('http://127.0.0.1:8240') of './door-client.js', which has nothing to close.
const errand = await OverTemporal.connect('127.0.0.1:7233');
const id = await errand.submit({ text: 'Tell ann@example.com that invoice 4711 is paid.' }, 'invoice-4711');

let { awaiting_approval: waiting, status } = await errand.state(id);
while (status === 'running' && !waiting.length) { // the model has not asked for a write yet
  await setTimeout(500);
  ({ awaiting_approval: waiting, status } = await errand.state(id));
}
for (const call of waiting) {
  console.log(call.tool, call.arguments, call.reason);
  await errand.approve(id, call, 'bob'); // over the door '': it knows who calls
}

const outcome = await errand.wait(id);
console.log(outcome.summary, outcome.receipts.map((receipt) => [receipt.tool, receipt.status]));
await errand.close();
