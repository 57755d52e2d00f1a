// Scopes of single objects: a session that may read one user's orders reads no other's, although the tool is allowed.
// areas: gate, identity, policy
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startGate } from './lib/gate.mjs'
import { ledger } from './lib/ledger.mjs'

let gate, agent
const book = ledger()
const code = (answer) => answer.json.result?._meta?.['dev.doorward/code'] ?? answer.json.error?.data?.code ?? 'ok'

before(async () => {
  gate = await startGate({
    servers: { book: book.server }, session: { max_tool_calls: 1000, rate: 'none' }, agents: { max_concurrent_sessions: 100 },
    tools: { 'book/raw': { scope: 'orders:read', bind: [{ kind: 'user', argument: 'user_id' }, { kind: 'order', argument: 'order.id' }] } },
    scopes: [{ when: { agent_type: 'customer-support' }, add: ['orders:read'] }],
  })
  agent = await gate.agent({ id: 'reader', allow: ['book/raw'] })
})
after(() => gate?.stop())

const session = (scopes) => gate.open(agent, '--scopes', `tool:book/raw:execute ${scopes}`).access_token
const read = async (token, args) => code(await gate.call(token, 'book__raw', args))

test('a session with the whole scope reads whatever it likes', async () => {
  const token = session('orders:read')
  assert.equal(await read(token, { user_id: 'usr_abc123' }), 'ok')
  assert.equal(await read(token, {}), 'ok')
})

test("a session of one user reads that user's orders, and another's is refused although the tool is allowed", async () => {
  const token = session('orders:read:user:usr_abc123')
  assert.equal(await read(token, { user_id: 'usr_abc123' }), 'ok')
  for (const args of [{ user_id: 'usr_other' }, {}, { user_id: ['usr_abc123'] }, { user_id: 'usr_abc123 ' }, { order: { id: 'usr_abc123' } }]) {
    const answer = await gate.call(token, 'book__raw', args)
    assert.equal(code(answer), 'insufficient_scope', JSON.stringify(args))
  }
  const entry = await gate.recorded('the refusal', (e) => e.event === 'TOOL_DENIED' && e.code === 'insufficient_scope')
  assert.equal(entry.policyDecision.stage, 'scope')
  assert.match(entry.policyDecision.reason, /about none of them/)
})

test('several objects, also deep in the arguments and as numbers', async () => {
  const token = session('orders:read:user:usr_1 orders:read:order:77')
  assert.equal(await read(token, { user_id: 'usr_1' }), 'ok')
  assert.equal(await read(token, { order: { id: 77 } }), 'ok')
  assert.equal(await read(token, { order: { id: '77' } }), 'ok')
  assert.equal(await read(token, { order: { id: 78 } }), 'insufficient_scope')
})

test('a kind that nothing binds opens nothing, and a session without the scope has none', async () => {
  assert.equal(await read(session('orders:read:team:blue'), { user_id: 'usr_1', team: 'blue' }), 'insufficient_scope')
  assert.equal(await read(session(''), { user_id: 'usr_1' }), 'insufficient_scope')
})

test('a session gets a narrower scope than the agent has, and no other', () => {
  const r = gate.cli(['session', 'open', '-c', gate.file, '--agent', agent.id, '--scopes', 'orders:write:user:usr_1'], { ok: false })
  assert.equal(r.status, 3)
  assert.match(r.stderr, /cannot get the scope orders:write:user:usr_1/)
})

test('an agent that opens its own session narrows it likewise', async () => {
  const token = gate.cli(['token', '--url', gate.url, '--agent', agent.id, '--key', agent.key, '--scope', 'tool:book/raw:execute orders:read:user:usr_9']).stdout.trim()
  assert.equal(await read(token, { user_id: 'usr_9' }), 'ok')
  assert.equal(await read(token, { user_id: 'usr_1' }), 'insufficient_scope')
})
