// Ten thousand calls that wait for people at one time, and a channel that has to tell of each: nobody else waits for it.
// areas: notify, approval
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { DESK, startGate, until } from './lib/gate.mjs'
import { webhook } from './lib/sinks.mjs'

const MANY = 10000
process.env.HOOK_SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'

test('ten thousand wait at once: a channel works through them, other calls go on, one more is refused, and all of them end', { timeout: 180000 }, async (t) => {
  const hook = await webhook({ secret: process.env.HOOK_SECRET })
  const gate = await startGate({ servers: { desk: DESK }, tools: { 'desk/issue_refund': { risk: 'high' } }, session: { rate: 'none', max_tool_calls: 100000 },
    limits: { agent_rate: 'none' }, approval: { time_limit: '1h' }, channels: { hook: { kind: 'webhook', url: hook.url, secret: '${HOOK_SECRET}' } } })
  const memory = () => Number(readFileSync(`/proc/${gate.daemon.pid}/status`, 'utf8').match(/VmRSS:\s+(\d+)/)[1])
  const state = async () => (await gate.operator('GET', '/status')).json
  const time = async (what, run, began = performance.now()) => [await run(), t.diagnostic(`${what}: ${Math.round(performance.now() - began)} ms`), performance.now() - began]
  try {
    const agent = await gate.agent({ allow: ['desk/issue_refund', 'desk/lookup_order'] }), token = gate.token(agent)
    const refund = (amount) => fetch(`${gate.url}/v1/tools/desk__issue_refund/call`, { method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ arguments: { orderId: 'ORD-A1B2C3D4', amount } }) }).then(async (r) => (await r.json()).code)
    const before = memory(), codes = new Set()
    let next = 0
    await time(`${MANY} asked`, () => Promise.all(Array.from({ length: 50 }, async () => {
      while (next < MANY) codes.add(await refund(++next))
    })))
    assert.deepEqual([...codes], ['approval_pending'])
    assert.equal(await refund(0.5), 'too_many_approvals')
    assert.equal((await state()).approvals.pending, MANY)
    const waiting = async () => (await state()).channels[0].waiting
    await until('the channel to know of all', async () => (await waiting()) + hook.entries.length >= MANY - 1) // one is just being told
    assert.ok(await waiting() > 0)
    const told = hook.entries.length
    const [, , other] = await time('ten other calls meanwhile', async () => {
      for (let i = 0; i < 10; i++) assert.match((await gate.call(token, 'desk__lookup_order', { orderId: 'ORD-A1B2C3D4' })).text, /ORD-A1B2C3D4/)
    })
    assert.ok(other < 5000, `${other} ms`)
    await sleep(1000)
    const [list] = await time('the list', () => gate.operator('GET', '/approvals'))
    assert.equal(list.json.approvals.length, MANY)
    assert.ok(hook.entries.length > told, 'it goes on telling')
    t.diagnostic(`${hook.entries.length} told so far, ${Math.round((memory() - before) / MANY * 10) / 10} KB of memory for each`)
    assert.equal(gate.log.includes('channel_full'), false)
    await time('all of them void', () => gate.operator('POST', `/agents/${agent.id}/kill`, { reason: 'test' }))
    const [end, , ms] = await time('the channel through with them', () => until('the channel', async () => (await state()).channels[0].waiting === 0 && (await state()).channels[0], 60000))
    assert.deepEqual([end.up, end.dropped, (await state()).approvals.pending], [true, 0, 0])
    assert.ok(ms < 60000)
    assert.ok(hook.entries.filter((e) => e.type === 'approval.asked').length < MANY) // what was over before its turn is not told
  } finally {
    await gate.stop()
    await hook.close()
  }
})
