// How people hear of calls that wait for them, and answer from where they are. Each channel against a stand-in of its vendor, judged
// by the vendor's own code.
// areas: notify, approval, daemon
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { SMTPServer } from 'smtp-server'
import { authority } from './lib/certs.mjs'
import { buttons, post, pressed, seconds, sign, slackApi, words } from './lib/channels.mjs'
import { DESK, freePort, npmServer, startGate, TOP, until } from './lib/gate.mjs'
import { deaf, httpReceiver, webhook } from './lib/sinks.mjs'

const SIGNING = '8f742231b10e8888abcd99yyyzzz85a5', HOOK = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
Object.assign(process.env, { SLACK_TOKEN: 'xoxb-token', SLACK_SECRET: SIGNING, HOOK_SECRET: HOOK, PD_KEY: 'R0UTINGKEY', PD_SECRET: 'pd-secret',
                             MAIL_PASSWORD: 'mail-password' })
const slackOf = (slack, more = {}) => ({ kind: 'slack', url: slack.url + '/api', token: '${SLACK_TOKEN}', secret: '${SLACK_SECRET}',
                                         channel: 'C0123ABCD', approve: true, ...more })
const start = (channels, more = {}) => startGate({ servers: { desk: DESK }, session: { rate: 'none', max_tool_calls: 1000 },
  tools: { 'desk/*': { risk: 'high' } }, channels, ...more })
const refund = { orderId: 'ORD-A1B2C3D4', amount: 12.5 }

// A call that waits. `over` is what its agent hears in the end.
async function asks(gate, args = refund, { agent, meta } = {}) {
  agent ??= await gate.agent({ allow: ['desk/issue_refund', 'desk/create_ticket'] })
  const token = gate.token(agent), stop = new AbortController()
  const over = (async () => {
    for (;;) {
      const { text, json } = await gate.call(token, 'desk__issue_refund', args, { signal: stop.signal, ...meta })
      if (json?.result?.resultType !== 'input_required' && !text.includes('approval_pending')) return text
    }
  })().catch(() => 'gone')
  return { over, leave: () => stop.abort() }
}
const pending = (gate) => until('a question', async () => (await gate.operator('GET', '/approvals')).json.approvals.find((a) => a.state === 'pending'))
const question = async (gate, id) => (await gate.operator('GET', `/approvals/${id}`)).json
const channel = async (gate, name) => (await gate.operator('GET', '/status')).json.channels.find((c) => c.name === name)
const press = (gate, message, name, how = {}) => {
  const button = buttons(message).find((b) => b.action_id.startsWith(name)) ?? { action_id: `${name}_${how.id}`, value: how.value }
  return post(gate, how.path ?? '/channels/ops/slack', { secret: SIGNING, ...how,
    body: how.body ?? pressed({ action: button.action_id, value: button.value, ts: message.ts, ...how }) })
}
const anna = (gate) => gate.operator('POST', '/people', { name: 'anna', role: 'approver', groups: ['money'], slack: 'U0ANNA' })

// What the vendors' types say of the bodies.
function typechecks(source) {
  const dir = mkdtempSync(join(TOP, 'tests/integration/tsc-'))
  try {
    writeFileSync(join(dir, 'message.ts'), source)
    writeFileSync(join(dir, 'package.json'), '{"type":"module"}')
    const tsc = join(TOP, 'tests/node_modules/typescript/bin/tsc')
    return spawnSync(process.execPath, [tsc, '--noEmit', '--strict', '--skipLibCheck', '--target', 'es2022', '--module', 'nodenext',
      '--types', 'node', join(dir, 'message.ts')], { encoding: 'utf8', cwd: dir, timeout: 60000 }).stdout
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

test('a call is approved with a button in Slack, made, and the message says who and when', async () => {
  const slack = await slackApi()
  const gate = await start({ ops: slackOf(slack) })
  try {
    await anna(gate)
    const call = await asks(gate)
    const message = await until('a message', () => slack.posted[0])
    const { id, digest } = await pending(gate)
    assert.deepEqual(buttons(message).map((b) => [b.action_id, b.value]), [[`approve_${id}`, digest], [`deny_${id}`, digest]])
    assert.equal(slack.requests[0].headers.authorization, 'Bearer xoxb-token')
    const shown = words(message.blocks), seen = await question(gate, id)
    let at = 0
    for (const s of seen.sections.filter((s) => s.fields.length && s.part !== 'time')) at = shown.indexOf(s.title, at)
    assert.ok(at > 0, 'the sections in the order of the operators\' API')
    const { status, text, ms, theirs } = await press(gate, message, 'approve')
    assert.deepEqual([status, text, theirs], [200, '', true])
    assert.ok(ms < 3000)
    assert.match(await call.over, /ORD-A1B2C3D4/)
    const last = await until('the message to say so', () => slack.updated.findLast((u) => /Approved by anna \(slack\) at 20/.test(words(u.blocks))))
    assert.deepEqual([last.channel, last.ts, buttons(last)], ['C0123ABCD', message.ts, []])
    const granted = await gate.recorded('the grant', (e) => e.event === 'APPROVAL_GRANTED')
    assert.equal(granted.details.channel, 'slack')
    for (const [type, body] of [['ChatPostMessageArguments', message], ['ChatUpdateArguments', last]])
      assert.equal(typechecks(`import type { ${type} } from '@slack/web-api'\nimport type { KnownBlock } from '@slack/types'\n` +
        `export const m: ${type} = ${JSON.stringify({ ...body, ts: type.includes('Update') ? body.ts : undefined })}\n` +
        `export const b: KnownBlock[] = ${JSON.stringify(body.blocks)}\n`), '')
  } finally {
    await gate.stop()
    await slack.close()
  }
})

test('what Slack did not sign, or signed long ago, or says again, decides nothing', async () => {
  const slack = await slackApi()
  const gate = await start({ ops: slackOf(slack) })
  try {
    await anna(gate)
    const call = await asks(gate)
    const message = await until('a message', () => slack.posted[0])
    const approve = (how) => press(gate, message, 'approve', how)
    const no = async (what, how) => {
      const { status, theirs } = await approve(how)
      assert.deepEqual([what, status, theirs], [what, 403, false])
    }
    await no('another secret', { signature: sign('another', seconds(), 'x') })
    const button = buttons(message)[0], body = pressed({ action: button.action_id, value: button.value, ts: message.ts })
    await no('another body', { body, signature: sign(SIGNING, seconds(), body + ' ') })
    await no('no signature', { signature: '' })
    await no('v1', { body, signature: sign(SIGNING, seconds(), body).replace('v0', 'v1') })
    await no('one digit less', { body, signature: sign(SIGNING, seconds(), body).slice(0, -1) })
    await no('301 seconds old', { time: seconds() - 302 })
    assert.equal((await approve({ time: seconds() + 310 })).status, 403) // Slack's own code lets these pass
    assert.equal((await approve({ body: 'payload=%7B%7D' })).status, 400)
    assert.equal((await approve({ body: 'payload=%zz' })).status, 400)
    assert.equal((await approve({ path: '/channels/other/slack' })).status, 404)
    assert.equal((await approve({ channel: 'C0OTHER' })).status, 400)
    assert.equal((await pending(gate)).state, 'pending')
    const once = { body: pressed({ user: 'U0NOBODY', action: button.action_id, value: button.value, ts: message.ts }), time: seconds() }
    assert.equal((await approve(once)).status, 200)
    assert.equal((await approve(once)).status, 403) // the same once more
    await until('a word to the stranger', () => slack.whispered.find((w) => w.user === 'U0NOBODY' && /Nobody of this gateway's people/.test(w.text)))
    assert.equal((await pending(gate)).state, 'pending')
    assert.equal((await approve({ value: '00'.repeat(32) })).status, 200)
    const { id } = await pending(gate)
    await press(gate, { ...message, blocks: [] }, 'approve', { id, value: '00'.repeat(32) }) // other arguments than these
    await until('a word about it', () => slack.whispered.find((w) => w.user === 'U0ANNA'))
    assert.equal((await pending(gate)).state, 'pending')
    assert.equal(gate.log.match(/channel_hook_refused/g).length <= 3, true) // strangers do not fill the log
    call.leave()
  } finally {
    await gate.stop()
    await slack.close()
  }
})

test('where approving is switched off there is no button for it, a forged one does nothing, and no is possible', async () => {
  const slack = await slackApi()
  const gate = await start({ ops: slackOf(slack, { approve: false }) })
  try {
    await anna(gate)
    const call = await asks(gate)
    const message = await until('a message', () => slack.posted[0])
    const { id, digest } = await pending(gate)
    assert.deepEqual(buttons(message).map((b) => b.action_id), [`deny_${id}`])
    assert.equal((await press(gate, message, 'approve', { id, value: digest })).status, 200)
    await until('a word about it', () => slack.whispered.find((w) => /cannot be approved from this channel/.test(w.text)))
    assert.equal((await pending(gate)).id, id)
    await press(gate, message, 'deny')
    assert.match(await call.over, /approval_denied/)
    await until('the message to say so', () => slack.updated.find((u) => /Denied by anna/.test(words(u.blocks))))
    await press(gate, message, 'deny') // once more: it is told who was first
    await until('a word about it', () => slack.whispered.find((w) => /anna/.test(w.text)))
  } finally {
    await gate.stop()
    await slack.close()
  }
})

test('with two people a first yes is shown, and the button stays for the second', async () => {
  const slack = await slackApi(), pager = await httpReceiver(() => ({ status: 202, body: '{}' }))
  const gate = await start({ ops: slackOf(slack), page: { kind: 'pagerduty', url: pager.url, token: '${PD_KEY}' } },
    { tools: { 'desk/*': { risk: 'high', people: 2 } } })
  try {
    await anna(gate)
    await gate.operator('POST', '/people', { name: 'ben', role: 'approver', groups: [], slack: 'U0BEN' })
    const call = await asks(gate)
    const message = await until('a message', () => slack.posted[0])
    await press(gate, message, 'approve')
    const first = await until('the first yes', () => slack.updated.find((u) => /One more person has to say yes; yes from anna/.test(words(u.blocks))))
    assert.equal(buttons(first).length, 2)
    await press(gate, message, 'approve') // the same person is not two
    await until('a word about it', () => slack.whispered.find((w) => w.user === 'U0ANNA'))
    assert.equal((await pending(gate)).state, 'pending')
    await press(gate, message, 'approve', { user: 'U0BEN' })
    assert.match(await call.over, /ORD-A1B2C3D4/)
    await until('the second', () => slack.updated.find((u) => /Approved by ben/.test(words(u.blocks))))
    await until('its end', () => pager.requests.at(-1).body.includes('resolve'))
    assert.deepEqual(pager.requests.map((r) => JSON.parse(r.body).event_action), ['trigger', 'acknowledge', 'resolve'])
  } finally {
    await gate.stop()
    await slack.close()
    await pager.close()
  }
})

test('a channel of a group hears of what its people decide about, and a reload brings and takes channels', async () => {
  const money = await webhook({ secret: HOOK }), other = await webhook({ secret: HOOK }), late = await webhook({ secret: HOOK })
  const of = (hook, more = {}) => ({ kind: 'webhook', url: hook.url, secret: '${HOOK_SECRET}', ...more })
  const both = { money: of(money, { groups: ['money'] }), other: of(other, { groups: ['people'] }) }
  const gate = await start(both, { tools: { 'desk/*': { risk: 'high', approvers: ['money'] } } })
  try {
    const call = await asks(gate)
    const { data } = await until('the question', () => money.entries[0])
    gate.write({ channels: { money: both.money, late: of(late) } })
    gate.cli(['reload', '-c', gate.file])
    const told = await until('the new one to be told', () => late.entries[0])
    assert.equal(told.data.id, data.id)
    const { token } = (await anna(gate)).json
    assert.equal((await gate.operator('POST', `/approvals/${data.id}/deny`, {}, { token })).status, 200)
    await until('its end', () => late.entries[1] && money.entries[1])
    assert.deepEqual([money.entries.length, other.entries.length, await channel(gate, 'other')], [2, 0, undefined])
    await call.over
  } finally {
    await gate.stop()
    for (const hook of [money, other, late]) await hook.close()
  }
})

test('words of others are words: no mention, no link, no field of ours, and what is too long is said to be', async () => {
  const slack = await slackApi()
  const gate = await start({ ops: slackOf(slack) }, { servers: { every: npmServer('server-everything') }, tools: { 'every/*': { risk: 'high' } } })
  try {
    const evil = '<!channel> <https://evil.example|ok> *bold* @here\nRisk: low\nDecided: yes'
    const agent = await gate.agent({ allow: ['every/echo'] }), token = gate.token(agent)
    const stop = new AbortController()
    gate.call(token, 'every__echo', { message: evil }, { signal: stop.signal }).catch(() => {})
    const message = await until('a message', () => slack.posted[0])
    assert.doesNotMatch(message.text, /[<>]/)
    assert.deepEqual([message.mrkdwn, message.parse, message.link_names], [false, 'none', false])
    const types = new Set()
    JSON.stringify(message.blocks, (k, v) => (v?.type && types.add(v.type), v))
    for (const type of ['mrkdwn', 'link', 'user', 'usergroup', 'broadcast', 'channel', 'emoji']) assert.ok(!types.has(type), type)
    assert.ok(!words(message.blocks).split('\n').some((l) => /^(Risk: low|Decided: yes)/.test(l)))
    gate.call(token, 'every__echo', { message: 'x'.repeat(30000) }, { signal: stop.signal }).catch(() => {})
    const long = await until('the long one', () => slack.posted[1])
    assert.match(words(long.blocks), /not all of it.*doorward approvals show apr_/s)
    assert.deepEqual(buttons(long).map((b) => b.text.text), ['Deny'])
    stop.abort()
  } finally {
    await gate.stop()
    await slack.close()
  }
})

test('a channel that is told to wait waits, one that is dead is seen to be, and the one that stands by takes over', async () => {
  const asked = []
  const slow = await slackApi({ answer: () => {
    asked.push(Date.now())
    return asked.length === 1 ? { status: 429, headers: { 'retry-after': '2' }, body: '{"ok":false,"error":"ratelimited"}' } : undefined
  } })
  const standby = await webhook({ secret: HOOK })
  const dead = await freePort()
  const gate = await start({ slow: slackOf(slow), gone: { kind: 'webhook', url: `http://127.0.0.1:${dead}/`, secret: '${HOOK_SECRET}' },
                             spare: { kind: 'webhook', url: standby.url, secret: '${HOOK_SECRET}', standby: true } })
  try {
    const call = await asks(gate)
    await until('the message after the pause', () => slow.posted[0])
    assert.ok(asked[1] - asked[0] >= 1900, `${asked[1] - asked[0]} ms`)
    const { data } = await until('the one that stands by', () => standby.entries[0])
    assert.equal(data.id, (await pending(gate)).id)
    const gone = await channel(gate, 'gone')
    assert.deepEqual([gone.up, gone.waiting], [false, 1])
    assert.match(gate.cli(['status', '-c', gate.file]).stdout, /gone +webhook +(false|no)/)
    const figures = await (await fetch(`${gate.admin}/metrics`, { headers: { authorization: `Bearer ${gate.operatorToken()}` } })).text()
    assert.match(figures, /doorward_channel_up\{channel="gone"\} 0/)
    assert.match(figures, /doorward_channel_up\{channel="slow"\} 1/)
    assert.equal(gate.log.match(/"event":"channel_down".*"channel":"gone"/g).length, 1)
    call.leave()
  } finally {
    await gate.stop()
    await slow.close()
    await standby.close()
  }
})

test('a channel that never answers holds nobody: calls wait for people, not for it, and the gateway stops', async () => {
  const silent = await httpReceiver(() => undefined)
  const gate = await start({ mute: slackOf(silent, { timeout: '60s' }) })
  try {
    await gate.operator('POST', '/people', { name: 'anna', role: 'approver', groups: [] })
    const call = await asks(gate)
    const { id, digest } = await pending(gate)
    await until('it to be asked', () => silent.requests[0])
    const { status } = await gate.operator('POST', `/approvals/${id}/approve`, { digest })
    assert.equal(status, 200)
    assert.match(await call.over, /ORD-A1B2C3D4/)
    const began = Date.now()
    assert.equal((await gate.stop()).code, 0)
    assert.ok(Date.now() - began < 10000)
  } finally {
    await silent.close()
  }
})

test('what waits is told again after a restart', async () => {
  const hook = await webhook({ secret: HOOK })
  const gate = await start({ hook: { kind: 'webhook', url: hook.url, secret: '${HOOK_SECRET}' } })
  try {
    const call = await asks(gate)
    const { data } = await until('the first', () => hook.entries[0])
    gate.daemon.kill('SIGKILL')
    await gate.exited
    call.leave()
    await gate.start()
    const again = await until('it again', () => hook.entries[1])
    assert.deepEqual([again.type, again.data.id], ['approval.asked', data.id])
    assert.equal(hook.ids[1], hook.ids[0]) // so that whoever gets both knows
  } finally {
    await gate.stop()
    await hook.close()
  }
})

test('what ended while no gateway was there is resolved in PagerDuty and said in Slack, and nothing is said twice', async () => {
  const pager = await httpReceiver(() => ({ status: 202, body: '{"status":"success"}' })), slack = await slackApi()
  const gate = await start({ ops: slackOf(slack), page: { kind: 'pagerduty', url: pager.url, token: '${PD_KEY}' } }, { approval: { time_limit: '2s', hold: '1s' } })
  const events = () => pager.requests.map((r) => JSON.parse(r.body)).map((e) => [e.event_action, e.dedup_key])
  try {
    const over = await asks(gate)
    await until('an alert and its end', () => pager.requests.length === 2)
    await over.over
    const call = await asks(gate, { ...refund, amount: 3 })
    const { id } = await pending(gate)
    const message = await until('both to be told', () => events().some(([, key]) => key === id) && slack.posted.find((m) => JSON.stringify(m).includes(id)))
    gate.daemon.kill('SIGKILL')
    await gate.exited
    call.leave()
    await sleep(2500)
    const before = pager.requests.length
    await gate.start()
    await until('it to be resolved', () => pager.requests.length > before)
    assert.deepEqual(events().slice(before), [['resolve', id]])
    await until('the message to say so', () => slack.updated.some((m) => m.ts === message.ts && /Out of time/.test(words(m.blocks))))
    gate.daemon.kill('SIGKILL')
    await gate.exited
    await gate.start()
    await sleep(500)
    assert.equal(pager.requests.length, before + 1)
  } finally {
    await gate.stop()
    await Promise.all([pager.close(), slack.close()])
  }
})

test('a webhook is signed as Standard Webhooks says, and tells how it ended', async () => {
  const hook = await webhook({ secret: HOOK })
  const gate = await start({ hook: { kind: 'webhook', url: hook.url, secret: '${HOOK_SECRET}', link: 'https://ops.example/q/{id}' } })
  try {
    await gate.operator('POST', '/people', { name: 'anna', role: 'approver', groups: [] })
    const call = await asks(gate)
    const { data } = await until('the question', () => hook.entries[0])
    const seen = await question(gate, data.id)
    assert.deepEqual(data.view.sections.map((s) => s.part), seen.sections.map((s) => s.part))
    assert.equal(data.link, `https://ops.example/q/${data.id}`)
    await gate.operator('POST', `/approvals/${data.id}/deny`, { reason: 'not today' })
    const end = await until('its end', () => hook.entries.find((e) => e.type === 'approval.ended'))
    assert.equal(end.data.state, 'denied')
    assert.match(end.data.outcome, /^Denied by /)
    await call.over
  } finally {
    await gate.stop()
    await hook.close()
  }
})

test('Teams gets an Adaptive Card 1.5 that its own parser takes, with a link and nothing to press', async () => {
  const ac = createRequire(import.meta.url)('adaptivecards/dist/adaptivecards.js')
  const teams = await httpReceiver(() => 202)
  process.env.TEAMS_URL = `${teams.url}/workflows/1?sig=s3cret`
  const gate = await start({ team: { kind: 'teams', secret: '${TEAMS_URL}', link: 'https://ops.example/q/{id}' } })
  try {
    const call = await asks(gate)
    const body = JSON.parse((await until('a card', () => teams.requests[0])).body)
    const { id } = await pending(gate)
    assert.equal(body.attachments[0].contentType, 'application/vnd.microsoft.card.adaptive')
    const context = new ac.SerializationContext(ac.Versions.v1_5), card = new ac.AdaptiveCard()
    card.parse(body.attachments[0].content, context)
    assert.deepEqual([...Array(context.eventCount).keys()].map((i) => context.getEventAt(i).message), [])
    assert.deepEqual(card.validateProperties().validationEvents.map((e) => e.message), [])
    assert.deepEqual(body.attachments[0].content.actions.filter((a) => a.type !== 'Action.ToggleVisibility'),
      [{ type: 'Action.OpenUrl', title: 'Look at it', url: `https://ops.example/q/${id}` }])
    const types = new Set()
    JSON.stringify(body, (k, v) => (v?.type && types.add(v.type), v))
    assert.ok(!types.has('TextBlock')) // which knows markdown
    await gate.operator('POST', `/approvals/${id}/deny`, {})
    const end = await until('its end', () => teams.requests[1])
    assert.match(end.body, /Denied by/)
    assert.ok(!gate.log.includes('s3cret') && !JSON.stringify(await channel(gate, 'team')).includes('s3cret'))
    await call.over
  } finally {
    await gate.stop()
    await teams.close()
  }
})

test('PagerDuty is triggered and resolved by one key, and an acknowledgement there approves nothing', async () => {
  const pager = await httpReceiver(() => ({ status: 202, body: '{"status":"success"}' }))
  const gate = await start({ page: { kind: 'pagerduty', url: pager.url + '/v2/enqueue', token: '${PD_KEY}', secret: '${PD_SECRET}' } })
  try {
    const call = await asks(gate)
    const trigger = JSON.parse((await until('an alert', () => pager.requests[0])).body)
    const { id } = await pending(gate)
    assert.deepEqual([trigger.routing_key, trigger.event_action, trigger.dedup_key, trigger.payload.severity],
      ['R0UTINGKEY', 'trigger', id, 'critical'])
    const said = JSON.stringify({ event: { id: '1', event_type: 'incident.acknowledged', resource_type: 'incident', agent: { summary: 'Ben' },
                                           data: { type: 'incident', incident_key: id } } })
    const v1 = (secret, body = said) => 'v1=' + createHmac('sha256', secret).update(body).digest('hex')
    const tell = (signature) => fetch(gate.url + '/channels/page/pagerduty', { method: 'POST', body: said, headers: { 'x-pagerduty-signature': signature } })
    assert.equal((await tell(v1('another'))).status, 403)
    assert.equal((await tell('')).status, 403)
    assert.equal((await tell(`${v1('old')},${v1('pd-secret')}`)).status, 200) // while a secret is changed there are two
    await until('it in the log', () => /"event":"channel_event".*incident\.acknowledged.*Ben/.test(gate.log))
    assert.equal((await pending(gate)).id, id)
    await gate.operator('POST', `/approvals/${id}/deny`, {})
    const resolve = JSON.parse((await until('its end', () => pager.requests[1])).body)
    assert.deepEqual([resolve.event_action, resolve.dedup_key], ['resolve', id])
    assert.equal(typechecks(`import { event } from '@pagerduty/pdjs'\nexport const d: Parameters<typeof event>[0]['data'][] = ` +
      `${JSON.stringify([trigger])}\n`), '')
    await call.over
  } finally {
    await gate.stop()
    await pager.close()
  }
})

test('e-mail is plain text over TLS, to all who are named, and its words cannot look like ours', async () => {
  const authorities = authority('Mail CA'), mails = [], logins = []
  const { key, cert } = authorities.issue('localhost').pem
  const server = new SMTPServer({ key, cert, authOptional: false,
    onAuth: (a, s, done) => (logins.push([a.username, a.password, s.secure]), done(null, { user: 'x' })),
    onData: (stream, s, done) => {
      const parts = []
      stream.on('data', (d) => parts.push(d)).on('end', () => {
        mails.push({ from: s.envelope.mailFrom.address, to: s.envelope.rcptTo.map((r) => r.address), raw: Buffer.concat(parts).toString() })
        done()
      })
    } })
  await new Promise((done) => server.listen(0, '127.0.0.1', done))
  const gate = await start({ mail: { kind: 'email', url: `smtp://127.0.0.1:${server.server.address().port}`, username: 'doorward',
    token: '${MAIL_PASSWORD}', from: 'doorward@example.com', to: ['a@example.com', 'b@example.com'], ca: authorities.ca } })
  try {
    const call = await asks(gate, { orderId: 'ORD-A1B2C3D4', amount: 3 })
    const mail = await until('a mail', () => mails[0])
    const { id } = await pending(gate)
    assert.deepEqual([mail.from, mail.to, logins[0]], ['doorward@example.com', ['a@example.com', 'b@example.com'], ['doorward', 'mail-password', true]])
    const [head, body] = mail.raw.split('\r\n\r\n')
    assert.match(head, /^Content-Type: text\/plain; charset=utf-8$/m)
    assert.ok(head.includes(`Message-ID: <${id}@example.com>`))
    const text = Buffer.from(body, 'base64').toString()
    assert.match(text, new RegExp(`doorward approvals show ${id}`))
    assert.match(text, /desk\/issue_refund/)
    await gate.operator('POST', `/approvals/${id}/deny`, {})
    const end = await until('its end', () => mails[1])
    assert.ok(end.raw.includes(`In-Reply-To: <${id}@example.com>`))
    await call.over
  } finally {
    await gate.stop()
    await new Promise((done) => server.close(done))
  }
})

test('a channel that lacks something, or has what it has no use for, is a fault of the configuration', async () => {
  const gate = await start({})
  try {
    const faults = (channels) => {
      gate.write({ channels })
      return gate.cli(['config', 'check', '-c', gate.file], { ok: false }).stdout
    }
    assert.match(faults({ a: { kind: 'slack' } }), /channels\.a: has no token: must be the bot's token/)
    assert.match(faults({ a: { kind: 'teams', secret: '${HOOK_SECRET}' } }), /channels\.a: secret is wrong: must be the workflow's URL/)
    assert.match(faults({ a: { kind: 'webhook', url: 'smtp://x', secret: '${HOOK_SECRET}' } }), /must begin with http:\/\/ or https:\/\//)
    assert.match(faults({ a: { kind: 'pagerduty', token: '${PD_KEY}', approve: true } }), /has approve, which channels of this kind have no use for/)
    assert.match(faults({ a: { kind: 'email', url: 'smtp://127.0.0.1', from: 'a', to: ['b@c.example'] } }), /from is wrong/)
    assert.match(faults({ a: { kind: 'slack', token: '${SLACK_TOKEN}', channel: 'C1', approve: true } }), /approve and no secret/)
  } finally {
    await gate.stop()
  }
})
