// What channels of a gate talk to: local stand-ins that take what the vendors' own code takes.
//
//   const slack = await slackApi()
//   const gate = await startGate({ channels: { ops: { kind: 'slack', url: slack.url + '/api', … } } })
//   await press(gate, 'ops', { user: 'U1', action: 'deny_apr_…', … })
import { createHmac } from 'node:crypto'
import { createRequire } from 'node:module'
import { httpReceiver } from './sinks.mjs'

const require = createRequire(import.meta.url)
const { verifySlackRequest } = require('@slack/bolt') // its ES module is a shell around this

// Slack's web API, as far as messages go. `answer` may say otherwise first.
export async function slackApi({ answer = () => undefined } = {}) {
  const posted = [], updated = [], whispered = []
  let n = 0
  const receiver = await httpReceiver(async (r) => {
    const body = JSON.parse(r.body), method = r.url.split('/').at(-1)
    const said = await answer(method, body, r)
    if (said) return said
    const ts = body.ts ?? `1700000000.${String(++n).padStart(6, '0')}`
    ;({ 'chat.postMessage': posted, 'chat.update': updated, 'chat.postEphemeral': whispered })[method].push({ ...body, ts })
    return { headers: { 'content-type': 'application/json' }, body: JSON.stringify({ ok: true, channel: body.channel, ts }) }
  })
  return Object.assign(receiver, { posted, updated, whispered })
}

export const sign = (secret, time, body) => 'v0=' + createHmac('sha256', secret).update(`v0:${time}:${body}`).digest('hex')
export const seconds = () => Math.floor(Date.now() / 1000)

// What Slack sends when a button is pressed: a form with one field.
export const pressed = ({ user = 'U0ANNA', channel = 'C0123ABCD', ts = '1700000000.000001', action, value, more = {} }) =>
  new URLSearchParams({ payload: JSON.stringify({
    type: 'block_actions', team: { id: 'T1', domain: 'example' }, user: { id: user, username: 'somebody', team_id: 'T1' },
    container: { type: 'message', message_ts: ts, channel_id: channel }, channel: { id: channel, name: 'ops' },
    message: { type: 'message', ts, text: '…' }, response_url: 'https://hooks.slack.com/actions/T1/1/x',
    actions: [{ type: 'button', action_id: action, block_id: 'b', value, action_ts: String(performance.now()) }], ...more }) }).toString()

// Whether Slack's own code would take it, and what the gate says.
export async function post(gate, path, { body, secret, time = seconds(), signature = sign(secret, time, body), headers = {} }) {
  let theirs = true
  try {
    verifySlackRequest({ signingSecret: secret, body, headers: { 'x-slack-signature': signature, 'x-slack-request-timestamp': time } })
  } catch {
    theirs = false
  }
  const began = performance.now()
  const res = await fetch(gate.url + path, { method: 'POST', body, headers: { 'content-type': 'application/x-www-form-urlencoded',
    'x-slack-request-timestamp': String(time), 'x-slack-signature': signature, ...headers } })
  return { status: res.status, text: await res.text(), ms: performance.now() - began, theirs }
}

export const buttons = (message) => message.blocks.filter((b) => b.type === 'actions').flatMap((b) => b.elements)
// All that somebody reads, in order.
export const words = (x) => Array.isArray(x) ? x.map(words).join('') : x && typeof x === 'object'
  ? (typeof x.text === 'string' ? x.text : words(x.text)) + words(x.elements) : ''
