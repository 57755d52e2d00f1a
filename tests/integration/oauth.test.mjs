// Session credentials as clients get them: metadata, the assertion and each way it can be wrong, the token, its end.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createRemoteJWKSet, decodeProtectedHeader, importJWK, jwtVerify, SignJWT } from 'jose'
import { DESK, startGate } from './lib/gate.mjs'
import { askToken, assertion, BEARER, makeKey, newAgent, now, postToken, token } from './lib/oauth.mjs'

let gate, agent

before(async () => {
  gate = await startGate({ servers: { desk: DESK }, session: { rate: '10000/minute' } })
  agent = await newAgent(gate, 'opener', { allowedTools: ['desk/lookup_order', 'desk/search_faq'], maxConcurrentSessions: 200 })
})
after(async () => gate?.stop())

async function refused(answer, status, error, word = /./) {
  const { status: got, json, headers } = await answer
  assert.deepEqual([got, json.error], [status, error], json.error_description)
  assert.match(json.error_description, word)
  assert.equal(headers.get('cache-control'), 'no-store')
  assert.equal(json.access_token, undefined)
}

test('a token carries what RFC 9068 asks for, and the published keys prove it', async () => {
  const { status, json, headers } = await askToken(gate, agent)
  assert.equal(status, 200)
  assert.equal(headers.get('cache-control'), 'no-store')
  assert.deepEqual(Object.keys(json).sort(), ['access_token', 'expires_in', 'scope', 'token_type'])
  assert.equal(json.token_type, 'Bearer')
  assert.equal(json.scope, 'tool:desk/lookup_order:execute tool:desk/search_faq:execute')
  assert.ok(json.expires_in > 890 && json.expires_in <= 900)
  const { payload, protectedHeader } = await jwtVerify(json.access_token, createRemoteJWKSet(new URL(`${gate.url}/oauth/jwks`)),
    { issuer: gate.url, audience: `${gate.url}/mcp`, subject: agent.id, typ: 'at+jwt', algorithms: ['EdDSA'],
      requiredClaims: ['iat', 'exp', 'jti', 'client_id', 'sid'] })
  assert.equal(payload.client_id, agent.id)
  assert.match(payload.sid, /^sess_/)
  assert.ok(Math.abs(payload.exp - payload.iat - 900) <= 1)
  assert.equal(protectedHeader.alg, 'EdDSA')
  const again = await jwtVerify((await askToken(gate, agent)).json.access_token, createRemoteJWKSet(new URL(`${gate.url}/oauth/jwks`)))
  assert.notEqual(again.payload.jti, payload.jti)
  assert.notEqual(again.payload.sid, payload.sid)
  const jwks = await (await fetch(`${gate.url}/oauth/jwks`)).json()
  assert.ok(jwks.keys.length > 0 && jwks.keys.every((k) => !('d' in k)))
})

test('the metadata leads a client from the 401 to the token endpoint', async () => {
  const { discoverOAuthProtectedResourceMetadata, discoverAuthorizationServerMetadata, extractWWWAuthenticateParams } =
    await import('@modelcontextprotocol/sdk/client/auth.js')
  const stranger = await fetch(`${gate.url}/mcp`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' })
  assert.equal(stranger.status, 401)
  const { resourceMetadataUrl, error } = extractWWWAuthenticateParams(stranger)
  assert.equal(error, undefined) // RFC 6750 section 3.1: without a credential no error code
  const resource = await discoverOAuthProtectedResourceMetadata(`${gate.url}/mcp`, { resourceMetadataUrl })
  assert.equal(resource.resource, `${gate.url}/mcp`)
  assert.deepEqual(resource.authorization_servers, [gate.url])
  const server = await discoverAuthorizationServerMetadata(resource.authorization_servers[0])
  assert.equal(server.issuer, gate.url)
  assert.equal(server.token_endpoint, `${gate.url}/oauth/token`)
  assert.deepEqual(server.grant_types_supported, ['client_credentials'])
  assert.deepEqual(server.token_endpoint_auth_methods_supported, ['private_key_jwt'])
  assert.equal((await fetch(server.authorization_endpoint)).status, 400)
})

// RFC 9728 section 3.3: a client must not use metadata that names another resource than the one it asked.
test('each path has metadata of its own: the 401 leads there, and it names the path that was asked for', async () => {
  const { discoverOAuthProtectedResourceMetadata, extractWWWAuthenticateParams } = await import('@modelcontextprotocol/sdk/client/auth.js')
  for (const path of ['/mcp', '/mcp/desk', '/mcp/no-such-server']) { // a stranger does not learn which servers there are
    const stranger = await fetch(gate.url + path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' })
    assert.deepEqual([stranger.status, stranger.headers.get('www-authenticate')],
      [401, `Bearer resource_metadata="${gate.url}/.well-known/oauth-protected-resource${path}"`])
    const { resourceMetadataUrl } = extractWWWAuthenticateParams(stranger)
    for (const opts of [{ resourceMetadataUrl }, {}]) { // as it was told, and as it finds it by itself
      const { resource, authorization_servers } = await discoverOAuthProtectedResourceMetadata(gate.url + path, opts)
      assert.deepEqual([resource, authorization_servers], [gate.url + path, [gate.url]])
    }
  }
  const of = async (path) => fetch(`${gate.url}/.well-known/oauth-protected-resource${path}`)
  assert.equal((await (await of('')).json()).resource, `${gate.url}/mcp`)
  for (const path of ['/', '/other', '/mcpx', '/mcp/a/b', '/admin']) assert.equal((await of(path)).status, 404, path)
  assert.equal((await fetch(`${gate.url}/.well-known/oauth-protected-resource`, { method: 'POST' })).status, 405)
})

test('every refusal of a server\'s own path names that path\'s metadata: 401 for a bad token, 403 with the scope', async () => {
  const metadata = `resource_metadata="${gate.url}/.well-known/oauth-protected-resource/mcp/desk"`
  const forged = await gate.modern('forged', 'tools/list', {}, { path: '/mcp/desk' })
  assert.deepEqual([forged.status, forged.headers.get('www-authenticate')], [401, `Bearer error="invalid_token", ${metadata}`])
  const refused = await gate.call(await token(gate, agent), 'issue_refund', { orderId: 'ORD-A1B2C3D4', amount: 1 }, { path: '/mcp/desk' })
  assert.deepEqual([refused.status, refused.headers.get('www-authenticate')],
    [403, `Bearer error="insufficient_scope", scope="tool:desk/issue_refund:execute", ${metadata}`])
})

test('a client that asks for one server with its key alone is let in', async () => {
  const { PrivateKeyJwtProvider } = await import('@modelcontextprotocol/sdk/client/auth-extensions.js')
  const { Client } = await import('@modelcontextprotocol/sdk/client/index.js')
  const { StreamableHTTPClientTransport } = await import('@modelcontextprotocol/sdk/client/streamableHttp.js')
  const authProvider = new PrivateKeyJwtProvider({ clientId: agent.id, privateKey: agent.privateJwk, algorithm: 'EdDSA',
    jwtLifetimeSeconds: 60, expectedIssuer: gate.url })
  const client = new Client({ name: 'own-key', version: '1' })
  await client.connect(new StreamableHTTPClientTransport(new URL(`${gate.url}/mcp/desk`), { authProvider }))
  assert.deepEqual((await client.listTools()).tools.map((t) => t.name), ['lookup_order', 'search_faq'])
  await client.close()
})

test('the SDK\'s own private_key_jwt client comes in with nothing but its key', async () => {
  const { PrivateKeyJwtProvider } = await import('@modelcontextprotocol/sdk/client/auth-extensions.js')
  const { Client } = await import('@modelcontextprotocol/sdk/client/index.js')
  const { StreamableHTTPClientTransport } = await import('@modelcontextprotocol/sdk/client/streamableHttp.js')
  const authProvider = new PrivateKeyJwtProvider({ clientId: agent.id, privateKey: agent.privateJwk, algorithm: 'EdDSA',
    jwtLifetimeSeconds: 60, expectedIssuer: gate.url })
  const client = new Client({ name: 'own-key', version: '1' })
  await client.connect(new StreamableHTTPClientTransport(new URL(`${gate.url}/mcp`), { authProvider }))
  const { tools } = await client.listTools()
  assert.deepEqual(tools.map((t) => t.name), ['desk__lookup_order', 'desk__search_faq'])
  await client.close()
})

test('an assertion made with WebCrypto alone is taken', async () => {
  const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify'])
  const { kty, crv, x, y } = await crypto.subtle.exportKey('jwk', pair.publicKey)
  const made = await gate.operator('POST', '/agents', { agentId: 'webcrypto', agentType: 't', version: '1', owner: 'o', publicKey: { kty, crv, x, y } })
  assert.equal(made.status, 201)
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const text = `${part({ alg: 'ES256' })}.${part({ iss: 'webcrypto', sub: 'webcrypto', aud: [gate.url], jti: crypto.randomUUID(), iat: now(), exp: now() + 30 })}`
  const signature = await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, pair.privateKey, Buffer.from(text))
  const { status } = await postToken(gate, { grant_type: 'client_credentials', client_assertion_type: BEARER,
    client_assertion: `${text}.${Buffer.from(signature).toString('base64url')}` })
  assert.equal(status, 200)
})

const wrong = [
  ['for another issuer', () => ({ aud: 'https://other.example' }), /aud must be/],
  ['for the token endpoint instead of the issuer', (g) => ({ aud: `${g.url}/oauth/token` }), /aud must be/],
  ['for the resource instead of the issuer', (g) => ({ aud: `${g.url}/mcp` }), /aud must be/],
  ['for the issuer with a slash behind it', (g) => ({ aud: `${g.url}/` }), /aud must be/],
  ['for the issuer and somebody else', (g) => ({ aud: [g.url, 'https://other.example'] }), /aud must be/],
  ['for nobody', () => ({ aud: undefined }), /aud must be/],
  ['for an empty list', () => ({ aud: [] }), /aud must be/],
  ['that has expired', () => ({ iat: now() - 100, exp: now() - 1 }), /expired/],
  ['from the future', () => ({ iat: now() + 120, exp: now() + 150 }), /future/],
  ['not good yet', () => ({ nbf: now() + 120 }), /future/],
  ['with an nbf that is no whole number', () => ({ nbf: now() + 120.5 }), /nbf/],
  ['good for an hour', () => ({ exp: now() + 3600 }), /longer than 300 s/],
  ['from long ago', () => ({ iat: now() - 4000 }), /longer than 300 s|started/],
  ['from before the gateway started', () => ({ iat: now() - 280 }), /started/],
  ['without an expiry', () => ({ exp: undefined }), /exp/],
  ['without iat', () => ({ iat: undefined }), /iat/],
  ['with times as text', () => ({ exp: String(now() + 60) }), /whole seconds/],
  ['without a jti', () => ({ jti: undefined }), /jti/],
  ['with an empty jti', () => ({ jti: '' }), /jti/],
  ['with a jti without end', () => ({ jti: 'j'.repeat(300) }), /jti/],
  ['whose sub is another agent', () => ({ sub: 'another' }), /iss and sub/],
  ['without a sub', () => ({ sub: undefined }), /iss and sub/],
  ['of an agent that does not exist', () => ({ iss: 'nobody', sub: 'nobody' }), /no registered agent/],
  ['without an iss', () => ({ iss: undefined }), /no registered agent/],
]
for (const [what, claims, word] of wrong)
  test(`an assertion ${what} is refused`, async () => {
    await refused(askToken(gate, agent, { claims: claims(gate) }), 401, 'invalid_client', word)
  })

test('an assertion is taken once, also when it comes many times at once', async () => {
  const fields = { grant_type: 'client_credentials', client_assertion_type: BEARER, client_assertion: await assertion(gate, agent) }
  const answers = await Promise.all(Array.from({ length: 10 }, () => postToken(gate, fields)))
  assert.deepEqual(answers.map((a) => a.status).sort(), [200, ...Array(9).fill(401)])
  await refused(postToken(gate, fields), 401, 'invalid_client', /used before/)
})

test('another agent may use the same jti', async () => {
  const other = await newAgent(gate, 'same-jti')
  const claims = { jti: 'one-for-all' }
  assert.equal((await askToken(gate, agent, { claims })).status, 200)
  assert.equal((await askToken(gate, other, { claims })).status, 200)
  await refused(askToken(gate, other, { claims }), 401, 'invalid_client', /used before/)
})

test('a signature proves its own key only, whatever the header says', async () => {
  const stranger = { ...await makeKey(), id: agent.id }
  const es256 = { ...await makeKey('ES256'), id: agent.id }
  const rsa = { ...await makeKey('RS256'), id: agent.id }
  for (const [who, header] of [[stranger], [es256], [rsa], [stranger, { jwk: stranger.jwk }], [stranger, { kid: 'x' }]])
    await refused(askToken(gate, who, { header }), 401, 'invalid_client')
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const claims = part({ iss: agent.id, sub: agent.id, aud: gate.url, jti: 'none', iat: now(), exp: now() + 60 })
  const send = (client_assertion) => postToken(gate, { grant_type: 'client_credentials', client_assertion_type: BEARER, client_assertion })
  await refused(send(`${part({ alg: 'none' })}.${claims}.`), 401, 'invalid_client')
  // HMAC with the public key as its secret
  const hmac = await new SignJWT({ jti: 'hmac' }).setProtectedHeader({ alg: 'HS256' }).setIssuer(agent.id).setSubject(agent.id)
    .setAudience(gate.url).setIssuedAt().setExpirationTime('1m').sign(Buffer.from(agent.jwk.x, 'base64url'))
  await refused(send(hmac), 401, 'invalid_client')
  const good = await assertion(gate, agent)
  await refused(send(good.slice(0, -4)), 401, 'invalid_client')
  await refused(send(`${good}.x`), 401, 'invalid_client')
  await refused(send('x'.repeat(9000)), 401, 'invalid_client')
  await refused(askToken(gate, agent, { header: { jku: 'https://evil.example/keys' } }), 401, 'invalid_client', /jku/)
})

test('unknown agents and wrong keys get the same answer', async () => {
  const stranger = await makeKey()
  const [a, b] = await Promise.all([askToken(gate, { ...stranger, id: agent.id }), askToken(gate, { ...stranger, id: 'nobody' })])
  assert.deepEqual([a.status, a.json], [b.status, b.json])
})

test('the form is read strictly', async () => {
  const good = async (more) => ({ grant_type: 'client_credentials', client_assertion_type: BEARER, client_assertion: await assertion(gate, agent), ...more })
  const text = async () => new URLSearchParams(await good()).toString()
  await refused(postToken(gate, await text(), { 'content-type': 'application/json' }), 400, 'invalid_request', /Content-Type/)
  await refused(postToken(gate, `${await text()}&grant_type=client_credentials`), 400, 'invalid_request', /grant_type came twice/)
  await refused(postToken(gate, `${await text()}&scope=%zz`), 400, 'invalid_request')
  await refused(postToken(gate, ''), 400, 'invalid_request', /grant_type is missing/)
  for (const grant_type of ['authorization_code', 'refresh_token', 'password'])
    await refused(postToken(gate, await good({ grant_type })), 400, 'unsupported_grant_type')
  await refused(postToken(gate, { grant_type: 'client_credentials', client_id: agent.id, client_secret: 'x' }), 401, 'invalid_client')
  await refused(postToken(gate, await good({ client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:saml2-bearer' })), 401, 'invalid_client')
  await refused(postToken(gate, await good({ client_id: 'another' })), 401, 'invalid_client', /client_id/)
  assert.equal((await postToken(gate, await good({ client_id: agent.id }))).status, 200)
  assert.equal((await postToken(gate, await good({ client_id: '' }))).status, 200) // RFC 6749 section 3.2: as if it were not there
  await refused(postToken(gate, await good({ resource: 'https://other.example/mcp' })), 400, 'invalid_request', /resource/)
  assert.equal((await postToken(gate, await good({ resource: `${gate.url}/mcp` }))).status, 200)
  assert.equal((await fetch(`${gate.url}/oauth/token?${await text()}`)).status, 405)
  const large = await fetch(`${gate.url}/oauth/token`, { method: 'POST', body: `scope=${'x'.repeat(2 << 20)}`,
    headers: { 'content-type': 'application/x-www-form-urlencoded' } })
  assert.equal(large.status, 413)
})

test('scopes can be asked for, but none that the agent has not', async () => {
  const { json } = await askToken(gate, agent, { scope: 'tool:desk/search_faq:execute' })
  assert.equal(json.scope, 'tool:desk/search_faq:execute')
  const list = await gate.modern(json.access_token, 'tools/list')
  assert.deepEqual(list.json.result.tools.map((t) => t.name), ['desk__search_faq'])
  for (const scope of ['tool:desk/issue_refund:execute', 'tool:desk/search_faq:execute admin:all', '*', 'tool:*:execute'])
    await refused(askToken(gate, agent, { scope }), 400, 'invalid_scope')
})

test('nothing an agent says gives it a user or a tier', async () => {
  const access = (await askToken(gate, agent, { claims: { user: 'alice', tier: 'enterprise', trigger: 'user' }, user: 'alice', tier: 'enterprise' })).json.access_token
  const sid = JSON.parse(Buffer.from(access.split('.')[1], 'base64url')).sid
  const { json } = await gate.operator('GET', `/sessions/${sid}`)
  assert.deepEqual([json.user, json.tier, json.trigger], ['', '', 'agent'])
})

test('what is no token of this gateway is refused with 401 and the way to a credential', async () => {
  const good = await token(gate, agent)
  const header = decodeProtectedHeader(good)
  const forged = await new SignJWT({ sid: 'sess_x' }).setProtectedHeader(header).setIssuer(gate.url).setAudience(`${gate.url}/mcp`)
    .setSubject(agent.id).setIssuedAt().setExpirationTime('1m').sign(agent.privateKey)
  const unsigned = `${Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url')}.${good.split('.')[1]}.`
  for (const bad of ['x', forged, unsigned, good.slice(0, -2), `${good}x`, await assertion(gate, agent)]) {
    const { status, headers, json } = await gate.modern(bad, 'tools/list')
    assert.deepEqual([status, json.error.data.code], [401, 'invalid_token'])
    assert.match(headers.get('www-authenticate'), /^Bearer error="invalid_token", resource_metadata="http:/)
  }
  for (const authorization of ['', 'Basic eDp5', `Token ${good}`, 'Bearer'])
    assert.equal((await gate.modern('', 'tools/list', {}, { headers: { authorization } })).status, 401)
  assert.equal((await gate.modern('', 'tools/list', {}, { headers: { authorization: `bEaReR ${good}` } })).status, 200)
  assert.equal((await gate.modern('', 'tools/list', {}, { path: `/mcp?access_token=${good}`, headers: { authorization: 'none' } })).status, 401)
  assert.equal((await gate.modern(good, 'tools/list')).status, 200)
})

test('a missing scope is named in the 403, and a tool\'s name cannot write headers', async () => {
  const access = await token(gate, agent)
  const { status, headers, json } = await gate.call(access, 'desk__issue_refund', { orderId: 'ORD-A1B2C3D4', amount: 1 })
  assert.deepEqual([status, json.error.data.code], [403, 'insufficient_scope'])
  assert.match(headers.get('www-authenticate'), /^Bearer error="insufficient_scope", scope="tool:desk\/issue_refund:execute", resource_metadata="/)
  const legacy = await fetch(`${gate.url}/mcp`, { method: 'POST', headers: gate.headers(access),
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'desk__x"\r\nX-Evil: yes\r\n', arguments: {} } }) })
  assert.equal(legacy.status, 403)
  assert.equal(legacy.headers.get('x-evil'), null)
  assert.match(legacy.headers.get('www-authenticate'), /^Bearer error="insufficient_scope", resource_metadata="[^"]*"$/)
})

test('a session ends with its time, and an operator ends it before', async () => {
  const brief = await gate.operator('POST', '/sessions', { agentId: agent.id, lifetime: '1s', user: 'alice', tier: 'gold' })
  assert.equal(brief.status, 201)
  assert.equal((await gate.modern(brief.json.access_token, 'tools/list')).status, 200)
  const open = gate.open(agent)
  assert.equal((await gate.modern(open.access_token, 'tools/list')).status, 200)
  gate.cli(['session', 'end', open.sessionId, '-c', gate.file, '--reason', 'a test'])
  const ended = await gate.modern(open.access_token, 'tools/list')
  assert.deepEqual([ended.status, ended.json.error.data.code], [401, 'session_ended'])
  await new Promise((done) => setTimeout(done, Date.parse(brief.json.expiresAt) - Date.now() + 50))
  const late = await gate.modern(brief.json.access_token, 'tools/list')
  assert.deepEqual([late.status, late.json.error.data.code], [401, 'session_ended'])
  const end = await gate.recorded('the end', (e) => e.event === 'SESSION_ENDED' && e.sessionId === open.sessionId)
  assert.equal(end.policyDecision.reason, 'a test')
  const expiry = await gate.recorded('the expiry', (e) => e.event === 'SESSION_EXPIRED' && e.sessionId === brief.json.sessionId)
  assert.equal(expiry.triggerUserId, 'alice')
})

test('an agent has as many sessions as it may have and no more', async () => {
  const two = await newAgent(gate, 'two-sessions', { maxConcurrentSessions: 2 })
  const answers = await Promise.all(Array.from({ length: 5 }, () => askToken(gate, two)))
  assert.deepEqual(answers.map((a) => a.status).sort(), [200, 200, 429, 429, 429])
  await refused(askToken(gate, two), 429, 'too_many_sessions', /2 sessions/)
})

test('an agent gives its session back, and only its own (RFC 7009)', async () => {
  const one = await newAgent(gate, 'leaver', { maxConcurrentSessions: 1 })
  const access = await token(gate, one)
  const revoke = async (who, fields) => {
    const res = await fetch(`${gate.url}/oauth/revoke`, { method: 'POST', body: new URLSearchParams({
      client_assertion_type: BEARER, client_assertion: await assertion(gate, who), ...fields }) })
    return res.status
  }
  const ping = async () => (await gate.modern(access, 'server/discover')).status
  assert.equal(await revoke(agent, { token: access }), 200) // somebody else's: nothing happens, and nothing is told
  assert.equal(await revoke(one, { token: 'no-token-at-all' }), 200)
  assert.equal(await ping(), 200)
  assert.equal(await revoke({ ...await makeKey(), id: one.id }, { token: access }), 401)
  assert.equal(await revoke(one, {}), 400)
  assert.equal(await revoke(one, { token: access, token_type_hint: 'access_token' }), 200)
  assert.equal(await ping(), 401)
  await token(gate, one) // there is room for another
  const entry = await gate.recorded('the end', (e) => e.event === 'SESSION_ENDED' && e.agentId === one.id)
  assert.deepEqual([entry.actorType, entry.policyDecision.reason], ['AI_AGENT', 'the agent gave it back'])
})

test('failed attempts are on record, with the address they came from', async () => {
  await askToken(gate, agent, { claims: { aud: 'https://other.example' } })
  const entry = await gate.recorded('the attempt', (e) => e.event === 'AUTH_FAILED' && e.agentId === agent.id && /aud must/.test(e.policyDecision.reason))
  assert.equal(entry.result, 'denied')
  await askToken(gate, { ...await makeKey(), id: agent.id }, { claims: { jti: 'forged' }, client_id: agent.id })
  const forged = await gate.recorded('the forgery', (e) => e.event === 'AUTH_FAILED' && /no registered agent/.test(e.policyDecision.reason))
  assert.equal(forged.agentId, null) // nobody gets on record under another's name
  assert.equal(entry.code, 'invalid_client')
  assert.deepEqual(entry.details, { address: '127.0.0.1' })
})

test('ES256 signs tokens when the configuration says so', async () => {
  const other = await startGate({ servers: {}, token: { alg: 'ES256' } })
  try {
    const access = await token(other, await newAgent(other, 'es256'))
    const jwks = await (await fetch(`${other.url}/oauth/jwks`)).json()
    const { protectedHeader } = await jwtVerify(access, await importJWK(jwks.keys[0]), { issuer: other.url, audience: `${other.url}/mcp` })
    assert.equal(protectedHeader.alg, 'ES256')
  } finally {
    await other.stop()
  }
})
