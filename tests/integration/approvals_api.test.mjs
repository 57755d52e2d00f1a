// Deciding over the operators' API and with the command line: who may, what is shown before, and what a decision is bound to.
// areas: approval, admin, cli, people
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { DESK, DOORWARD, startGate, until } from './lib/gate.mjs'

const ORDER = 'ORD-A1B2C3D4', REFUND = { orderId: ORDER, amount: 12.5 }
let gate, agent
const people = {} // name -> token

before(async () => {
  process.env.WATCHER_TOKEN = 'watcher-token-of-this-test'
  gate = await startGate({
    servers: { desk: DESK },
    session: { rate: '1000/second', max_tool_calls: 1000 },
    operators: [{ name: 'watcher', role: 'viewer', token: '${WATCHER_TOKEN}' }],
    tools: { 'desk/issue_refund': { risk: 'high' }, 'desk/search_faq': { risk: 'high' }, 'desk/create_ticket': { risk: 'medium' } },
  })
  agent = await gate.agent({ allow: ['desk/issue_refund', 'desk/create_ticket', 'desk/lookup_order', 'desk/search_faq'], more: ['--max-sessions', '50'] })
  for (const name of ['anna', 'ben', 'quick'])
    people[name] = (await gate.operator('POST', '/people', { name, groups: ['money'] })).json.token
})
after(() => gate?.stop())

const as = (name, method, path, body) => gate.operator(method, path, body, { token: people[name] })
const session = (...args) => gate.open(agent, '--user', 'usr_1', ...args)
const pending = () => until('a question', async () => (await gate.operator('GET', '/approvals')).json.approvals.at(-1))
const section = (a, part) => a.sections.find((s) => s.part === part)
const field = (a, part, name) => section(a, part).fields.find((f) => f.name === name)
const cli = (name, args, { env = {}, ...more } = {}) => spawnSync(DOORWARD, [...args, '--admin', gate.admin], { encoding: 'utf8', timeout: 20000,
  env: { ...process.env, DOORWARD_ADMIN_TOKEN: people[name], ...env }, cwd: gate.dir, ...more })
const digest = async (id) => (await gate.operator('GET', `/approvals/${id}`)).json.digest
const decided = async (s, args = REFUND, tool = 'issue_refund') => { // what the agent hears, however it has to ask
  for (;;) {
    const { json } = await gate.call(s.access_token, `desk__${tool}`, args)
    if (json?.error?.data?.code !== 'approval_pending' && json?.result?.structuredContent?.error !== 'approval_pending' &&
        !JSON.stringify(json).includes('approval_pending') && json?.result?.resultType !== 'input_required') return JSON.stringify(json)
  }
}

test('what an approver sees comes in one order, in full, and the agent\'s words last', async () => {
  const s = session()
  await gate.call(s.access_token, 'desk__lookup_order', { orderId: ORDER })
  const asked = decided(s, { query: 'nice \u202e price\u0007' }, 'search_faq')
  const { id } = await pending()
  const { status, json: a } = await as('anna', 'GET', `/approvals/${id}`)
  assert.equal(status, 200)
  assert.deepEqual(a.sections.map((x) => x.part), ['time', 'who', 'tool', 'effect', 'why', 'calls', 'earlier', 'reasoning'])
  assert.equal(a.headline, 'customer-support wants to call desk/search_faq for usr_1: query "nice \\u{202e} price\\u0007"')
  assert.match(a.deadline, /^Until .* UTC \(in .*\); then it counts as denied/)
  assert.equal(field(a, 'who', 'Owner').value, 'support-team')
  assert.equal(field(a, 'effect', 'query').value, '"nice \\u{202e} price\\x07"')
  assert.match(section(a, 'calls').fields[0].value, /^desk\/lookup_order .*ORD-A1B2C3D4/)
  assert.deepEqual(a.sections.filter((x) => x.untrusted).map((x) => x.part), ['reasoning'])
  await as('anna', 'POST', `/approvals/${id}/deny`, {})
  assert.match(await asked, /denied/)
})

test('a viewer looks and does not decide; an approver decides; who comes second is told who was first', async () => {
  const s = session(), asked = decided(s)
  const { id } = await pending()
  const body = { digest: await digest(id) }
  const looked = await gate.operator('POST', `/approvals/${id}/approve`, body, { token: 'watcher-token-of-this-test' })
  assert.deepEqual([looked.status, looked.json.error, looked.json.message], [403, 'forbidden', 'this needs the role approver'])
  assert.equal((await gate.operator('GET', `/approvals/${id}`, undefined, { token: 'watcher-token-of-this-test' })).status, 200)
  assert.equal((await as('anna', 'POST', `/approvals/${id}/approve`, {})).json.error, 'invalid_params')
  const other = await as('anna', 'POST', `/approvals/${id}/approve`, { digest: 'ab'.repeat(32) })
  assert.equal(other.json.error, 'invalid_params')
  const yes = await as('anna', 'POST', `/approvals/${id}/approve`, body)
  assert.deepEqual([yes.status, yes.json.by], [200, 'anna'])
  const late = await as('ben', 'POST', `/approvals/${id}/deny`, body)
  assert.equal(late.status, 409)
  assert.match(late.json.message, /anna/)
  assert.match(await asked, /ORD-A1B2C3D4/)
  const e = await gate.recorded('the yes', (x) => x.event === 'APPROVAL_GRANTED' && x.actor === 'anna')
  assert.equal(e.details.channel, 'api')
})

test('the command line shows it in two lines, exits with 4 while it waits, and decides about what it showed', async () => {
  const s = session(), asked = decided(s)
  const { id } = await pending()
  const show = cli('anna', ['approvals', 'show', id])
  assert.equal(show.status, 4)
  const [first, second] = show.stdout.split('\n')
  assert.match(first, /customer-support wants to call desk\/issue_refund for usr_1/)
  assert.match(second, /^Until /)
  assert.ok(show.stdout.trimEnd().split('\n\n').at(-1).startsWith('What the agent says'))
  assert.equal(JSON.parse(cli('anna', ['approvals', 'show', id, '--json']).stdout).id, id)
  const unasked = cli('anna', ['approvals', 'approve', id], { input: '' })
  assert.equal(unasked.status, 1)
  assert.match(unasked.stderr, /nothing was decided/)
  const yes = cli('anna', ['approvals', 'approve', id, '--yes', '--reason', 'it did'])
  assert.deepEqual([yes.status, yes.stdout.trimEnd().split('\n').at(-1)], [0, `${id} is granted`])
  assert.match(await asked, /ORD-A1B2C3D4/)
  const e = await gate.recorded('the yes', (x) => x.event === 'APPROVAL_GRANTED' && x.details.channel === 'cli')
  assert.ok(e.details.dwellMs > 0)
})

test('a reason for a no is what the agent is told', async () => {
  const s = session(), asked = decided(s)
  const { id } = await pending()
  assert.equal(cli('ben', ['approvals', 'deny', id, '--reason', 'ask the customer for a picture first']).status, 0)
  assert.match(await asked, /ask the customer for a picture first/)
})

test('who waits at a terminal for what people say is told as soon as they have, with an exit code', async () => {
  const waits = (id) => {
    const child = spawn(DOORWARD, ['approvals', 'show', id, '--watch', '--admin', gate.admin], { env: { ...process.env, DOORWARD_ADMIN_TOKEN: people.anna } })
    let out = ''
    child.stdout.on('data', (d) => (out += d))
    return { shown: () => until('it to be shown', () => out.includes('issue_refund')), end: once(child, 'exit').then(([code]) => ({ code, out })) }
  }
  for (const [verb, code, words] of [['approve', 0, /^apr_\w+: Approved/m], ['deny', 3, /^apr_\w+: Denied/m]]) {
    const s = session(), asked = decided(s, { ...REFUND, amount: code + 1 }), { id } = await pending()
    const terminal = waits(id)
    await terminal.shown()
    await as('ben', 'POST', `/approvals/${id}/${verb}`, verb === 'approve' ? { digest: await digest(id) } : {})
    const { code: exit, out } = await terminal.end
    assert.equal(exit, code)
    assert.match(out, words)
    await asked
    assert.equal(cli('anna', ['approvals', 'show', id, '--watch']).status, code) // at once
  }
})

test('edited arguments are what is sent, and the difference is shown before', async () => {
  const s = session(), asked = decided(s)
  const { id } = await pending()
  const editor = join(gate.dir, 'editor.sh')
  writeFileSync(editor, '#!/bin/sh\nsed -i "s/12.5/5/" "$1"\n')
  chmodSync(editor, 0o700)
  const r = cli('anna', ['approvals', 'approve', id, '--edit', '--yes'], { env: { VISUAL: '', EDITOR: editor } })
  assert.equal(r.status, 0, r.stderr)
  assert.match(r.stderr, /amount: 12\.5 -> 5/)
  assert.match(await asked, /"refunded":5[,}]/)
  const unchanged = decided(session())
  const next = (await until('another question', async () => (await gate.operator('GET', '/approvals')).json.approvals.find((a) => a.id !== id))).id
  const none = cli('anna', ['approvals', 'approve', next, '--edit', '--yes'], { env: { VISUAL: '', EDITOR: 'true' } })
  assert.match(none.stderr, /nothing was edited/)
  cli('anna', ['approvals', 'deny', next])
  await unchanged
})

test('a secret in the arguments is not shown, and what was not shown is not edited', async () => {
  const secret = 'Bearer abcdefghijklmnop0123456789', asked = decided(session(), { query: secret }, 'search_faq')
  const { id } = await pending()
  const { json: a } = await as('anna', 'GET', `/approvals/${id}`)
  assert.ok(!JSON.stringify(a).includes('abcdefghijklmnop'))
  assert.deepEqual([a.masked, a.arguments], [true, { query: '[masked]' }])
  assert.equal(field(a, 'effect', 'query').note, `not shown: ${secret.length + 2} bytes of JSON`)
  const edit = await as('anna', 'POST', `/approvals/${id}/approve`, { digest: a.digest, arguments: { query: '[masked] please' } })
  assert.deepEqual([edit.status, edit.json.error], [400, 'invalid_params'])
  const r = cli('anna', ['approvals', 'approve', id, '--edit', '--yes'], { env: { VISUAL: '', EDITOR: 'true' } })
  assert.match(r.stderr, /hold what is not shown here/)
  await as('anna', 'POST', `/approvals/${id}/deny`, {})
  await asked
})

test('a no may stop the session as well', async () => {
  const s = session(), asked = decided(s).catch(String)
  const { id } = await pending()
  const r = cli('anna', ['approvals', 'deny', id, '--kill', '--yes', '--json'])
  assert.equal(r.status, 0, r.stderr)
  assert.equal(JSON.parse(r.stdout).sessionsKilled, 1)
  await asked
  assert.equal((await gate.operator('GET', `/sessions/${s.sessionId}`)).json.state, 'stopped')
})

test('a person\'s token is shown once, kept as a hash, and worth nothing once the person is removed', async () => {
  const added = await gate.operator('POST', '/people', { name: 'cora', groups: ['money', 'night'], slack: 'U1' })
  assert.equal(added.status, 201)
  const { token } = added.json
  assert.match(token, /^dwp_/)
  const list = await gate.operator('GET', '/people')
  assert.ok(!JSON.stringify(list.json).includes(token))
  assert.deepEqual(list.json.people.find((p) => p.name === 'cora').groups, ['money', 'night'])
  const look = (t) => gate.operator('GET', '/approvals', undefined, { token: t })
  assert.equal((await look(token)).status, 200)
  assert.equal((await gate.operator('POST', '/people', { name: 'dan' }, { token })).status, 403)
  assert.equal((await gate.operator('POST', '/people', { name: 'cora' })).json.error, 'already_exists')
  const turned = gate.cli(['people', 'token', 'cora', '-c', gate.file]).stdout.trimEnd().split('\n').at(-1)
  assert.deepEqual([(await look(token)).status, (await look(turned)).status], [401, 200])
  assert.equal((await gate.operator('POST', '/people', { name: 'cora', enabled: false, replace: true })).status, 200)
  assert.equal((await look(turned)).status, 401)
  assert.equal((await gate.operator('DELETE', '/people/cora')).status, 200)
  assert.equal((await gate.operator('DELETE', '/people/cora')).status, 404)
  const told = gate.audit().filter((e) => e.event.startsWith('PERSON_') && e.details.name === 'cora')
  assert.deepEqual(told.map((e) => e.event), ['PERSON_ADDED', 'PERSON_TOKEN', 'PERSON_CHANGED', 'PERSON_REMOVED'])
  assert.ok(!JSON.stringify(told).includes(token))
})

test('people are there after a restart, with their tokens', async () => {
  gate.daemon.kill('SIGTERM')
  await gate.exited
  await gate.start()
  assert.equal((await as('anna', 'GET', '/approvals')).status, 200)
})

test('a call of medium risk goes through, and is in the queue until somebody clears it', async () => {
  const s = session()
  const made = await gate.call(s.access_token, 'desk__create_ticket', { subject: 'it is late' })
  assert.ok(made.json.result, JSON.stringify(made.json))
  const one = await until('the review', async () => (await gate.operator('GET', '/reviews')).json.reviews[0])
  assert.deepEqual([one.tool, one.agentId, one.user], ['desk/create_ticket', agent.id, 'usr_1'])
  const clear = () => as('anna', 'POST', `/reviews/${one.id}/clear`, { reason: 'fine' })
  assert.equal((await gate.operator('POST', `/reviews/${one.id}/clear`, {}, { token: 'watcher-token-of-this-test' })).status, 403)
  assert.equal((await clear()).status, 200)
  assert.equal((await clear()).status, 409)
  assert.deepEqual((await gate.operator('GET', '/reviews')).json.reviews, [])
  for (let i = 0; i < 3; i++) await gate.call(s.access_token, 'desk__create_ticket', { subject: `no ${i}` })
  await until('three of them', async () => (await gate.operator('GET', '/reviews')).json.reviews.length === 3)
  const newest = gate.json(['reviews', 'list']).reviews[0].id
  gate.cli(['reviews', 'clear', String(newest), '--up-to', '-c', gate.file])
  gate.daemon.kill('SIGTERM') // what was cleared is on record, and nowhere else
  await gate.exited
  await gate.start()
  assert.deepEqual((await gate.operator('GET', '/reviews')).json.reviews, [])
})

test('who approves everything within seconds is pointed out', async () => {
  for (let i = 0; i < 10; i++) {
    const asked = decided(session(), { ...REFUND, amount: i + 1 })
    const { id } = await pending()
    const { json } = await as('quick', 'GET', `/approvals/${id}`)
    assert.equal((await as('quick', 'POST', `/approvals/${id}/approve`, { digest: json.digest, ...(i === 9 && { arguments: { ...REFUND, amount: 11 } }) })).status, 200)
    await asked
  }
  const figures = await until('the figures', async () => {
    const { json } = await gate.operator('GET', '/people/quick/figures')
    return json.decisions === 10 && json
  })
  assert.deepEqual([figures.approvedPercent, figures.denied], [100, 0])
  assert.ok(figures.medianDwellMs > 0 && figures.medianDwellMs < 10000)
  assert.match(figures.hint, /everything within seconds/)
  assert.equal((await gate.operator('GET', '/people/ben/figures')).json.hint, null)
})

test('status and metrics say what waits, and how it ended', async () => {
  const s = session(), asked = decided(s)
  const { id } = await pending()
  const status = (await gate.operator('GET', '/status')).json.approvals
  assert.equal(status.pending, 1)
  assert.ok(Date.parse(status.oldestAt) <= Date.now())
  assert.match(gate.cli(['status', '-c', gate.file]).stdout, /approvals.*1 wait/)
  const metrics = async () => (await fetch(`${gate.admin}/metrics`, { headers: { authorization: `Bearer ${gate.operatorToken()}` } })).text()
  assert.match(await metrics(), /^doorward_approvals_pending 1$/m)
  await as('anna', 'POST', `/approvals/${id}/deny`, {})
  await asked
  const text = await until('the figures', async () => { const t = await metrics(); return /^doorward_approvals_pending 0$/m.test(t) && t })
  assert.match(text, /^doorward_approvals_decided_total\{how="denied"\} [1-9]/m)
  assert.match(text, /^doorward_approval_wait_seconds_bucket\{le="14400"\} [1-9]/m)
})

// Events of the stream, as they come.
async function stream(token) {
  const gone = new AbortController(), seen = []
  const res = await fetch(`${gate.admin}/admin/v1/approvals/stream`, { headers: { authorization: `Bearer ${token}` }, signal: gone.signal })
  assert.equal(res.headers.get('content-type'), 'text/event-stream')
  const over = (async () => {
    let text = ''
    for await (const bytes of res.body) {
      text += Buffer.from(bytes)
      for (let at; (at = text.indexOf('\n\n')) >= 0; text = text.slice(at + 2)) {
        const event = /^event: (.*)$/m.exec(text.slice(0, at))?.[1], data = /^data: (.*)$/m.exec(text.slice(0, at))?.[1]
        if (event) seen.push({ event, ...JSON.parse(data) })
      }
    }
  })().catch(() => {})
  return { seen, over, close: () => gone.abort() }
}

test('whoever listens is told what waits, and of each change, until the token is not taken any more', async () => {
  const first = decided(session())
  const { id } = await pending()
  const { token } = (await gate.operator('POST', '/people', { name: 'listener', role: 'viewer' })).json
  const heard = await stream(token)
  await until('what waits', () => heard.seen.length)
  assert.deepEqual([heard.seen[0].event, heard.seen[0].approvals.map((a) => a.id)], ['pending', [id]])
  const second = decided(session(), { ...REFUND, amount: 99 })
  const { id: other } = await until('the second question', async () => (await gate.operator('GET', '/approvals')).json.approvals.find((a) => a.id !== id))
  await as('anna', 'POST', `/approvals/${id}/deny`, {})
  await as('ben', 'POST', `/approvals/${other}/deny`, {})
  await Promise.all([first, second])
  const changes = await until('the changes', () => heard.seen.filter((e) => e.state === 'denied').length === 2 && heard.seen.slice(1))
  assert.deepEqual(changes.map((e) => [e.event, e.id, e.before, e.state, e.by]), [['approval', other, 'none', 'pending', ''],
    ['approval', id, 'pending', 'denied', 'anna'], ['approval', other, 'pending', 'denied', 'ben']])
  await gate.operator('DELETE', '/people/listener')
  await heard.over
  assert.deepEqual([heard.seen.at(-1).event, heard.seen.at(-1).error], ['end', 'invalid_token'])
})
