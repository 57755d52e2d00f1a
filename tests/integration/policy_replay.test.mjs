// The recorded calls judged again by a draft, and the least policy that covers what was done.
// areas: policy, cli, audit, gate
import assert from 'node:assert/strict'
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { DESK, startGate } from './lib/gate.mjs'
import { people } from './lib/people.mjs'

const code = (answer) => answer.json.result?._meta?.['dev.doorward/code'] ?? answer.json.error?.data?.code ?? 'ok'
const order = { orderId: 'ORD-A1B2C3D4' }
const BASE = `
  @id("read") permit (principal, action in [Action::"lookup_order", Action::"check_shipping"], resource);
  @id("ask") @approve("one") permit (principal, action == Action::"create_ticket", resource);
  @id("refund") permit (principal, action == Action::"issue_refund", resource) when { context.input.amount.lessThanOrEqual(decimal("100.00")) };
  @id("faq") @set("input.query = \\"shipping\\"") permit (principal, action == Action::"search_faq", resource);
`
const TOOLS = ['lookup_order', 'issue_refund', 'check_shipping', 'search_faq', 'create_ticket']

async function startWith(text, config = {}) {
  const gate = await startGate({ servers: { desk: DESK }, session: { max_tool_calls: 100000, rate: 'none' }, tools: { 'desk/*': { risk: 'low' } }, ...config })
  mkdirSync(join(gate.dir, 'policies'))
  writeFileSync(join(gate.dir, 'policies/base.cedar'), text)
  gate.write({ policy: { files: [{ file: 'policies/*.cedar' }] } })
  gate.cli(['reload', '-c', gate.file])
  return gate
}

const newAgent = (gate, id, more = {}) => gate.agent({ id, allow: TOOLS.map((t) => `desk/${t}`), ...more })

// The draft in a folder of its own, judged with --json and without.
let drafts = 0
function replay(gate, text, ...more) {
  const folder = join(gate.dir, `draft-${drafts++}`)
  mkdirSync(folder)
  writeFileSync(join(folder, 'draft.cedar'), text)
  const run = (...args) => gate.cli(['policy', 'replay', '-c', gate.file, ...more, ...args, folder], { ok: false })
  const json = run('--json'), words = run()
  assert.equal(json.status, words.status)
  assert.ok(json.stdout, json.stderr)
  return { status: json.status, words: words.stdout, ...JSON.parse(json.stdout) }
}
const shape = (calls) => calls.map((c) => [c.tool, c.agent, c.before, c.now])

describe('a draft', () => {
  let gate
  before(async () => {
    gate = await startWith(BASE)
    const token = gate.open(await newAgent(gate, 'worker'), '--user', 'usr_1', '--tier', 'gold').access_token
    const other = gate.token(await newAgent(gate, 'other', { type: 'marketing' }))
    for (const [who, tool, args, wanted] of [
      [token, 'lookup_order', order, 'ok'], [token, 'lookup_order', order, 'ok'], [token, 'issue_refund', { ...order, amount: 50 }, 'ok'],
      [token, 'issue_refund', { ...order, amount: 200 }, 'policy_denied'], [token, 'create_ticket', { subject: 's' }, 'approval_denied'],
      [other, 'lookup_order', order, 'ok'], [other, 'check_shipping', order, 'ok'], [token, 'search_faq', { query: 'refund' }, 'ok'],
      [token, 'lookup_order', { orderId: 7 }, 'schema_mismatch'],
    ]) {
      const call = gate.call(who, `desk__${tool}`, args)
      if (wanted === 'approval_denied') await people(gate).deny(await people(gate).question(tool), 'no')
      assert.equal(code(await call), wanted)
    }
    await gate.recorded('the last refusal', (e) => e.code === 'schema_mismatch')
  })
  after(() => gate?.stop())

  test('that decides alike changes nothing: exit 0, and what was refused before the policies is counted apart', () => {
    const r = replay(gate, BASE)
    assert.deepEqual([r.status, r.recorded, r.judged, r.differ, r.notJudged, r.refusedEarlier, r.calls], [0, 8, 8, 0, 0, 1, []])
    assert.match(r.words, /^8 calls from .*: 0 would come out differently\.\n\nLeft out: 1 call, which was refused before the policies/)
  })

  test('without a file the policies of the configuration are the draft', () => {
    assert.equal(gate.cli(['policy', 'replay', '-c', gate.file]).status, 0)
  })

  test('that decides otherwise: exit 1, every call listed, grouped by tool, agent and change', () => {
    const r = replay(gate, `
      @id("all") permit (principal, action, resource);
      @id("no-marketing") forbid (principal in AgentType::"marketing", action, resource);
      @id("two") @approve("two") permit (principal, action == Action::"lookup_order", resource);
    `)
    assert.equal(r.status, 1)
    assert.deepEqual(shape(r.calls), [
      ['desk/lookup_order', 'worker', 'allow', 'approval'], ['desk/lookup_order', 'worker', 'allow', 'approval'],
      ['desk/issue_refund', 'worker', 'deny', 'allow'], ['desk/create_ticket', 'worker', 'approval', 'allow'],
      ['desk/lookup_order', 'other', 'allow', 'deny'], ['desk/check_shipping', 'other', 'allow', 'deny'],
      ['desk/search_faq', 'worker', 'allow changed', 'allow'],
    ])
    const group = r.groups.find((g) => g.tool === 'desk/lookup_order' && g.agent === 'worker')
    assert.deepEqual([group.calls, group.examples], [2, r.calls.slice(0, 2).map((c) => c.seq)])
    assert.match(r.calls[4].reason, /forbidden by no-marketing/)
    assert.equal(gate.audit().find((e) => e.seq === r.calls[4].seq).toolName, 'desk/lookup_order')
    assert.match(r.words, /allow +approval +2 +desk\/lookup_order +worker +#\d+, ?#\d+/)
  })

  test('sees the session as it was: user, tier, scopes, calls before, age, source, owner', () => {
    const r = replay(gate, `
      @id("as-it-was") permit (principal, action, resource) when {
        context.session has user && context.session.user == "usr_1" && context.session has tier && context.session.tier == "gold"
        && context.session.scopes.contains("tool:desk/lookup_order:execute") && context.session has source && context.session.source.isLoopback()
        && context.session.age < 600 && principal.owner == "support-team" && principal.version == "2.4.1" && context.session.calls < 1 };
    `)
    const lookups = r.calls.filter((c) => c.tool === 'desk/lookup_order' && c.agent === 'worker')
    assert.equal(lookups.length, 1) // the first one had no call before it
    assert.equal(lookups[0].now, 'deny')
  })

  test('sees the risk as it was', async () => {
    gate.write({ tools: { 'desk/*': { risk: 'critical' } } })
    const r = replay(gate, `${BASE} @id("risky") forbid (principal, action, resource) when { resource.risk != "low" };`)
    gate.write({ tools: { 'desk/*': { risk: 'low' } } })
    assert.deepEqual([r.status, r.differ], [0, 0])
  })

  test('limits are counted by the clock of the record, for each agent', () => {
    const r = replay(gate, `${BASE.replace('@id("read")', '@id("read") @limit("1/hour")')}`)
    assert.deepEqual(shape(r.calls), [['desk/lookup_order', 'worker', 'allow', 'limit'], ['desk/check_shipping', 'other', 'allow', 'limit']])
  })

  test('what policies changed is judged as it came, and other changes are told', () => {
    const r = replay(gate, BASE.replace('"shipping', '"returns').replace('\\"shipping\\"', '\\"returns\\"'))
    assert.deepEqual(shape(r.calls), [['desk/search_faq', 'worker', 'allow changed', 'allow changed otherwise']])
    const refused = replay(gate, `${BASE} @id("r") forbid (principal, action == Action::"search_faq", resource) when { context.input.query == "refund" };`)
    assert.deepEqual(shape(refused.calls), [['desk/search_faq', 'worker', 'allow changed', 'deny']])
  })

  test('a time in which nothing was called holds nothing', () => {
    const r = replay(gate, BASE, '--since', '2020-01-01T00:00:00Z', '--until', '2020-01-02T00:00:00Z')
    assert.deepEqual([r.status, r.recorded], [0, 0])
    for (const [args, said] of [[['--since', 'yesterday'], /--since must be a duration/], [['--since', '1h', '--until', '2h'], /--since must be before/]]) {
      const bad = gate.cli(['policy', 'replay', '-c', gate.file, ...args], { ok: false })
      assert.equal(bad.status, 2)
      assert.match(bad.stderr, said)
    }
  })

  test('faults of the draft are told by place, and nothing is replayed', () => {
    const file = join(gate.dir, 'bad.cedar')
    writeFileSync(file, 'permit (principal, action, resource) when { context.input.amout > 1 };')
    const r = gate.cli(['policy', 'replay', '-c', gate.file, file], { ok: false })
    assert.equal(r.status, 1)
    assert.match(r.stdout, /bad\.cedar:1:\d+: .*amout/)
  })

  test('needs neither the gateway nor its configuration: a copy of the record and the tools in a file', () => {
    const copy = join(gate.dir, 'copy'), tools = join(gate.dir, 'tools.json'), file = join(gate.dir, 'alone.cedar')
    cpSync(join(gate.dir, 'data/audit'), copy, { recursive: true })
    writeFileSync(tools, gate.cli(['policy', 'tools', '-c', gate.file]).stdout)
    writeFileSync(file, BASE)
    const r = gate.cli(['policy', 'replay', '--tools', tools, '--dir', copy, '--admin', 'http://127.0.0.1:9', '--json', file])
    assert.equal(JSON.parse(r.stdout).judged, 8)
  })
})

test('masked parameters are not guessed at', async () => {
  const gate = await startWith('@id("all") permit (principal, action, resource);', { audit: { mask: ['orderId'] } })
  try {
    const token = gate.token(await newAgent(gate, 'worker'))
    await gate.call(token, 'desk__lookup_order', order)
    await gate.call(token, 'desk__search_faq', { query: 'refund' })
    await gate.recorded('both', (e) => e.event === 'TOOL_CALL' && e.toolName === 'desk/search_faq')
    const r = replay(gate, '@id("none") forbid (principal, action, resource);')
    assert.deepEqual(r.calls.map((c) => [c.tool, c.now, c.reason]),
      [['desk/lookup_order', 'not judged', 'parameters are masked'], ['desk/search_faq', 'deny', 'forbidden by none']])
    assert.match(r.words, /1 could not be judged exactly:[^]*parameters are masked/)
  } finally {
    await gate.stop()
  }
})

describe('what is suggested', () => {
  let gate
  const suggest = (...args) => gate.cli(['policy', 'suggest', '-c', gate.file, ...args])
  before(async () => {
    gate = await startWith('@id("all") permit (principal, action, resource); @id("no-faq") forbid (principal, action == Action::"search_faq", resource);')
    const token = gate.token(await newAgent(gate, 'worker'))
    for (let i = 0; i < 12; i++) {
      await gate.call(token, 'desk__issue_refund', { ...order, amount: 5 + i / 4 })
      await gate.call(token, 'desk__lookup_order', { orderId: `ORD-A1B2C3D${'0123456789AB'[i]}` })
    }
    await gate.call(token, 'desk__check_shipping', order)
    await gate.call(token, 'desk__search_faq', { query: 'refund' })
    await gate.recorded('the last', (e) => e.code === 'policy_denied')
  })
  after(() => gate?.stop())

  test('covers what the agent did and no more, says what was seen, and holds when it is replayed', () => {
    const { stdout: text } = suggest('--agent', 'worker')
    assert.match(text, /^\/\/ What the agent "worker" did from .*\n\/\/ 25 calls of 3 tools went through\.\n\/\/ Replayed against these policies: all 25 /)
    assert.match(text, /principal == Agent::"worker",\s+action == Action::"issue_refund",\s+resource == Tool::"desk\/issue_refund"/)
    assert.match(text, /context\.input\.amount\.greaterThanOrEqual\(decimal\("5\.0"\)\) &&\s+context\.input\.amount\.lessThanOrEqual\(decimal\("7\.75"\)\)/)
    assert.match(text, /context\.input\.orderId == "ORD-A1B2C3D4"/)
    assert.match(text, /context\.session\.source\.isInRange\(ip\("127\.0\.0\.0\/24"\)\)/)
    assert.match(text, /context\.input\.orderId: in 12 of 12 calls, too many different values to name: any is permitted/)
    assert.match(text, /desk\/check_shipping: 1 call.*\n\/\/ Fewer than 10 calls/)
    assert.doesNotMatch(text, /search_faq/)
    const file = join(gate.dir, 'suggested.cedar')
    writeFileSync(file, text)
    gate.cli(['policy', 'check', '-c', gate.file, file])
    gate.cli(['policy', 'fmt', '-c', gate.file, '--check', file])
    assert.equal(gate.cli(['policy', 'replay', '-c', gate.file, file]).status, 0)
  })

  test('in force, it refuses what was never done', async () => {
    writeFileSync(join(gate.dir, 'policies/base.cedar'), suggest('--agent', 'worker').stdout)
    gate.cli(['reload', '-c', gate.file])
    const token = gate.token({ id: 'worker', key: join(gate.dir, 'worker.jwk') })
    assert.equal(code(await gate.call(token, 'desk__issue_refund', { ...order, amount: 6 })), 'ok')
    assert.equal(code(await gate.call(token, 'desk__issue_refund', { ...order, amount: 70 })), 'policy_denied')
    assert.equal(code(await gate.call(token, 'desk__create_ticket', { subject: 's' })), 'policy_denied')
  })

  test('for all agents of a type, and as JSON', () => {
    const { policies, calls, allowed, replayed, tools } = JSON.parse(suggest('--type', 'customer-support', '--json').stdout)
    assert.match(policies, /principal in AgentType::"customer-support"/)
    assert.equal(allowed, replayed)
    assert.equal(tools.reduce((n, t) => n + t.calls, 0), calls)
  })

  test('of an agent that did nothing there is nothing to suggest', () => {
    const r = gate.cli(['policy', 'suggest', '-c', gate.file, '--agent', 'nobody'], { ok: false })
    assert.equal(r.status, 1)
    assert.match(r.stderr, /no calls of the agent nobody/)
    assert.equal(gate.cli(['policy', 'suggest', '-c', gate.file], { ok: false }).status, 2)
  })
})
