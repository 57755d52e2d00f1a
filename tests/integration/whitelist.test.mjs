// The whitelist: nothing by default, allowed minus denied, denied wins, and what may not be used is not shown.
// areas: gate
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { DESK, startGate } from './lib/gate.mjs'
import { newAgent, register, makeKey, token } from './lib/oauth.mjs'

let gate

before(async () => {
  gate = await startGate({ servers: { desk: DESK }, scopes: [
    { when: { tier: 'enterprise' }, add: ['tool:desk/issue_refund:execute', 'tool:desk/delete_account:execute'] },
    { when: { agent_type: 'reader' }, keep: ['tool:desk/lookup_*', 'tool:desk/search_*'] },
    { when: { trigger: 'schedule' }, drop: ['tool:desk/create_ticket:*'] } ] })
})
after(async () => gate?.stop())

const shown = async (access, path) => (await gate.modern(access, 'tools/list', {}, { path })).json.result.tools.map((t) => t.name)
const verdict = async (access, name, args = {}) => {
  const { status, json } = await gate.call(access, name, args)
  return [status, json.error?.data?.code]
}

test('an agent without tools sees none and can use none', async () => {
  const access = await token(gate, await newAgent(gate, 'empty'))
  assert.deepEqual(await shown(access), [])
  assert.deepEqual(await verdict(access, 'desk__search_faq', { query: 'return' }), [403, 'insufficient_scope'])
  const entry = await gate.recorded('the refusal', (e) => e.agentId === 'empty' && e.event === 'TOOL_DENIED')
  assert.deepEqual([entry.toolName, entry.policyDecision.allowed, entry.policyDecision.stage], ['desk/search_faq', false, 'whitelist'])
})

test('what is not allowed is neither shown nor distinguishable from what does not exist', async () => {
  const access = await token(gate, await newAgent(gate, 'one-tool', { allowedTools: ['desk/search_faq'] }))
  assert.deepEqual(await shown(access), ['desk__search_faq'])
  assert.deepEqual(await shown(access, '/mcp/desk'), ['search_faq'])
  const there = await gate.call(access, 'desk__issue_refund', {}), absent = await gate.call(access, 'desk__issue_nothing', {})
  assert.equal(there.status, absent.status)
  assert.equal(there.json.error.message.replaceAll('issue_refund', 'X'), absent.json.error.message.replaceAll('issue_nothing', 'X'))
})

test('the real clients see the same', async () => {
  const access = await token(gate, await newAgent(gate, 'clients', { allowedTools: ['desk/search_faq', 'desk/lookup_order'], deniedTools: ['desk/lookup_*'] }))
  for (const client of [await gate.legacyClient(access), await gate.modernClient(access)]) {
    assert.deepEqual((await client.listTools()).tools.map((t) => t.name), ['desk__search_faq'])
    const answer = await client.callTool({ name: 'desk__search_faq', arguments: { query: 'return' } })
    assert.match(answer.content[0].text, /30 days/)
    await assert.rejects(client.callTool({ name: 'desk__lookup_order', arguments: { orderId: 'ORD-A1B2C3D4' } }))
    await client.close()
  }
})

test('denied wins over allowed and over what a rule adds', async () => {
  const agent = await newAgent(gate, 'torn', { allowedTools: ['desk/search_faq', 'desk/delete_account'], deniedTools: ['desk/delete_*'] })
  const { access_token: access, scopes } = gate.open(agent, '--user', 'alice', '--tier', 'enterprise')
  assert.deepEqual(scopes, ['tool:desk/issue_refund:execute', 'tool:desk/search_faq:execute'])
  assert.deepEqual(await shown(access), ['desk__issue_refund', 'desk__search_faq'])
  assert.deepEqual(await verdict(access, 'desk__delete_account', { customerId: 'c-1' }), [403, 'tool_denied'])
  assert.deepEqual(await verdict(access, 'desk__issue_refund', { orderId: 'ORD-A1B2C3D4', amount: 5 }), [200, undefined])
})

test('a pattern denies a whole server but no other', async () => {
  const access = await token(gate, await newAgent(gate, 'patterns', { allowedTools: ['desk/search_faq', 'desk/lookup_order'], deniedTools: ['desk/*', 'other/*'] }))
  assert.deepEqual(await shown(access), [])
  const other = await token(gate, await newAgent(gate, 'patterns-2', { allowedTools: ['desk/search_faq'], deniedTools: ['des/*', 'desk/search', 'desk/*_order'] }))
  assert.deepEqual(await shown(other), ['desk__search_faq'])
})

test('an asterisk among the allowed tools is refused, by API and by command line', async () => {
  for (const tool of ['desk/*', '*/*', 'desk/look*'])
    assert.equal((await register(gate, 'wild', (await makeKey()).jwk, { allowedTools: [tool] })).status, 400)
  const r = gate.cli(['agent', 'create', '-c', gate.file, '--type', 't', '--version', '1', '--owner', 'o', '--env', 'production', '--allow', 'desk/*', '--generate'], { ok: false })
  assert.notEqual(r.status, 0)
  assert.match(r.stderr, /denied tools only/)
  assert.doesNotMatch(r.stdout, /"d"/)
})

test('the rules of the configuration add and take by tier, type and trigger', async () => {
  const agent = await newAgent(gate, 'ruled', { allowedTools: ['desk/search_faq', 'desk/create_ticket'], maxConcurrentSessions: 20 })
  const reader = await newAgent(gate, 'reading', { agentType: 'reader', allowedTools: ['desk/search_faq', 'desk/create_ticket'] })
  const of = (who, ...args) => shown(gate.open(who, ...args).access_token)
  assert.deepEqual(await of(agent, '--user', 'bob', '--tier', 'standard'), ['desk__create_ticket', 'desk__search_faq'])
  assert.deepEqual(await of(agent, '--user', 'bob', '--tier', 'enterprise'),
    ['desk__create_ticket', 'desk__delete_account', 'desk__issue_refund', 'desk__search_faq'])
  assert.deepEqual(await of(agent, '--trigger', 'schedule'), ['desk__search_faq'])
  assert.deepEqual(await of(reader), ['desk__search_faq'])
  assert.deepEqual(await shown(await token(gate, agent)), ['desk__create_ticket', 'desk__search_faq']) // its own word: no tier
})

test('a rule for this hour holds for sessions that are open already', async () => {
  const agent = await newAgent(gate, 'shift', { allowedTools: ['desk/search_faq', 'desk/create_ticket'] })
  const access = await token(gate, agent)
  assert.equal((await verdict(access, 'desk__create_ticket', { subject: 'x' }))[0], 200)
  const clock = (minutes) => new Date(Date.now() + minutes * 60e3).toISOString().slice(11, 16)
  const before = gate.config.scopes
  gate.write({ scopes: [...before, { when: { hours: `${clock(-60)}-${clock(60)}` }, keep: ['tool:desk/search_*'] }] })
  assert.equal((await gate.operator('POST', '/reload')).status, 200)
  assert.deepEqual(await verdict(access, 'desk__create_ticket', { subject: 'x' }), [403, 'insufficient_scope'])
  assert.deepEqual(await shown(access), ['desk__search_faq'])
  gate.write({ scopes: [...before, { when: { hours: `${clock(60)}-${clock(120)}` }, keep: ['tool:desk/search_*'] }] })
  assert.equal((await gate.operator('POST', '/reload')).status, 200)
  assert.equal((await verdict(access, 'desk__create_ticket', { subject: 'x' }))[0], 200)
})
