// Who is not asked decides nothing: people of other groups, without the role, of another house's app; and arguments that changed
// between the look and the press.
// areas: notify, approval
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { buttons, post, pressed, slackApi, words } from './lib/channels.mjs'
import { DESK, startGate, until } from './lib/gate.mjs'

const OURS = '8f742231b10e8888abcd99yyyzzz85a5', THEIRS = '1111111111111111aaaaaaaaaaaaaaaa'
Object.assign(process.env, { SLACK_TOKEN: 'xoxb-token', OUR_SECRET: OURS, THEIR_SECRET: THEIRS })
let gate, ours, theirs, token
const slackOf = (slack, secret, channel, group) => ({ kind: 'slack', url: slack.url + '/api', token: '${SLACK_TOKEN}', secret, channel, approve: true, groups: [group] })
const waits = async () => (await gate.operator('GET', '/approvals')).json.approvals[0]
const press = (message, how) => {
  const button = buttons(message).find((b) => b.action_id.startsWith('approve'))
  return post(gate, how.path ?? '/channels/ours/slack', { secret: how.secret ?? OURS,
    body: pressed({ action: button.action_id, value: button.value, ts: message.ts, channel: 'C0OURS', ...how }) })
}

before(async () => {
  ours = await slackApi()
  theirs = await slackApi()
  gate = await startGate({ servers: { desk: DESK }, session: { rate: 'none' }, approval: { hold: '1s' },
    tools: { 'desk/issue_refund': { risk: 'high', approvers: ['money'] }, 'desk/create_ticket': { risk: 'high', approvers: ['tickets'] } },
    channels: { ours: slackOf(ours, '${OUR_SECRET}', 'C0OURS', 'money'), theirs: slackOf(theirs, '${THEIR_SECRET}', 'C0THEIRS', 'tickets') } })
  for (const [name, group, role, slack] of [['anna', 'money', 'approver', 'U0ANNA'], ['tom', 'tickets', 'approver', 'U0TOM'], ['vera', 'money', 'viewer', 'U0VERA']])
    await gate.operator('POST', '/people', { name, groups: [group], role, slack })
  token = gate.token(await gate.agent({ allow: ['desk/issue_refund'] }))
  await gate.call(token, 'desk__issue_refund', { orderId: 'ORD-A1B2C3D4', amount: 12.5 })
})
after(async () => {
  await gate?.stop()
  await Promise.all([ours.close(), theirs.close()])
})

test('a person of another group, or without the role, presses in vain and is told so', async () => {
  const message = await until('a message', () => ours.posted[0]), { id } = await waits()
  assert.equal((await press(message, { user: 'U0TOM' })).status, 200)
  await until('a word to tom', () => ours.whispered.find((w) => w.user === 'U0TOM' && /tom is in none of the groups/.test(w.text)))
  assert.equal((await press(message, { user: 'U0VERA' })).status, 200)
  await until('a word to vera', () => ours.whispered.find((w) => w.user === 'U0VERA' && /vera may look at calls that wait, and not decide/.test(w.text)))
  assert.deepEqual([(await waits()).id, (await waits()).state], [id, 'pending'])
  assert.equal(theirs.posted.length, 0)
})

test('whoever has the secret of another house\'s app cannot press for our people', async () => {
  const message = await until('a message', () => ours.posted[0]), { id, digest } = await waits()
  // signed with their own secret, from their own conversation, in the name of anna, about our question
  const forged = await press(message, { path: '/channels/theirs/slack', secret: THEIRS, channel: 'C0THEIRS', user: 'U0ANNA', action: `approve_${id}`, value: digest })
  assert.equal(forged.status, 200) // it is signed
  await until('a word about it', () => theirs.whispered.find((w) => /not decided about from this channel/.test(w.text)))
  assert.equal((await press(message, { path: '/channels/theirs/slack', secret: THEIRS, user: 'U0ANNA' })).status, 400) // as if it stood in ours
  assert.equal((await press(message, { secret: THEIRS, user: 'U0ANNA' })).status, 403)
  assert.equal((await waits()).state, 'pending')
})

test('arguments that changed between the look and the press: nothing is decided; the new message decides about the new ones', async () => {
  const { id, digest } = await waits()
  await gate.operator('POST', '/people', { name: 'ben', groups: ['money'], slack: 'U0BEN' })
  gate.write({ tools: { 'desk/issue_refund': { risk: 'high', approvers: ['money'], people: 2 } } })
  gate.cli(['reload', '-c', gate.file])
  await gate.operator('POST', `/approvals/${id}/deny`, {}, {}) // by the operator, who is in no group: in vain
  assert.equal((await waits()).state, 'pending')
  const other = gate.token(await gate.agent({ allow: ['desk/issue_refund'] })), before = ours.posted.length
  await gate.call(other, 'desk__issue_refund', { orderId: 'ORD-A1B2C3D4', amount: 80 })
  const second = await until('the second message', () => ours.posted[before])
  const now = (await gate.operator('GET', '/approvals')).json.approvals.find((a) => a.id !== id)
  const people = (await gate.operator('POST', '/people/ben/token', {})).json.token
  const edited = await gate.operator('POST', `/approvals/${now.id}/approve`, { digest: now.digest, arguments: { orderId: 'ORD-A1B2C3D4', amount: 8 } }, { token: people })
  assert.equal(edited.status, 200, JSON.stringify(edited.json)) // one of two, to other arguments
  await press(second, { user: 'U0ANNA' }) // the button of before
  await until('a word to anna', () => ours.whispered.find((w) => w.user === 'U0ANNA' && /not those that were looked at/.test(w.text)))
  const changed = await until('the message with the new arguments', () => ours.updated.findLast((m) => m.ts === second.ts && buttons(m)[0]?.value !== now.digest))
  assert.match(words(changed.blocks), /amount: 8\b/)
  await press(changed, { user: 'U0ANNA' })
  await until('it to be approved', async () => (await gate.operator('GET', `/approvals/${now.id}`)).json.state === 'granted')
  assert.notEqual(digest, now.digest)
})
