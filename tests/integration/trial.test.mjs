// trial.anonymous: on one machine, requests without a credential act as one registered agent, and nothing else changes.
// areas: oauth mcp
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { DESK, startGate } from './lib/gate.mjs'

let gate

before(async () => {
  gate = await startGate({ servers: { desk: DESK }, trial: { anonymous: 'trial-agent' } }, { waitReady: true })
})
after(async () => gate?.stop())

const list = (headers = {}) => fetch(`${gate.url}/mcp`, {
  method: 'POST',
  headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', 'mcp-protocol-version': '2026-07-28',
             'mcp-method': 'tools/list', ...headers },
  body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: { _meta: {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {},
    'io.modelcontextprotocol/clientInfo': { name: 't', version: '1' } } } }),
})

test('an agent that nobody registered opens no session', async () => {
  const answer = await list()
  assert.equal(answer.status, 401)
  assert.match(JSON.stringify(await answer.json()), /trial-agent, which is no registered agent/)
})

test('a client without a credential is that agent: it sees and calls what that may, on record, in one session', async () => {
  await gate.agent({ id: 'trial-agent', allow: ['desk/lookup_order'] })
  await Promise.all(Array.from({ length: 20 }, async () => assert.equal((await list()).status, 200)))
  const client = new Client({ name: 'trial', version: '1' })
  await client.connect(new StreamableHTTPClientTransport(new URL(`${gate.url}/mcp/desk`)))
  assert.deepEqual((await client.listTools()).tools.map((t) => t.name), ['lookup_order'])
  const answer = await client.callTool({ name: 'lookup_order', arguments: { orderId: 'ORD-A1B2C3D4' } })
  assert.ok(!answer.isError, JSON.stringify(answer))
  await client.close()
  const { sessions } = gate.json(['session', 'list'])
  assert.deepEqual(sessions.map((s) => [s.agentId, s.trigger]), [['trial-agent', 'trial']])
  assert.match(gate.log, /"anonymous_session"/)
})

test('a wrong credential is refused like anywhere, and so is what a proxy passes on', async () => {
  assert.equal((await list({ authorization: 'Bearer nonsense' })).status, 401)
  assert.equal((await list({ authorization: '' })).status, 401)
  for (const mark of ['forwarded', 'x-forwarded-for', 'via', 'x-real-ip'])
    assert.equal((await list({ [mark]: 'for=192.0.2.1' })).status, 401, mark)
  assert.equal((await list()).status, 200)
})

test('a session that ends is followed by another, as long as the agent may have one', async () => {
  const [{ sessionId }] = gate.json(['session', 'list']).sessions
  gate.cli(['session', 'end', sessionId, '-c', gate.file])
  assert.equal((await list()).status, 200)
  const [next] = gate.json(['session', 'list']).sessions
  assert.notEqual(next.sessionId, sessionId)
  gate.cli(['agent', 'disable', 'trial-agent', '-c', gate.file])
  assert.equal((await list()).status, 401)
})
