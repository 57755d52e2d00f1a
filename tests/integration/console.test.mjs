// The console's door: who comes in, what a cookie is good for, and what only a passkey says yes to.
// areas: console, admin, approval, people
import assert from 'node:assert/strict'
import { request } from 'node:http'
import { after, before, test } from 'node:test'
import { DESK, startGate, until } from './lib/gate.mjs'
import { Authenticator } from './lib/authenticator.mjs'
import { authority } from './lib/certs.mjs'
import { Browser, link, signIn } from './lib/console.mjs'

const ORDER = 'ORD-A1B2C3D4'
let gate, agent, anna, amount = 10
before(async () => {
  gate = await startGate({
    servers: { desk: DESK }, session: { rate: '1000/second', max_tool_calls: 1000 },
    tools: { 'desk/issue_refund': { risk: 'high' }, 'desk/search_faq': { risk: 'high', people: 2 }, 'desk/create_ticket': { risk: 'medium' } },
  })
  agent = await gate.agent({ allow: ['desk/issue_refund', 'desk/search_faq', 'desk/create_ticket'], more: ['--max-sessions', '50'] })
  for (const name of ['anna', 'ben', 'carl']) gate.cli(['people', 'add', name, '-c', gate.file])
  gate.cli(['people', 'add', 'vera', '--role', 'viewer', '-c', gate.file])
  anna = await signIn(gate, 'anna')
})
after(() => gate?.stop())

// A call that waits for a person: its question, and what the agent hears in the end.
async function waiting(tool = 'issue_refund', args = { orderId: ORDER, amount: ++amount }, user = 'usr_1') {
  const token = gate.open(agent, '--user', user).access_token
  const heard = (async () => {
    for (let state; ;) {
      const { json } = await gate.call(token, `desk__${tool}`, args, state && { meta: {} })
      const text = JSON.stringify(json)
      if (!text.includes('approval_pending') && json?.result?.resultType !== 'input_required') return text
    }
  })()
  const find = async () => (await gate.operator('GET', '/approvals')).json.approvals.find((a) => a.tool === `desk/${tool}` && !waiting.seen.has(a.id))
  const q = await until('a question', find)
  waiting.seen.add(q.id)
  const path = `/admin/v1/approvals/${q.id}`
  return { heard, id: q.id, digest: q.digest, path, approve: `${path}/approve`, deny: `${path}/deny` }
}
waiting.seen = new Set()

const refused = (r, status, code) => assert.deepEqual([r.status, r.json?.error], [status, code], r.text)
const failures = () => gate.audit().filter((e) => e.event === 'AUTH_FAILED').length

test('a link signs somebody in once; the cookie is for this browser and this origin alone', async () => {
  const it = link(gate, 'ben'), browser = new Browser(gate)
  assert.match(it, new RegExp(`^http://localhost:${gate.adminPort}/sign-in#dwl_[\\w-]{43}$`))
  const first = await browser.open(it)
  assert.equal(first.status, 200)
  assert.match(first.headers.get('set-cookie'), /^__Host-doorward=[\w-]{43}; Path=\/; Secure; HttpOnly; SameSite=Strict$/)
  assert.equal(first.headers.get('cache-control'), 'no-store')
  const { name, role, by, mayEnrol, passkeys, groups } = first.json
  assert.deepEqual({ name, role, by, mayEnrol, passkeys, groups }, { name: 'ben', role: 'approver', by: 'link', mayEnrol: true, passkeys: [], groups: [] })
  refused(await new Browser(gate).open(it), 401, 'link_refused')
  assert.equal((await browser.ask('GET', '/console/v1/me')).json.name, 'ben')
  const made = await gate.recorded('the link', (e) => e.event === 'PERSON_LINK' && e.details.name === 'ben')
  assert.equal(made.actor, 'operator')
  const entry = await gate.recorded('the sign-in', (e) => e.event === 'PERSON_SIGNED_IN' && e.actor === 'ben')
  assert.equal(entry.details.how, 'link')
  await gate.recorded('the second try', (e) => e.event === 'AUTH_FAILED' && e.details.how === 'link')
  assert.ok(!JSON.stringify(gate.audit()).includes('dwl_') && !gate.log.includes('dwl_'))
})

test('a newer link takes the older one away, and nobody gets one who is not there or may do nothing', async () => {
  const old = link(gate, 'ben'), now = link(gate, 'ben')
  refused(await new Browser(gate).open(old), 401, 'link_refused')
  assert.equal((await new Browser(gate).open(now)).status, 200)
  assert.match(gate.cli(['people', 'link', 'nobody', '-c', gate.file], { ok: false }).stderr, /nobody of the name nobody/)
  gate.cli(['people', 'add', 'off', '--disabled', '-c', gate.file])
  assert.match(gate.cli(['people', 'link', 'off', '-c', gate.file], { ok: false }).stderr, /off is disabled/)
  refused(await anna.ask('POST', '/admin/v1/people/anna/link', {}), 403, 'forbidden')
})

test('a session that a link opened looks and says no, and does not say yes', async () => {
  const ben = new Browser(gate)
  await ben.open(link(gate, 'ben'))
  const q = await waiting()
  assert.equal((await ben.ask('GET', q.path)).json.id, q.id)
  refused(await ben.ask('POST', q.approve, { digest: q.digest }), 403, 'passkey_needed')
  const proof = await ben.ask('POST', '/console/v1/proof', { method: 'POST', path: q.approve, sha256: '00'.repeat(32) })
  refused(proof, 403, 'passkey_needed')
  assert.match(proof.json.message, /you have no passkey for localhost/)
  assert.equal((await ben.ask('POST', q.deny, { reason: 'not today' })).json.state, 'denied')
  assert.match(await q.heard, /not today/)
  const no = await gate.recorded('the no', (e) => e.event === 'APPROVAL_DENIED' && e.details.approval === q.id)
  assert.deepEqual([no.actor, no.details.channel, no.details.passkey], ['ben', 'console', undefined])
})

test('a yes that a passkey signed has the call made, and the record names the passkey', async () => {
  const q = await waiting()
  await anna.ask('GET', q.path)
  const yes = await anna.ask('POST', q.approve, { digest: q.digest, reason: 'seen the parcel' }, { proof: true })
  assert.deepEqual([yes.status, yes.json.state, yes.json.by], [200, 'granted', 'anna'], yes.text)
  assert.match(await q.heard, /refunded/)
  const { details } = await gate.recorded('the yes', (e) => e.event === 'APPROVAL_GRANTED' && e.details.approval === q.id)
  assert.equal(details.channel, 'console')
  assert.equal(details.passkey, Buffer.from(anna.key.id).toString('base64url'))
  assert.ok(details.dwellMs > 0)
})

test('what was signed is one request: another question, other arguments, another way are none of it', async () => {
  const q = await waiting(), other = await waiting(), body = { digest: q.digest }
  const send = async (path, text, passkey) => anna.ask('POST', path, undefined, { text, headers: { passkey } })
  const proof = () => anna.prove('POST', q.approve, JSON.stringify(body))
  refused(await send(other.approve, JSON.stringify({ digest: other.digest }), await proof()), 403, 'passkey_refused')
  refused(await send(q.approve, JSON.stringify({ ...body, arguments: { orderId: ORDER, amount: 9999 } }), await proof()), 403, 'passkey_refused')
  refused(await send(q.approve, JSON.stringify(body) + ' ', await proof()), 403, 'passkey_refused')
  refused(await send(`${q.approve}?x=1`, JSON.stringify(body), await proof()), 403, 'passkey_refused')
  refused(await send(q.approve, JSON.stringify(body), 'bm90IGpzb24'), 403, 'passkey_refused')
  refused(await send(q.approve, JSON.stringify(body), await anna.prove('DELETE', q.approve, JSON.stringify(body))), 403, 'passkey_refused')
  assert.equal((await anna.ask('GET', q.path)).json.state, 'pending')
  for (const x of [q, other]) await anna.ask('POST', x.deny, {})
})

test('a proof is good once, and one that is not used is good until the next one is asked for', async () => {
  const q = await waiting(), other = await waiting(), text = JSON.stringify({ digest: q.digest })
  const stale = await anna.prove('POST', q.approve, text)
  const used = await anna.prove('POST', q.approve, text)
  refused(await anna.ask('POST', q.approve, undefined, { text, headers: { passkey: stale } }), 403, 'passkey_refused')
  refused(await anna.ask('POST', q.approve, undefined, { text, headers: { passkey: used } }), 403, 'passkey_needed')
  const fresh = await anna.prove('POST', q.approve, text)
  assert.equal((await anna.ask('POST', q.approve, undefined, { text, headers: { passkey: fresh } })).status, 200)
  refused(await anna.ask('POST', q.approve, undefined, { text, headers: { passkey: fresh } }), 403, 'passkey_needed')
  await q.heard
  await anna.ask('POST', other.deny, {})
})

test('a passkey that is not this person\'s, not verified, of another page, or a copy is refused and on record', async () => {
  const carl = await signIn(gate, 'carl', { alg: 'EdDSA' })
  const q = await waiting(), before = failures(), yes = { digest: q.digest }
  refused(await anna.ask('POST', q.approve, yes, { proof: carl.key }), 403, 'passkey_refused')
  refused(await anna.ask('POST', q.approve, yes, { proof: new Authenticator() }), 403, 'passkey_refused')
  for (const wrong of [{ flags: 1 }, { flags: 0 }, { origin: 'http://localhost:1' }, { origin: 'https://evil.example' }, { rpId: 'evil.example' },
                       { type: 'webauthn.create' }, { crossOrigin: true }, { signature: true }])
    refused(await anna.ask('POST', q.approve, yes, { proof: true, wrong }), 403, 'passkey_refused')
  const copy = anna.key.copy()
  const other = await waiting()
  assert.equal((await anna.ask('POST', other.approve, { digest: other.digest }, { proof: true })).status, 200)
  const cloned = await anna.ask('POST', q.approve, yes, { proof: copy })
  refused(cloned, 403, 'passkey_refused')
  assert.match(cloned.json.message, /count/)
  assert.ok(failures() > before)
  assert.equal((await carl.ask('POST', q.approve, yes, { proof: true })).status, 200) // Ed25519, and nobody decided before
  await Promise.all([q.heard, other.heard])
})

test('two people in two browsers: the second is told who was first', async () => {
  const ben = await signIn(gate, 'ben'), q = await waiting(), yes = { digest: q.digest }
  const both = await Promise.all([anna, ben].map((who) => who.ask('POST', q.approve, yes, { proof: true })))
  const late = both.find((r) => r.status !== 200), first = both.find((r) => r.status === 200)
  refused(late, 409, 'conflict')
  assert.match(late.json.message, new RegExp(`^${first.json.by} said yes already, at .*, by console$`))
  await q.heard
})

test('four eyes are two people with two passkeys: one of them twice is one', async () => {
  const ben = await signIn(gate, 'ben')
  const q = await waiting('search_faq', { query: 'returns' })
  const yes = { digest: q.digest }
  assert.equal((await anna.ask('POST', q.approve, yes, { proof: true })).json.state, 'pending')
  const again = Object.assign(new Browser(gate), { key: anna.key }) // a second browser is no second person
  assert.equal((await again.signIn()).status, 200)
  const twice = await again.ask('POST', q.approve, yes, { proof: true })
  refused(twice, 403, 'forbidden')
  assert.match(twice.json.message, /anna said yes already/)
  assert.equal((await ben.ask('POST', q.approve, yes, { proof: true })).json.state, 'granted')
  await q.heard
})

test('who is known by an e-mail address is not one of the two for a call on his own behalf', async () => {
  gate.cli(['people', 'add', 'dana', '--email', 'Dana@shop.example', '-c', gate.file])
  const dana = await signIn(gate, 'dana'), q = await waiting('search_faq', { query: 'of my own' }, 'dana@shop.example')
  const own = await dana.ask('POST', q.approve, { digest: q.digest }, { proof: true })
  refused(own, 403, 'forbidden')
  assert.match(own.json.message, /the user on whose behalf the agent acts/)
  assert.equal((await dana.ask('POST', q.deny, {})).status, 200) // a no is everybody's
  await q.heard
})

test('a yes of somebody who is removed meanwhile, or may only look, counts no more', async () => {
  for (const change of [['remove', 'carl'], ['add', 'carl', '--replace', '--disabled'], ['add', 'carl', '--replace', '--role', 'viewer']]) {
    const carl = await signIn(gate, 'carl'), q = await waiting('search_faq', { query: change.join(' ') })
    assert.equal((await carl.ask('POST', q.approve, { digest: q.digest }, { proof: true })).json.state, 'pending')
    gate.cli(['people', ...change, '-c', gate.file])
    assert.match(await q.heard, /somebody who said yes may not decide any more/)
    const late = await anna.ask('POST', q.approve, { digest: q.digest }, { proof: true })
    refused(late, 409, 'conflict')
    gate.cli(['people', 'add', 'carl', '--role', 'approver', ...(change[0] === 'remove' ? [] : ['--replace']), '-c', gate.file])
  }
})

test('a passkey signs in by itself, with a challenge that is taken once', async () => {
  const { key } = await signIn(gate, 'carl', { counts: false }) // its count would refuse it the second time, too
  const browser = new Browser(gate), challenge = (await browser.ask('GET', '/console/v1/sign-in')).json
  assert.equal(challenge.rpId, 'localhost')
  const body = { ...key.get(challenge, browser.origin), userHandle: key.user }
  const me = await browser.ask('POST', '/console/v1/sign-in', body)
  assert.deepEqual([me.status, me.json.name, me.json.by, me.json.mayEnrol], [200, 'carl', 'passkey', false], me.text)
  const again = await new Browser(gate).ask('POST', '/console/v1/sign-in', body)
  refused(again, 403, 'passkey_refused')
  assert.match(again.json.message, /used before/)
  refused(await new Browser(gate).signIn(key, { challenge: Buffer.alloc(56).toString('base64url') }), 403, 'passkey_refused')
  refused(await new Browser(gate).signIn(key, { origin: 'https://evil.example' }), 403, 'passkey_refused')
  const stranger = Object.assign(new Authenticator(), { user: key.user })
  refused(await new Browser(gate).signIn(stranger), 403, 'passkey_refused')
  const entry = await gate.recorded('the sign-in', (e) => e.event === 'PERSON_SIGNED_IN' && e.actor === 'carl' && e.details.how === 'passkey')
  assert.equal(entry.details.passkey, Buffer.from(key.id).toString('base64url'))
})

test('a request with the cookie comes from the page itself, or is refused', async () => {
  const q = await waiting()
  refused(await anna.ask('POST', q.deny, {}, { csrf: null }), 403, 'page_refused')
  refused(await anna.ask('POST', q.deny, {}, { csrf: 'x'.repeat(43) }), 403, 'page_refused')
  const other = (await signIn(gate, 'ben')).csrf
  refused(await anna.ask('POST', q.deny, {}, { csrf: other }), 403, 'page_refused')
  for (const site of ['cross-site', 'same-site', 'none'])
    refused(await anna.ask('POST', q.deny, {}, { headers: { 'sec-fetch-site': site } }), 403, 'page_refused')
  for (const site of ['cross-site', 'same-site'])
    refused(await anna.ask('GET', '/console/v1/me', undefined, { headers: { 'sec-fetch-site': site } }), 403, 'page_refused')
  refused(await anna.ask('POST', q.deny, {}, { headers: { origin: 'https://evil.example' } }), 403, 'origin_refused')
  refused(await anna.ask('POST', q.deny, {}, { headers: { origin: `http://localhost:${gate.port}` } }), 403, 'origin_refused')
  refused(await new Browser(gate).ask('POST', '/console/v1/link', { link: 'dwl_x' }, { headers: { 'sec-fetch-site': 'cross-site' } }), 403, 'page_refused')
  assert.equal(await status('/console/v1/me', { host: 'rebound.example', cookie: anna.cookie }), 403)
  refused(await anna.ask('POST', q.deny, {}, { headers: { 'content-type': 'text/plain' } }), 415, 'unsupported_media_type')
  assert.equal((await anna.ask('GET', q.path)).json.state, 'pending')
  const home = { 'sec-fetch-site': 'same-origin', origin: anna.origin }
  assert.equal((await anna.ask('POST', q.deny, {}, { headers: home })).status, 200)
})

test('a cookie alone is worth nothing: browsers send it to every port of this machine', async () => {
  const ben = new Browser(gate), q = await waiting()
  await ben.open(link(gate, 'ben'))
  const thief = new Browser(gate)
  thief.cookie = ben.cookie
  for (const path of ['/console/v1/me', q.path, '/admin/v1/approvals', '/admin/v1/approvals/stream', '/admin/v1/audit/stream'])
    refused(await thief.ask('GET', path), 403, 'page_refused')
  for (const path of [q.deny, '/console/v1/passkeys/options', '/console/v1/proof', '/console/v1/sign-out'])
    refused(await thief.ask('POST', path, {}), 403, 'page_refused')
  const me = await ben.ask('GET', '/console/v1/me')
  assert.deepEqual([me.status, me.json.csrf], [200, undefined]) // it was told when ben signed in, and is told to nobody else
  assert.equal((await ben.ask('POST', q.deny, {})).status, 200)
  await q.heard
})

// One with a Host of its own, which fetch does not let anybody set.
const status = (path, headers) => new Promise((done, fail) => {
  request({ host: '127.0.0.1', port: gate.adminPort, path, headers }, (res) => res.resume().on('end', () => done(res.statusCode))).on('error', fail).end()
})

test('what is not for the console does not take its cookie, and the console does not take a token', async () => {
  for (const [method, path] of [['GET', '/admin/v1/people'], ['GET', '/admin/v1/agents'], ['POST', '/admin/v1/kill'], ['POST', '/admin/v1/reload'],
                                ['POST', '/admin/v1/people/anna/token'], ['GET', '/admin/v1/audit/search'], ['GET', '/metrics'],
                                ['GET', '/admin/v1/people/ben/figures']])
    refused(await anna.ask(method, path, method === 'POST' ? {} : undefined), 403, 'forbidden')
  for (const path of ['/admin/v1/status', '/admin/v1/approvals?state=all', '/admin/v1/reviews', '/admin/v1/sessions', '/admin/v1/people/anna/figures'])
    assert.equal((await anna.ask('GET', path)).status, 200, path)
  const bearer = { authorization: `Bearer ${gate.operatorToken()}` }
  refused(await anna.ask('GET', '/console/v1/me', undefined, { headers: bearer, cookie: null }), 401, 'signed_out')
  refused(await anna.ask('GET', '/console/v1/me', undefined, { headers: { authorization: 'Bearer no' } }), 401, 'invalid_token')
  refused(await new Browser(gate).ask('GET', '/console/v1/me'), 401, 'signed_out')
  const forged = `__Host-doorward=${'A'.repeat(43)}`
  refused(await anna.ask('GET', '/console/v1/me', undefined, { cookie: forged }), 401, 'signed_out')
  refused(await anna.ask('GET', '/console/v1/me', undefined, { cookie: `${forged}; ${anna.cookie}` }), 401, 'signed_out')
})

test('a viewer looks, with a passkey, too, and decides nothing', async () => {
  const vera = await signIn(gate, 'vera'), q = await waiting()
  assert.equal((await vera.ask('GET', q.path)).status, 200)
  refused(await vera.ask('POST', q.deny, {}), 403, 'forbidden')
  refused(await vera.ask('POST', q.approve, { digest: q.digest }, { proof: true }), 403, 'forbidden')
  gate.cli(['people', 'add', 'vera', '--role', 'approver', '--replace', '-c', gate.file]) // what she may do is looked up each time
  assert.equal((await vera.ask('POST', q.deny, {})).status, 200)
  gate.cli(['people', 'add', 'vera', '--role', 'viewer', '--replace', '-c', gate.file])
  refused(await vera.ask('POST', q.deny, {}), 403, 'forbidden')
})

test('another passkey is added with the one that is there; removing one takes it out of use', async () => {
  const ben = await signIn(gate, 'ben'), browser = new Browser(gate)
  await browser.signIn(ben.key)
  browser.key = ben.key
  const second = new Authenticator()
  refused(await browser.enrol(second, { name: 'phone' }), 403, 'passkey_needed')
  const added = await browser.enrol(second, { name: 'phone', proof: ben.key })
  assert.equal(added.status, 201, added.text)
  refused(await browser.enrol(second, { name: 'again', proof: ben.key }), 409, 'already_exists')
  const id = added.json.passkey.id
  assert.ok((await browser.ask('GET', '/console/v1/me')).json.passkeys.some((k) => k.id === id && k.name === 'phone'))
  refused(await browser.ask('DELETE', `/console/v1/passkeys/${id}`), 403, 'passkey_needed')
  assert.equal((await browser.ask('DELETE', `/console/v1/passkeys/${id}`, undefined, { proof: ben.key })).status, 200)
  refused(await new Browser(gate).signIn(second), 403, 'passkey_refused')
  const kept = gate.json(['people', 'passkeys', 'ben'])
  const lost = Buffer.from(ben.key.id).toString('base64url')
  assert.equal(kept.passkeys.find((k) => k.id === lost).rpId, 'localhost')
  gate.cli(['people', 'passkey-remove', 'ben', lost, '-c', gate.file])
  refused(await new Browser(gate).signIn(ben.key), 403, 'passkey_refused')
  assert.match(gate.cli(['people', 'passkey-remove', 'ben', lost, '-c', gate.file], { ok: false }).stderr, /no such passkey/)
  const gone = gate.audit().filter((e) => e.event === 'PASSKEY_REMOVED').map((e) => [e.actor, e.details.passkey])
  assert.deepEqual(gone, [['ben', id], ['operator', lost]])
  assert.equal((await gate.recorded('it', (e) => e.event === 'PASSKEY_ADDED' && e.details.passkey === id)).details.provedBy, lost)
})

test('a passkey that is lost is removed, and whoever came in with it is out', async () => {
  const ben = await signIn(gate, 'ben'), { key } = ben, lost = Buffer.from(key.id).toString('base64url')
  const thief = new Browser(gate), own = new Browser(gate), second = new Authenticator()
  await ben.enrol(second, { name: 'second' })
  await thief.signIn(key)
  const stream = await listen(thief, '/admin/v1/approvals/stream')
  await own.signIn(second)
  assert.equal((await own.ask('DELETE', `/console/v1/passkeys/${lost}`, undefined, { proof: second })).status, 200)
  assert.match(await stream.ended, /signed_out/)
  refused(await thief.ask('GET', '/console/v1/me'), 401, 'signed_out')
  for (const stays of [own, ben]) assert.equal((await stays.ask('GET', '/console/v1/me')).status, 200)
  const out = await gate.recorded('why', (e) => e.event === 'PERSON_SIGNED_OUT' && e.details.why === 'passkey_removed')
  assert.equal(out.actor, 'ben')
  const last = Buffer.from(second.id).toString('base64url') // who removes the one that let them in goes on, having shown it
  assert.equal((await own.ask('DELETE', `/console/v1/passkeys/${last}`, undefined, { proof: second })).status, 200)
  assert.equal((await own.ask('GET', '/console/v1/me')).status, 200)
})

test('what is enrolled was made for this page, with the person verified', async () => {
  const ben = new Browser(gate)
  await ben.open(link(gate, 'ben'))
  for (const wrong of [{ origin: 'https://evil.example' }, { rpId: 'evil.example' }, { flags: 0x41 }, { type: 'webauthn.get' }, { challenge: 'AAAAAAAAAAAAAAAAAAAAAA' }])
    refused(await ben.enrol(new Authenticator(), { wrong }), 403, 'passkey_refused')
  const key = new Authenticator(), options = (await ben.ask('POST', '/console/v1/passkeys/options', {})).json
  const body = { name: 'mine', ...key.create(options, ben.origin) }
  assert.equal((await ben.ask('POST', '/console/v1/passkeys', body)).status, 201)
  refused(await ben.ask('POST', '/console/v1/passkeys', body), 403, 'passkey_refused') // the challenge is used up
})

test('passkeys are for a name: under an address the answer says where to go', async () => {
  const browser = new Browser(gate)
  browser.origin = gate.admin
  const r = await browser.ask('GET', '/console/v1/sign-in')
  refused(r, 409, 'conflict')
  assert.match(r.json.message, /127\.0\.0\.1 is an address: open the console as localhost/)
})

// Server-sent events, until the stream ends.
async function listen(browser, path) {
  const left = new AbortController()
  const res = await fetch(browser.origin + path, { signal: left.signal, headers: { cookie: browser.cookie, 'x-csrf-token': browser.csrf } })
  assert.equal(res.status, 200)
  return { ended: res.text().catch(() => ''), close: () => left.abort() }
}

test('one browser takes no more of the live streams than it can show, so that there are some for others', async () => {
  const vera = await signIn(gate, 'vera')
  for (const path of ['/admin/v1/approvals/stream', '/admin/v1/audit/stream']) {
    const open = []
    for (let i = 0; i < 6; i++) open.push(await listen(vera, path))
    const more = await vera.ask('GET', path)
    refused(more, 429, 'too_many_streams')
    assert.match(more.json.message, /vera has 6 such streams open in this browser/)
    const other = await listen(anna, path)
    for (const stream of [...open, other]) stream.close()
    await until('room again', async () => {
      const again = await listen(vera, path).catch(() => undefined)
      again?.close()
      return again
    })
  }
})

test('who signs in anew in the same browser leaves the session of before', async () => {
  const ben = await signIn(gate, 'ben'), { cookie } = ben, key = ben.key
  const stream = await listen(ben, '/admin/v1/approvals/stream')
  assert.equal((await ben.signIn(key)).json.by, 'passkey')
  assert.notEqual(ben.cookie, cookie)
  assert.match(await stream.ended, /signed_out/)
  refused(await ben.ask('GET', '/console/v1/me', undefined, { cookie }), 401, 'signed_out')
})

test('who signs out, or is removed, is out at once, and so are their streams', async () => {
  const ben = await signIn(gate, 'ben')
  const live = [await listen(ben, '/admin/v1/approvals/stream'), await listen(ben, '/admin/v1/audit/stream')]
  const out = await ben.ask('POST', '/console/v1/sign-out', {})
  assert.match(out.headers.get('set-cookie'), /^__Host-doorward=; .*Max-Age=0$/)
  for (const s of live) assert.match(await s.ended, /event: end\ndata: \{"error":"signed_out"/)
  refused(await ben.ask('GET', '/console/v1/me', undefined, { cookie: out.cookie }), 401, 'signed_out')
  gate.cli(['people', 'add', 'temp', '-c', gate.file])
  const temp = await signIn(gate, 'temp'), stream = await listen(temp, '/admin/v1/approvals/stream')
  gate.cli(['people', 'add', 'temp', '--replace', '--disabled', '-c', gate.file])
  assert.match(await stream.ended, /signed_out/)
  refused(await temp.ask('GET', '/console/v1/me'), 401, 'signed_out')
  refused(await new Browser(gate).signIn(temp.key), 403, 'passkey_refused')
  gate.cli(['people', 'remove', 'temp', '-c', gate.file])
  gate.cli(['people', 'add', 'temp', '-c', gate.file]) // somebody of the same name is somebody else
  refused(await temp.ask('GET', '/console/v1/me'), 401, 'signed_out')
  refused(await new Browser(gate).signIn(temp.key), 403, 'passkey_refused')
  const why = (name) => gate.recorded(`${name} out`, (e) => e.event === 'PERSON_SIGNED_OUT' && e.actor === name)
  assert.equal((await why('temp')).details.why, 'removed')
  assert.ok(gate.audit().some((e) => e.event === 'PERSON_SIGNED_OUT' && e.actor === 'ben' && e.details.why === 'signed_out'))
})

test('a review is cleared from the console, by name', async () => {
  const token = gate.open(agent).access_token
  await gate.call(token, 'desk__create_ticket', { subject: 'a parcel' })
  const [review] = await until('a review', async () => {
    const { reviews } = (await anna.ask('GET', '/admin/v1/reviews')).json
    return reviews.length && reviews
  })
  assert.equal((await anna.ask('POST', `/admin/v1/reviews/${review.id}/clear`, {})).status, 200)
  assert.equal((await gate.recorded('it', (e) => e.event === 'REVIEW_CLEARED')).actor, 'anna')
})

test('the pages are served with what keeps other sites out, compressed, and not sent twice', async () => {
  const page = await fetch(`${anna.origin}/approvals/apr_1`)
  if (page.status === 404) { // of a build without them
    assert.match((await page.json()).message, /built without the console's pages: build it with -Dconsole=enabled/)
    return
  }
  const h = (name) => page.headers.get(name)
  assert.match(h('content-type'), /^text\/html; charset=utf-8/)
  assert.match(h('content-security-policy'), /^default-src 'none'; script-src 'self'; .*frame-ancestors 'none'; require-trusted-types-for 'script'/)
  assert.doesNotMatch(h('content-security-policy'), /unsafe/)
  assert.deepEqual(['x-content-type-options', 'referrer-policy', 'cross-origin-opener-policy', 'cache-control', 'content-encoding'].map(h),
    ['nosniff', 'no-referrer', 'same-origin', 'no-cache', 'gzip'])
  const same = await fetch(`${anna.origin}/`, { headers: { 'if-none-match': h('etag') } })
  assert.deepEqual([same.status, await same.text()], [304, ''])
  const html = await page.text(), [script] = html.match(/\/assets\/[^"]+\.js/)
  const asset = await fetch(anna.origin + script, { headers: { 'accept-encoding': 'identity' } })
  assert.match(asset.headers.get('cache-control'), /max-age=31536000, immutable/)
  assert.equal(asset.headers.get('content-encoding'), null)
  assert.equal((await fetch(`${anna.origin}/assets/none.js`)).status, 404)
})

test('a gateway that starts anew signs everybody out, and keeps their passkeys; who does nothing is out after a while', async () => {
  const cookie = anna.cookie
  gate.daemon.kill('SIGTERM')
  await gate.exited
  gate.write({ console: { idle: '2s' } })
  await gate.start()
  refused(await anna.ask('GET', '/console/v1/me', undefined, { cookie }), 401, 'signed_out')
  assert.equal((await anna.signIn()).status, 200)
  const stream = await listen(anna, '/admin/v1/approvals/stream')
  for (let i = 0; i < 5; i++) { // who does something stays
    await new Promise((done) => setTimeout(done, 600))
    assert.equal((await anna.ask('GET', '/console/v1/me')).status, 200)
  }
  assert.match(await stream.ended, /signed_out/)
  refused(await anna.ask('GET', '/console/v1/me'), 401, 'signed_out')
  assert.equal((await gate.recorded('the end', (e) => e.event === 'PERSON_SIGNED_OUT' && e.actor === 'anna')).details.why, 'idle')
})

test('attempts to come in are bounded, and the answer says when to try again', async () => {
  const browser = new Browser(gate)
  let last
  for (let i = 0; i < 80 && last?.status !== 429; i++) last = await browser.ask('POST', '/console/v1/link', { link: `dwl_${i}` })
  refused(last, 429, 'rate_limited')
  assert.ok(Number(last.headers.get('retry-after')) >= 1)
})

test('where there is to be no console there is none', async () => {
  gate.write({ console: { enabled: false } })
  gate.cli(['reload', '-c', gate.file])
  refused(await anna.ask('GET', '/console/v1/sign-in'), 404, 'not_found')
  assert.equal((await fetch(`${anna.origin}/`)).status, 404)
  refused(await anna.ask('GET', '/admin/v1/approvals'), 401, 'unauthenticated')
  assert.match(gate.cli(['people', 'link', 'anna', '-c', gate.file], { ok: false }).stderr, /console\.enabled is false/)
})

test('over TLS and under a name: passkeys are for that name, links lead there, and one of localhost is of no use', async () => {
  const ca = authority('Test CA'), url = 'https://gate.example'
  const { certificate, key } = ca.issue('gate', { san: 'IP:127.0.0.1,DNS:localhost,DNS:gate.example' })
  const named = await startGate({ admin: { public_url: url, tls: { certificate, key } } })
  try {
    named.cli(['people', 'add', 'anna', '-c', named.file])
    const browser = new Browser(named, { url, ca: ca.pem }), it = link(named, 'anna')
    assert.ok(it.startsWith('https://gate.example/sign-in#dwl_'), it)
    assert.equal((await browser.open(it)).status, 200)
    refused(await browser.enrol(new Authenticator(), { wrong: { origin: 'http://gate.example' } }), 403, 'passkey_refused')
    const mine = new Authenticator(), made = await browser.enrol(mine)
    assert.equal(made.status, 201, made.text)
    assert.equal(named.json(['people', 'passkeys', 'anna']).passkeys[0].rpId, 'gate.example')
    assert.equal((await browser.signIn(mine)).json.by, 'passkey')
    refused(await browser.signIn(mine, { origin: url, rpId: 'localhost' }), 403, 'passkey_refused')
    refused(await browser.ask('POST', '/console/v1/sign-out', {}, { headers: { origin: 'https://other.example' } }), 403, 'origin_refused')
  } finally {
    await named.stop()
  }
})
