// Break-glass: one approver alone, for a while and with a reason; everybody is paged over every channel, and it ends by itself.
// areas: approval, approve, notify, admin, cli
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { test } from 'node:test'
import { SMTPServer } from 'smtp-server'
import { authority } from './lib/certs.mjs'
import { slackApi, words } from './lib/channels.mjs'
import { DESK, DOORWARD, startGate, TOP, until } from './lib/gate.mjs'
import { httpReceiver, webhook } from './lib/sinks.mjs'

const HOOK = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const REFUND = { orderId: 'ORD-A1B2C3D4', amount: 12.5 }
process.env.HOOK_SECRET = HOOK

const tools = { 'desk/issue_refund': { risk: 'high', approvers: ['money'], people: 2 }, 'desk/delete_account': { risk: 'critical' } }
const start = (more = {}) => startGate({ servers: { desk: DESK }, session: { rate: 'none', max_tool_calls: 1000 }, tools, ...more })

// What an agent's call comes to, however often it has to ask.
const asks = (gate, token, tool = 'issue_refund', args = REFUND) => (async () => {
  for (;;) {
    const { text, json } = await gate.call(token, `desk__${tool}`, args)
    if (json?.result?.resultType !== 'input_required' && !text.includes('approval_pending')) return text
  }
})().catch(() => 'gone')
const pending = (gate) => until('a question', async () => (await gate.operator('GET', '/approvals')).json.approvals[0])
const add = async (gate, name, more = {}) => (await gate.operator('POST', '/people', { name, ...more })).json.token
const approve = (gate, q, token, more = {}) => gate.operator('POST', `/approvals/${q.id}/approve`, { digest: q.digest, ...more }, { token })
const open = (gate, minutes = 30) => gate.operator('POST', '/break-glass', { reason: 'nobody of money can be reached', minutes })

function typechecks(source) {
  const dir = mkdtempSync(join(TOP, 'tests/integration/tsc-'))
  try {
    writeFileSync(join(dir, 'message.ts'), source)
    writeFileSync(join(dir, 'package.json'), '{"type":"module"}')
    return spawnSync(process.execPath, [join(TOP, 'tests/node_modules/typescript/bin/tsc'), '--noEmit', '--strict', '--skipLibCheck', '--target', 'es2022',
      '--module', 'nodenext', '--types', 'node', join(dir, 'message.ts')], { encoding: 'utf8', cwd: dir, timeout: 60000 }).stdout
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

test('one approver alone says yes while it is open, and it is seen and on record', async () => {
  const gate = await start()
  try {
    const sam = await add(gate, 'sam', { groups: ['support'] }), lead = await add(gate, 'lead', { role: 'operator' })
    const token = gate.token(await gate.agent({ allow: ['desk/issue_refund'] }))
    const call = asks(gate, token), q = await pending(gate)
    assert.equal((await approve(gate, q, sam, { breakGlass: true })).json.error, 'conflict')
    assert.equal((await gate.operator('POST', '/break-glass', { reason: 'x', minutes: 5 }, { token: sam })).json.error, 'forbidden')
    assert.equal((await gate.operator('POST', '/break-glass', { minutes: 5 }, { token: lead })).json.error, 'invalid_params')
    assert.match((await gate.operator('POST', '/break-glass', { reason: 'x', minutes: 61 }, { token: lead })).json.message, /from 1 to 60/)
    const stream = await fetch(`${gate.admin}/admin/v1/approvals/stream`, { headers: { authorization: `Bearer ${sam}` } })
    const cli = (args, who) => spawnSync(DOORWARD, [...args, '--admin', gate.admin], { encoding: 'utf8', timeout: 20000,
      env: { ...process.env, DOORWARD_ADMIN_TOKEN: who } })
    assert.match(cli(['break-glass', 'start', '--reason', 'nobody of money answers', '--minutes', '30'], lead).stdout, /by +lead[^]*ends at +.*in (30|29)m/)
    assert.equal((await gate.operator('GET', '/break-glass')).json.channels, 0)
    assert.match(cli(['status'], sam).stdout, /BREAK-GLASS IS OPEN, by lead \(nobody of money answers\), used 0 times, ends in/)
    assert.match(cli(['approvals', 'list'], sam).stderr, /break-glass is open, by lead/)
    assert.match(cli(['approvals', 'show', q.id], sam).stdout, /Break-glass +open until .*\n +Opened by +lead: nobody of money answers/)
    assert.match(await (await fetch(`${gate.admin}/metrics`, { headers: { authorization: `Bearer ${sam}` } })).text(), /^doorward_break_glass 1$/m)
    assert.equal((await approve(gate, q, sam)).json.error, 'forbidden') // nobody breaks it by mistake
    assert.match(cli(['approvals', 'approve', q.id, '--break-glass', '--yes'], sam).stdout, /is granted/)
    assert.match(await call, /ORD-A1B2C3D4/)
    const used = await gate.recorded('the use', (e) => e.event === 'BREAK_GLASS_USED')
    assert.deepEqual([used.actor, used.details.approval, used.details.waived], ['sam', q.id, ['groups', 'people']])
    const granted = await gate.recorded('the grant', (e) => e.event === 'APPROVAL_GRANTED')
    assert.equal(granted.details.breakGlass, used.details.breakGlass)
    assert.match((await gate.operator('GET', `/approvals/${q.id}`)).json.sections[0].fields.map((f) => f.value).join(), /approve by sam, over cli, by break-glass/)
    assert.match(cli(['break-glass', 'end', '--reason', 'money is back'], lead).stdout, /has ended; it was used 1 time$/m)
    const began = await gate.recorded('the start', (e) => e.event === 'BREAK_GLASS_STARTED')
    assert.deepEqual([began.actor, began.policyDecision.reason, began.details.breakGlass], ['lead', 'nobody of money answers', used.details.breakGlass])
    const ended = await gate.recorded('the end', (e) => e.event === 'BREAK_GLASS_ENDED')
    assert.deepEqual([ended.actor, ended.policyDecision.reason, ended.details.used], ['lead', 'money is back', 1])
    assert.equal(cli(['break-glass', 'status'], sam).stdout, 'break-glass is not open\n')
    let events = ''
    for await (const chunk of stream.body) if (/"event":"ended"/.test(events += Buffer.from(chunk).toString())) break
    assert.deepEqual([...events.matchAll(/event: break-glass\ndata: \{"event":"(\w+)","at":"[^"]*","by":"(\w+)"/g)].map((m) => [m[1], m[2]]),
      [['started', 'lead'], ['used', 'sam'], ['ended', 'lead']])
  } finally {
    await gate.stop()
  }
})

test('it lifts neither critical nor what policies forbid, and nobody approves for his own agent by it', async () => {
  const gate = await start({ policy: { files: [] } })
  try {
    writeFileSync(join(gate.dir, 'p.cedar'), 'permit (principal, action, resource); @id("soon") forbid (principal, action, resource) when { context.session.age > 1 };')
    gate.write({ policy: { files: [{ file: 'p.cedar' }] } })
    gate.daemon.kill('SIGHUP')
    await until('the policies', async () => (await gate.operator('GET', '/policies')).json.files?.length === 1)
    const owner = await add(gate, 'support-team'), user = await add(gate, 'usr_1'), sam = await add(gate, 'sam')
    const agent = await gate.agent({ allow: ['desk/issue_refund', 'desk/delete_account'] }), s = gate.open(agent, '--user', 'usr_1')
    await open(gate)
    assert.match((await gate.call(s.access_token, 'desk__delete_account', { customerId: 'usr_1' })).text, /critical_risk/)
    const call = asks(gate, s.access_token), q = await pending(gate)
    for (const own of [owner, user]) assert.match((await approve(gate, q, own, { breakGlass: true })).json.message, /^the (agent's owner|user on whose behalf)/)
    await new Promise((done) => setTimeout(done, 2100))
    assert.equal((await approve(gate, q, sam, { breakGlass: true })).status, 200)
    assert.match(await call, /policy_denied/)
  } finally {
    await gate.stop()
  }
})

test('a restart keeps it open for what is left of its time, and everybody is told again', async () => {
  const hook = await webhook({ secret: HOOK })
  const gate = await start({ channels: { spare: { kind: 'webhook', url: hook.url, secret: '${HOOK_SECRET}', standby: true } } })
  try {
    await open(gate, 1)
    const before = (await gate.operator('GET', '/break-glass')).json.breakGlass
    await until('everybody to be told', () => hook.entries[0])
    gate.daemon.kill('SIGKILL')
    await gate.exited
    await gate.start()
    assert.deepEqual((await gate.operator('GET', '/break-glass')).json.breakGlass, before)
    await until('it to be told again, as the same', () => hook.ids[1])
    assert.equal(hook.ids[1], hook.ids[0])
  } finally {
    await gate.stop()
    await hook.close()
  }
})

test('its start, each use and its end page everybody, in every kind of channel, whatever its groups', async () => {
  const authorities = authority('Mail CA'), mails = [], { key, cert } = authorities.issue('localhost').pem
  const smtp = new SMTPServer({ key, cert, authOptional: true, onData: (stream, s, done) => {
    const parts = []
    stream.on('data', (d) => parts.push(d)).on('end', () => (mails.push(Buffer.concat(parts).toString()), done()))
  } })
  await new Promise((done) => smtp.listen(0, '127.0.0.1', done))
  const slack = await slackApi(), hook = await webhook({ secret: HOOK })
  const teams = await httpReceiver(() => 202), pager = await httpReceiver(() => ({ status: 202, body: '{"status":"success"}' }))
  Object.assign(process.env, { SLACK_TOKEN: 'xoxb-token', TEAMS_URL: `${teams.url}/workflows/1`, PD_KEY: 'R0UTINGKEY' })
  const others = { groups: ['nobody'] }
  const gate = await start({ channels: {
    slack: { kind: 'slack', url: slack.url + '/api', token: '${SLACK_TOKEN}', channel: 'C1', ...others },
    teams: { kind: 'teams', secret: '${TEAMS_URL}', ...others },
    pager: { kind: 'pagerduty', url: pager.url, token: '${PD_KEY}', standby: true },
    hook: { kind: 'webhook', url: hook.url, secret: '${HOOK_SECRET}', standby: true },
    mail: { kind: 'email', url: `smtp://127.0.0.1:${smtp.server.address().port}`, from: 'doorward@example.com', to: ['a@example.com'], ca: authorities.ca, ...others } } })
  try {
    const sam = await add(gate, 'sam', { groups: ['support'] })
    const token = gate.token(await gate.agent({ allow: ['desk/issue_refund'] }))
    const call = asks(gate, token), q = await pending(gate)
    const { id } = (await open(gate)).json.breakGlass
    await approve(gate, q, sam, { breakGlass: true })
    await call
    await gate.operator('POST', '/break-glass/end', {})
    const three = [[/has opened break-glass: until/, /nobody of money can be reached/], [/sam has approved a call of .* to desk\/issue_refund alone, by break-glass/, new RegExp(q.id)],
                   [/has ended break-glass/, /Times used/]]
    const says = (texts) => three.forEach((all, i) => all.forEach((one) => assert.match(texts[i], one)))

    await until('Slack', () => slack.posted.length === 3)
    says(slack.posted.map((m) => words(m.blocks)))
    assert.equal(typechecks(`import type { ChatPostMessageArguments } from '@slack/web-api'\nimport type { KnownBlock } from '@slack/types'\n` +
      `export const m: ChatPostMessageArguments[] = ${JSON.stringify(slack.posted.map(({ ts, ...m }) => m))}\nexport const b: KnownBlock[] = ${JSON.stringify(slack.posted[1].blocks)}\n`), '')

    await until('Teams', () => teams.requests.length === 3)
    const ac = createRequire(import.meta.url)('adaptivecards/dist/adaptivecards.js')
    const texts = teams.requests.map((r) => {
      const { content } = JSON.parse(r.body).attachments[0], context = new ac.SerializationContext(ac.Versions.v1_5), card = new ac.AdaptiveCard()
      card.parse(content, context)
      assert.deepEqual([context.eventCount, card.validateProperties().validationEvents.length], [0, 0])
      return content.body.map((b) => b.inlines.map((t) => t.text).join('')).join('\n')
    })
    says(texts)

    const alerts = (await until('PagerDuty', () => pager.requests.length === 4 && pager.requests)).map((r) => JSON.parse(r.body))
    assert.deepEqual(alerts.map((a) => [a.event_action, a.dedup_key, a.payload?.severity]),
      [['trigger', `${id}-started`, 'critical'], ['trigger', `${id}-${q.id}`, 'critical'], ['trigger', `${id}-ended`, 'info'], ['resolve', `${id}-started`, undefined]])
    says(alerts.slice(0, 3).map((a) => `${a.payload.summary}\n${JSON.stringify(a.payload.custom_details)}`))
    assert.equal(typechecks(`import { event } from '@pagerduty/pdjs'\nexport const d: Parameters<typeof event>[0]['data'][] = ${JSON.stringify(alerts.slice(0, 3))}\n`), '')

    await until('the webhook', () => hook.entries.length === 3) // each signature was judged by standardwebhooks
    assert.deepEqual(hook.entries.map((e) => e.type), ['break-glass.started', 'break-glass.used', 'break-glass.ended'])
    assert.deepEqual([hook.entries[1].data.by, hook.entries[1].data.approval, hook.entries[2].data.used], ['sam', q.id, 1])

    await until('e-mail', () => mails.length === 3)
    says(mails.map((m) => Buffer.from(m.split('\r\n\r\n')[1], 'base64').toString()))
    assert.deepEqual(mails.map((m) => m.match(/Message-ID: <(.*)@/)[1]), [`${id}-started`, `${id}-${q.id}`, `${id}-ended`])
  } finally {
    await gate.stop()
    await Promise.all([slack.close(), hook.close(), teams.close(), pager.close(), new Promise((done) => smtp.close(done))])
  }
})
