// Memory of src/cedar that runs out, wherever that is: what comes is an error or what would have come anyway, never a crash, never a
// permit, never a set that validates although it does not.
// areas: cedar
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { BUILD } from './lib/gate.mjs'
import { judgeProgram } from './lib/judge.mjs'

const judge = judgeProgram('cedar_judge')
const sanitized = /asan|tsan/.test(BUILD)
const step = Number(process.env.DOORWARD_FAIL_STEP ?? 1)

const schema = `namespace Shop {
  type Money = {amount: decimal, currency: String};
  entity Agent in [Team] {limit: Money, from: ipaddr, tools?: Set<Tool>, since: datetime} tags Set<String>;
  entity Team in [Team];
  entity Tool enum ["pay", "refund"];
  type Input = {n: Long, lines: Set<{sku: String, n: Long}>};
  action use, "look up" appliesTo {principal: Agent, resource: Tool, context: {price: Money, at: datetime, ip?: ipaddr, input: Input}};
}`
const policies = `
@id("pay") permit(principal is Shop::Agent in Shop::Team::"red", action == Shop::Action::"use", resource == Shop::Tool::"pay")
when { context.price.amount.lessThanOrEqual(principal.limit.amount) && {a: [context.input.n, 2], b: principal}.a.containsAny([1, 2, 3]) };
permit(principal, action in [Shop::Action::"use", Shop::Action::"look up"], resource)
when { principal.hasTag("may") && principal.getTag("may").contains("look") && context.price.currency like "C*F" }
unless { context has ip && context.ip.isInRange(ip("10.0.0.0/8")) };
forbid(principal, action, resource) when { context.at.toTime() > duration("22h") || context.input.lines.contains({sku: "bad", n: 1}) };
permit(principal, action, resource) when { context.input.n * 4503599627370495 * 4096 > 0 };
permit(principal in ?principal, action, resource == ?resource) when { principal.since < context.at };`
const entities = [
  { uid: { type: 'Shop::Agent', id: 'a' }, parents: [{ type: 'Shop::Team', id: 'blue' }], tags: { may: ['look', 'act'] },
    attrs: { limit: { amount: '100.0', currency: 'CHF' }, from: '10.0.0.1', tools: [{ type: 'Shop::Tool', id: 'pay' }], since: '2024-01-01' } },
  { uid: { type: 'Shop::Team', id: 'blue' }, parents: [{ type: 'Shop::Team', id: 'red' }], attrs: {} },
]
const request = (id, price, at, n) => ({
  principal: { type: 'Shop::Agent', id: 'a' }, action: { type: 'Shop::Action', id: 'use' }, resource: { type: 'Shop::Tool', id },
  context: { price: { amount: price, currency: 'CHF' }, at, ip: '10.1.2.3', input: { n, lines: [{ sku: 'good \\u0041', n: 1 }] } },
})
const values = { '?principal': { type: 'Shop::Team', id: 'red' }, '?resource': { type: 'Shop::Tool', id: 'refund' } }
const links = [{ templateId: 'policy4', newId: 'link', values }]
const [day, night] = ['2024-10-15T11:35:00Z', '2024-10-15T23:00:00Z']
const requests = [request('pay', '99.5', day, 1), request('pay', '100.5', day, 2), request('pay', '1.0', night, 1)]
const good = { policies, links, schema, entities, requests }
const cases = {
  'a set that validates': good,
  'a set that does not': { ...good, policies: policies.replace('principal.since', 'principal.nothing') },
  'a set as JSON': null, // made of the first
}

// What came of a question with too little memory, beside what comes of it with enough.
function held(answer, whole, where) {
  if (whole.validates !== null) assert.notEqual(answer.validates, null, `${where}: validates`)
  for (const [i, r] of (answer.requests ?? []).entries())
    if (r.decision === 'allow') assert.equal(whole.requests[i].decision, 'allow', `${where}: request ${i} is let through`)
}

test('bounds of memory, from little to enough', { skip: judge.skip }, () => {
  const ask = (...args) => {
    const run = judge.run(args, JSON.stringify(good) + '\n')
    assert.equal(run.signal, null, `${args}: killed by ${run.signal}: ${run.stderr}`)
    return JSON.parse(run.stdout)
  }
  const whole = ask()
  assert.deepEqual(whole.requests.map((r) => r.decision), ['allow', 'deny', 'deny'])
  let memory = 64
  let answer = null
  for (; !isDeepStrictEqual(answer, whole); memory += 61 * step) {
    assert.ok(memory < 1 << 20, 'there is enough at last')
    answer = ask(String(memory))
    held(answer, whole, `${memory} bytes`)
  }
  assert.ok(memory > 5000, `${memory} bytes are enough`)
})

describe('allocations that fail', { skip: judge.skip || (sanitized && 'a sanitizer has an allocator of its own') }, () => {
  let folder
  const fails = (at) => {
    const orders = Buffer.alloc(16)
    orders.writeBigInt64LE(BigInt(at), 0)
    writeFileSync(join(folder, 'orders'), orders)
  }
  const ask = (question) => {
    const env = { ...process.env, LD_PRELOAD: join(BUILD, 'tests/torture/fail_malloc.so'), DOORWARD_FAIL_MALLOC: join(folder, 'orders') }
    const run = spawnSync(join(BUILD, 'tests/conformance/cedar_judge'), [], { input: JSON.stringify(question) + '\n', encoding: 'utf8', env })
    assert.equal(run.signal, null, `killed by ${run.signal}`)
    const failed = Number(readFileSync(join(folder, 'orders')).readBigInt64LE(8))
    try {
      return { failed, answer: JSON.parse(run.stdout) }
    } catch {
      return { failed, answer: {} } // the judge's own buffer got no memory
    }
  }
  before(() => (folder = mkdtempSync(join(tmpdir(), 'cedar-memory-'))))
  after(() => rmSync(folder, { recursive: true, force: true }))

  for (const [name, asked] of Object.entries(cases))
    test(name, () => {
      fails(0)
      const first = ask(good).answer
      const question = asked ?? { ...good, schema: first.schemaJson, set: first.setJson }
      const { answer: whole } = ask(question)
      assert.deepEqual(whole.requests.map((r) => r.decision), ['allow', 'deny', 'deny'])
      assert.equal(whole.validates === null, name !== 'a set that does not')
      let at = 1
      for (;; at += step) {
        fails(at)
        const { failed, answer } = ask(question)
        if (!failed) break
        held(answer, whole, `allocation ${at}`)
      }
      assert.ok(at > 30, `${at} allocations`)
    })
})
