// What every client must do: node scenario.mjs BUILD temporal|door ADDRESS TASK_QUEUE|KEY. Prints what came back.
const [build, way, address, more, namespace] = process.argv.slice(2);
const errand = await connected();

const requestId = await errand.submit({ text: 'Write down: milk.', requester: 'ann' }, `typescript-${way}`);
const again = await errand.submit({ text: 'Write down: milk.', requester: 'ann' }, requestId);
const waiting = await callThatWaits(requestId);
const refusal = await refusalOf(errand.approve(requestId, { ...waiting, digest: 'another' }, 'ann'));
const second = await errand.approve(requestId, waiting, 'ann', { word: 'oat milk' });
const outcome = await errand.wait(requestId);

const conversation = await errand.submit({ keep_open: true, requester: 'ann' }, `typescript-${way}-talk`);
const answer = await errand.say(conversation, 'Hello?', 'ann', 'm1');
const sameAnswer = await errand.say(conversation, 'Hello?', 'ann', 'm1');

const puzzled = await errand.submit({ text: 'Paris or Rome?', requester: 'ann' }, `typescript-${way}-asks`);
const [, other] = await questionsThatWait(puzzled, 2);
const goesOn = await errand.say(puzzled, 'In Italy.', 'ann', 'a1', other.key);
const [first] = await questionsThatWait(puzzled, 1);
await errand.say(puzzled, 'In Texas.', 'ann');
const answered = await errand.wait(puzzled);

const came = { requestId, again, waiting, refusal, second, outcome, answer, sameAnswer, other, goesOn, first, answered };
console.log(JSON.stringify(came));
await errand.close?.();

async function connected() {
  if (way === 'temporal') {
    const { OverTemporal } = await import(`${build}/temporal-client.js`);
    return OverTemporal.connect(address, namespace, more);
  }
  const { OverHttp } = await import(`${build}/door-client.js`);
  return new OverHttp(address, more);
}

async function callThatWaits(id) {
  for (;;) {
    const { awaiting_approval: [call] } = await errand.state(id);
    if (call) return call;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function questionsThatWait(id, number) {
  for (;;) {
    const { awaiting_answer: questions = [] } = await errand.state(id);
    if (questions.length === number) return questions;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function refusalOf(promise) {
  // Caught before anything else is awaited: Node ends where it finds a rejection that nobody has caught yet.
  const error = await promise.then(() => undefined, (rejected) => rejected);
  const { refusal } = await import(`${build}/temporal-client.js`);
  return error ? (refusal(error) ?? error.type) : 'none';
}
