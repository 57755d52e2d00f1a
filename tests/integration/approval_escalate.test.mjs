// A question that nobody decides goes to a second group: who may decide then, who is told, and what is shown and on record.
// areas: approval, approve, notify, conf
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { slackApi, words } from './lib/channels.mjs'
import { DESK, DOORWARD, startGate, until } from './lib/gate.mjs'
import { httpReceiver, webhook } from './lib/sinks.mjs'

const HOOK = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
Object.assign(process.env, { HOOK_SECRET: HOOK, PD_KEY: 'R0UTINGKEY', SLACK_TOKEN: 'xoxb-token' })
const REFUND = { orderId: 'ORD-A1B2C3D4', amount: 12.5 }

test('after its time people of the second group may decide, their channels are told, and everybody sees it', async () => {
  const first = await slackApi(), second = await webhook({ secret: HOOK }), pager = await httpReceiver(() => ({ status: 202, body: '{}' }))
  const gate = await startGate({
    servers: { desk: DESK }, session: { rate: 'none' },
    tools: { 'desk/issue_*': { risk: 'high', approvers: ['money'], escalate: { to: ['managers'], after: '3s' } },
             'desk/*': { risk: 'low', escalate: { to: ['board'], after: '20s' } } },
    channels: { ops: { kind: 'slack', url: first.url + '/api', token: '${SLACK_TOKEN}', channel: 'C1', groups: ['money'] },
                page: { kind: 'pagerduty', url: pager.url, token: '${PD_KEY}', groups: ['money'] },
                high: { kind: 'webhook', url: second.url, secret: '${HOOK_SECRET}', groups: ['managers'] } },
  })
  const watch = spawn(DOORWARD, ['approvals', 'list', '--watch', '--admin', gate.admin], { env: { ...process.env, DOORWARD_ADMIN_TOKEN: gate.operatorToken() } })
  let seen = ''
  watch.stdout.on('data', (d) => (seen += d))
  try {
    const as = {}
    for (const [name, group] of [['anna', 'money'], ['mara', 'managers'], ['sam', 'support']])
      as[name] = (await gate.operator('POST', '/people', { name, groups: [group] })).json.token
    const token = gate.token(await gate.agent({ allow: ['desk/issue_refund'] }))
    const call = (async () => {
      for (;;) {
        const { text, json } = await gate.call(token, 'desk__issue_refund', REFUND)
        if (json?.result?.resultType !== 'input_required' && !text.includes('approval_pending')) return text
      }
    })()
    const q = await until('a question', async () => (await gate.operator('GET', '/approvals')).json.approvals[0])
    assert.deepEqual([q.reviewers, q.escalateTo.toSorted(), q.escalatedAt], [['money'], ['board', 'managers'], null])
    assert.equal(Date.parse(q.escalatesAt) - Date.parse(q.createdAt), 3000) // the shortest of the patterns
    const decide = (name) => gate.operator('POST', `/approvals/${q.id}/approve`, { digest: q.digest }, { token: as[name] })
    const show = async () => (await gate.operator('GET', `/approvals/${q.id}`)).json
    assert.match((await show()).deadline, /Goes to managers, board as well at 20.* UTC\.$/)
    assert.equal((await decide('mara')).json.error, 'forbidden')
    await until('the first message', () => first.posted[0])
    assert.equal(second.entries.length, 0)
    const stream = await fetch(`${gate.admin}/admin/v1/approvals/stream`, { headers: { authorization: `Bearer ${gate.operatorToken()}` } })
    const { data } = await until('the second channel to be told', () => second.entries[0])
    assert.deepEqual([second.entries[0].type, data.id, data.escalatedAt !== null], ['approval.asked', q.id, true])
    assert.match((await show()).deadline, /Escalated to managers, board at 20.* UTC\.$/)
    assert.match(words((await until('the first one to be changed', () => first.updated[0])).blocks), /Escalated to managers, board at/)
    assert.deepEqual(pager.requests.map((r) => JSON.parse(r.body).event_action), ['trigger']) // and no acknowledgement
    const e = await gate.recorded('the escalation', (x) => x.event === 'APPROVAL_ESCALATED')
    assert.deepEqual([e.details.approval, e.details.reviewers, e.details.to.toSorted()], [q.id, ['money'], ['board', 'managers']])
    assert.equal((await decide('sam')).json.error, 'forbidden')
    await until('the watcher to see it', () => /ends .*, escalated to /.test(seen))
    assert.match(gate.cli(['approvals', 'show', q.id, '--admin', gate.admin], { ok: false }).stdout, /Escalated to managers, board at/)
    assert.equal((await decide('mara')).status, 200)
    assert.match(await call, /ORD-A1B2C3D4/)
    let events = ''
    for await (const chunk of stream.body) {
      events += Buffer.from(chunk).toString()
      if (/"before":"pending","state":"pending".*"escalatedAt":"20/.test(events)) break
    }
  } finally {
    watch.kill()
    await gate.stop()
    await Promise.all([first.close(), second.close(), pager.close()])
  }
})

test('a gateway that is killed meanwhile escalates at the same moment, and tells the second group', async () => {
  const hook = await webhook({ secret: HOOK })
  const gate = await startGate({ servers: { desk: DESK }, approval: { hold: '1s' },
    tools: { 'desk/*': { risk: 'high', approvers: ['money'], escalate: { to: ['managers'], after: '4s' } } },
    channels: { high: { kind: 'webhook', url: hook.url, secret: '${HOOK_SECRET}', groups: ['managers'] } } })
  try {
    const token = gate.token(await gate.agent({ allow: ['desk/issue_refund'] }))
    await gate.call(token, 'desk__issue_refund', REFUND)
    const q = await until('a question', async () => (await gate.operator('GET', '/approvals')).json.approvals[0])
    gate.daemon.kill('SIGKILL')
    await gate.exited
    await sleep(500)
    await gate.start()
    assert.equal((await gate.operator('GET', '/approvals')).json.approvals[0].escalatesAt, q.escalatesAt)
    const { data } = await until('the second group to be told', () => hook.entries[0])
    const late = Date.parse(data.escalatedAt) - Date.parse(q.escalatesAt)
    assert.ok(late >= 0 && late < 2000, `${late} ms`)
  } finally {
    await gate.stop()
    await hook.close()
  }
})

test('an escalation that lacks something, or comes after the end, is a fault of the configuration', async () => {
  const gate = await startGate({ servers: { desk: DESK } })
  try {
    const faults = (escalate) => {
      gate.write({ tools: { 'desk/*': { escalate } } })
      return gate.cli(['config', 'check', '-c', gate.file], { ok: false }).stdout
    }
    assert.match(faults({ to: ['managers'] }), /tools\.desk\/\*\.escalate: must have both to and after/)
    assert.match(faults({ after: '1m' }), /must have both to and after/)
    assert.match(faults({ to: ['managers'], after: '5m' }), /escalate\.after is not before the end: must be less than approval\.time_limit/)
    assert.doesNotMatch(faults({ to: ['managers'], after: '2m' }), /escalate/)
  } finally {
    await gate.stop()
  }
})
