// The face to programs without MCP. Every answer here is held against the OpenAPI document that the gate serves (lib/openapi.mjs).
// areas: rest, gate, oauth
import { Validator } from '@seriousme/openapi-schema-validator'
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { DESK, startGate, until } from './lib/gate.mjs'
import { newAgent, postToken, assertion, BEARER } from './lib/oauth.mjs'
import { openapi } from './lib/openapi.mjs'
import { asking, json, modernBasics, startAsking, startRaw, startServer } from './lib/servers.mjs'
import { wire } from './lib/wire.mjs'

let gate, rest, token, legacy, modern, raw, asks
const FAQ = { arguments: { query: 'return policy' } }
const faq = (body = FAQ, options) => rest(token, 'POST', '/v1/tools/desk__search_faq/call', { body, ...options })

before(async () => {
  ;[legacy, modern, asks] = await Promise.all([startServer('legacy_server.mjs'), startServer('modern_server.mjs'), startAsking('modern')])
  const wanted = { form: { method: 'elicitation/create', params: { mode: 'form', message: 'Your name?', requestedSchema: { type: 'object', properties: {} } } } }
  const answers = {
    no: { error: { code: -32000, message: 'out of stock', data: { sku: 7 } } },
    hop: { error: { code: -32022, message: 'speak another revision', data: { supported: ['x'] } } },
    wants: { result: { resultType: 'input_required', inputRequests: wanted } },
    later: { result: { resultType: 'input_required', requestState: 'again' } },
  }
  raw = await startRaw((m, req, res) => json(res, m.method === 'tools/call' ? { id: m.id, ...answers[m.params.name] } : modernBasics(Object.keys(answers), m)))
  gate = await startGate({ servers: { desk: DESK, legacy: { url: legacy.url }, modern: { url: modern.url }, raw: { url: raw.url },
    asks: { url: asks.url }, asksl: asking('legacy') }, workers: 1, limits: { body_bytes: 65536 } })
  const allow = ['desk/search_faq', 'desk/lookup_order', 'legacy/slow', 'modern/echo', 'modern/structured', 'modern/slow', 'modern/fails',
                 'raw/no', 'raw/hop', 'raw/wants', 'raw/later', 'asks/ask', 'asks/can', 'asksl/ask']
  token = gate.token(await gate.agent({ allow }))
  rest = await openapi(gate)
})

after(async () => {
  await gate?.stop()
  await Promise.all([legacy, modern, raw, asks].map((s) => s?.stop()))
})

const recorded = (trace, event) => gate.recorded(event, (e) => e.event === event && e.traceId === trace)
const trace = (answer) => answer.headers.get('doorward-trace-id')

describe('the document', () => {
  test('is OpenAPI 3.1, as an outside validator reads it', async () => {
    const validator = new Validator()
    const { valid, errors } = await validator.validate(structuredClone(rest.document))
    assert.ok(valid, JSON.stringify(errors))
    assert.equal(validator.version, '3.1')
  })

  test('can be read without a credential, and names where one comes from', async () => {
    const { status } = await rest(null, 'GET', '/v1/openapi.json')
    assert.equal(status, 200)
    const { session } = rest.document.components.securitySchemes
    const metadata = await (await fetch(`${rest.document.servers[0].url}/.well-known/oauth-authorization-server`)).json()
    assert.equal(session.flows.clientCredentials.tokenUrl, metadata.token_endpoint)
  })

  test('knows the codes of docs/errors.md', async () => {
    const codes = [...gate.cli(['errors']).stdout.matchAll(/^\| `(\w+)`/gm)].map((m) => m[1])
    assert.deepEqual(rest.document.components.schemas.ErrorCode.enum, codes)
  })
})

describe('tools', () => {
  test('the list shows what MCP shows this session, each with its id', async () => {
    const listed = (await rest(token, 'GET', '/v1/tools')).json.tools
    const mcp = (await gate.modern(token, 'tools/list')).json.result.tools
    assert.deepEqual(listed.map(({ id, ...tool }) => tool), mcp)
    assert.deepEqual(listed.filter((t) => t.id.startsWith('desk/')).map((t) => [t.id, t.name]),
      [['desk/lookup_order', 'desk__lookup_order'], ['desk/search_faq', 'desk__search_faq']])
  })

  test('pages together are the list, in its order', async () => {
    const whole = (await rest(token, 'GET', '/v1/tools')).json
    assert.equal(whole.nextCursor, undefined)
    const all = []
    let cursor = ''
    for (let pages = 0; pages < 100; pages++) {
      const { json: page } = await rest(token, 'GET', `/v1/tools?limit=2${cursor}`)
      assert.ok(page.tools.length <= 2)
      all.push(...page.tools)
      if (!page.nextCursor) break
      cursor = `&cursor=${encodeURIComponent(page.nextCursor)}`
    }
    assert.deepEqual(all, whole.tools)
    const wrong = await rest(token, 'GET', '/v1/tools?limit=0')
    assert.deepEqual([wrong.status, wrong.json.code], [400, 'invalid_params'])
  })

  test('a list that is the same is not sent again', async () => {
    const first = await rest(token, 'GET', '/v1/tools')
    const etag = first.headers.get('etag')
    assert.equal((await rest(token, 'GET', '/v1/tools', { headers: { 'if-none-match': `"x", W/${etag}` } })).status, 304)
    const other = gate.token(await gate.agent({ allow: ['desk/search_faq'] }))
    const theirs = await rest(other, 'GET', '/v1/tools', { headers: { 'if-none-match': etag } })
    assert.equal(theirs.status, 200)
    assert.equal(theirs.json.tools.length, 1)
  })

  test('one tool is shown; one that may not be used is not told apart from one that is not there', async () => {
    const { status, json } = await rest(token, 'GET', '/v1/tools/desk__search_faq')
    assert.equal(status, 200)
    assert.deepEqual([json.id, json.inputSchema.required], ['desk/search_faq', ['query']])
    for (const name of ['desk__delete_account', 'desk__nothing', 'nowhere__x', 'search_faq', 'desk%5F%5Fsearch_faq']) {
      const hidden = await rest(token, 'GET', `/v1/tools/${name}`)
      assert.deepEqual([hidden.status, hidden.json.code, hidden.json.detail],
        [404, 'unknown_tool', `there is no tool ${name} for this session`])
    }
  })
})

describe('a call', () => {
  test('is answered with the tool\'s result, and is on record like any other', async () => {
    const answer = await faq({ ...FAQ, reasoning: 'the customer asked', model: 'm-1', tokensConsumed: 12, estimatedCost: 0.5 })
    assert.equal(answer.status, 200)
    assert.equal(answer.json.isError, false)
    const mcp = await gate.call(token, 'desk__search_faq', FAQ.arguments)
    assert.deepEqual(answer.json.content, mcp.json.result.content)
    const intent = await recorded(trace(answer), 'TOOL_CALL')
    const outcome = await recorded(trace(answer), 'TOOL_RESULT')
    assert.equal(intent.toolName, 'desk/search_faq')
    assert.deepEqual([intent.reasoning, intent.parameters], ['the customer asked', FAQ.arguments])
    assert.equal(outcome.result, 'success')
  })

  test('carries structured content, and a tool\'s own failure as a result', async () => {
    const doubled = await rest(token, 'POST', '/v1/tools/modern__structured/call', { body: { arguments: { n: 21 } } })
    const { receipt, ...result } = doubled.json
    assert.deepEqual(result, { content: [{ type: 'text', text: '42' }], structuredContent: { doubled: 42 }, isError: false })
    assert.match(receipt.digest, /^[0-9a-f]{64}$/)
    assert.equal((await recorded(trace(doubled), 'TOOL_CALL')).seq, receipt.index + 1)
    const failed = await rest(token, 'POST', '/v1/tools/modern__fails/call', { body: {} })
    assert.deepEqual([failed.status, failed.json.isError], [200, true])
  })

  test('belongs to the caller\'s trace, down to the server', async () => {
    const id = '4bf92f3577b34da6a3ce929d0e0e4736'
    const body = { arguments: { text: 'traced' } }
    const answer = await rest(token, 'POST', '/v1/tools/modern__echo/call', { body, headers: { traceparent: `00-${id}-00f067aa0ba902b7-01` } })
    assert.equal(trace(answer), id)
    const there = (await modern.seen()).find((s) => s.body?.params?.arguments?.text === 'traced')
    assert.match(there.headers.traceparent, new RegExp(`^00-${id}-(?!00f067aa0ba902b7)[0-9a-f]{16}-01$`))
  })

  test('that the session may not make is refused and on record, and says which scope is missing', async () => {
    const answer = await rest(token, 'POST', '/v1/tools/desk__delete_account/call', { body: { arguments: { customerId: 'c' } } })
    assert.deepEqual([answer.status, answer.json.code, answer.json.status], [403, 'insufficient_scope', 403])
    assert.match(answer.headers.get('www-authenticate'), /error="insufficient_scope", scope="tool:desk\/delete_account:execute"/)
    assert.equal(answer.json.traceId, trace(answer))
    const entry = await recorded(trace(answer), 'TOOL_DENIED')
    assert.deepEqual([entry.toolName, entry.code], ['desk/delete_account', 'insufficient_scope'])
    assert.ok(!gate.audit().some((e) => e.event === 'TOOL_CALL' && e.traceId === trace(answer)))
  })

  test('with arguments that do not fit is refused before it is made', async () => {
    const answer = await faq({ arguments: { query: 7 } })
    assert.deepEqual([answer.status, answer.json.code], [422, 'schema_mismatch'])
    assert.match(answer.json.detail, /query/)
    assert.equal((await faq({})).json.code, 'schema_mismatch') // none are no members
  })

  test('of a tool that nobody has is unknown', async () => {
    for (const name of ['nowhere__x', 'search_faq', '__', 'desk%5F%5Fsearch_faq']) {
      const { status, json } = await rest(token, 'POST', `/v1/tools/${name}/call`, { body: FAQ })
      assert.deepEqual([status, json.code], [404, 'unknown_tool'], name)
    }
  })

  test('shows the error that the server answered with, but nothing that spoke of its hop', async () => {
    const own = await rest(token, 'POST', '/v1/tools/raw__no/call', { body: {} })
    assert.deepEqual([own.status, own.json.code], [502, 'server_error'])
    assert.deepEqual(own.json.serverError, { code: -32000, message: 'out of stock', data: { sku: 7 } })
    assert.equal((await recorded(trace(own), 'TOOL_RESULT')).code, 'server_error')
    const hop = await rest(token, 'POST', '/v1/tools/raw__hop/call', { body: {} })
    assert.equal(hop.status, 502)
    assert.ok(!JSON.stringify(hop.json).includes('supported'))
  })

  test('is cancelled down to the server when the client closes the connection', async () => {
    const slow = async () => (await modern.seen()).filter((s) => s.body?.params?.name === 'slow').length
    const n = await slow()
    const abort = new AbortController()
    const call = rest(token, 'POST', '/v1/tools/modern__slow/call', { body: { arguments: { steps: 200, ms: 50 } }, signal: abort.signal })
    call.catch(() => {})
    await until('the call to reach the server', async () => await slow() > n)
    abort.abort()
    await assert.rejects(call, { name: 'AbortError' })
    await until('the server to be told', async () => (await modern.seen()).includes('aborted'))
    const entry = await gate.recorded('the outcome', (e) => e.event === 'TOOL_RESULT' && e.toolName === 'modern/slow')
    assert.deepEqual([entry.result, entry.code], ['unknown', 'cancelled'])
  })

  test('ends at once when an operator stops its agent', async () => {
    const stopped = await gate.agent({ allow: ['modern/slow'] })
    const slow = async () => (await modern.seen()).filter((s) => s.body?.params?.name === 'slow').length
    const n = await slow()
    const call = rest(gate.token(stopped), 'POST', '/v1/tools/modern__slow/call', { body: { arguments: { steps: 200, ms: 50 } } })
    await until('the call to reach the server', async () => await slow() > n)
    gate.cli(['kill', 'agent', stopped.id, '--reason', 'test', '-c', gate.file])
    const { status, json } = await call
    assert.deepEqual([status, json.code], [401, 'session_stopped'])
  })

  test('is nothing to a client of MCP on the same worker: its cancellation and its keep-alives pass it by', async () => {
    const client = await gate.legacyClient(token)
    const call = rest(token, 'POST', '/v1/tools/legacy__slow/call', { body: { arguments: { steps: 12, ms: 50 } } })
    await until('the call to reach the server', async () => (await legacy.seen()).some((s) => s.body?.params?.name === 'slow'))
    await client.notification({ method: 'notifications/cancelled', params: { requestId: 1 } })
    await client.callTool({ name: 'legacy__slow', arguments: { steps: 8, ms: 50 } }) // long enough for the tick over all calls
    assert.deepEqual((await call).json.content, [{ type: 'text', text: 'done' }])
    await client.close()
  })

  test('cannot be asked anything in the middle: the server is told so, or is refused', async () => {
    const refused = await rest(token, 'POST', '/v1/tools/asks__ask/call', { body: { arguments: { what: ['form'] } } })
    const same = await gate.call(token, 'asks__ask', { what: ['form'] }) // as a client of MCP that declares nothing
    assert.deepEqual([refused.status, refused.json.serverError.message], [502, same.json.error.message])
    for (const name of ['wants', 'later']) {
      const rude = await rest(token, 'POST', `/v1/tools/raw__${name}/call`, { body: {} })
      assert.deepEqual([rude.status, rude.json.code], [502, 'upstream_garbage'], name)
    }
    const can = await rest(token, 'POST', '/v1/tools/asks__can/call', { body: {} })
    assert.equal(can.json.content[0].text, '{}')
    const legacy = await rest(token, 'POST', '/v1/tools/asksl__ask/call', { body: { arguments: { what: ['form'] } } })
    assert.equal(legacy.status, 200)
    assert.match(legacy.json.content[0].text, /-32601: this client declared no such capability/)
  })
})

describe('limits', () => {
  test('over a rate the answer says when the next request has a chance; without calls, that they are used', async () => {
    const own = await startGate({ servers: { desk: DESK }, session: { max_tool_calls: 2, rate: '4/hour' } })
    const here = await openapi(own)
    const access = own.token(await own.agent({ allow: ['desk/search_faq'] }))
    const call = () => here(access, 'POST', '/v1/tools/desk__search_faq/call', { body: FAQ })
    assert.deepEqual([(await call()).status, (await call()).status], [200, 200])
    const used = await call()
    assert.deepEqual([used.status, used.json.code], [429, 'calls_exhausted'])
    assert.equal((await here(access, 'GET', '/v1/tools')).status, 200)
    for (const answer of [await here(access, 'GET', '/v1/tools'), await call()]) {
      assert.deepEqual([answer.status, answer.json.code], [429, 'rate_limited'])
      assert.equal(Number(answer.headers.get('retry-after')), Math.ceil(answer.json.retryAfterMs / 1000))
    }
    await own.stop()
  })
})

describe('credentials', () => {
  test('without one, the answer leads to where it comes from, for this very resource', async () => {
    const answer = await rest(null, 'GET', '/v1/tools')
    assert.deepEqual([answer.status, answer.json.code], [401, 'unauthenticated'])
    const [, metadata] = /^Bearer resource_metadata="([^"]+)"$/.exec(answer.headers.get('www-authenticate'))
    const { resource, authorization_servers: [server] } = await (await fetch(metadata)).json()
    assert.deepEqual([resource, server], [`${gate.url}/v1`, gate.url])
    const agent = await newAgent(gate, 'rest-only', { allowedTools: ['desk/search_faq'] })
    const opened = await postToken(gate, { grant_type: 'client_credentials', client_assertion_type: BEARER,
      client_assertion: await assertion(gate, agent), resource })
    assert.equal((await rest(opened.json.access_token, 'GET', '/v1/tools')).json.tools.length, 1)
  })

  test('a forged one, and one whose session is over, are refused', async () => {
    const forged = await rest(`${token.slice(0, -4)}AAAA`, 'GET', '/v1/tools')
    assert.deepEqual([forged.status, forged.json.code], [401, 'invalid_token'])
    assert.match(forged.headers.get('www-authenticate'), /^Bearer error="invalid_token"/)
    const { access_token: access, sessionId } = gate.open(await gate.agent({ allow: ['desk/search_faq'] }))
    await gate.operator('POST', `/sessions/${sessionId}/end`, { reason: 'test' })
    const over = await rest(access, 'POST', '/v1/tools/desk__search_faq/call', { body: FAQ })
    assert.deepEqual([over.status, over.json.code], [401, 'session_ended'])
  })
})

describe('requests that are none', () => {
  const problem = (answer, status, code) => assert.deepEqual([answer.status, answer.json.status, answer.json.code], [status, status, code])

  test('a body is one JSON object of known members', async () => {
    problem(await faq('{"arguments": {'), 400, 'malformed')
    problem(await faq('{"arguments": {}, "arguments": {}}'), 400, 'malformed')
    problem(await faq('[]'), 400, 'invalid_request')
    problem(await faq({ argument: {} }), 400, 'invalid_params')
    problem(await faq({ arguments: [] }), 400, 'invalid_params')
    problem(await faq({ ...FAQ, reasoning: 1 }), 400, 'invalid_params')
    problem(await faq({ ...FAQ, tokensConsumed: -1 }), 400, 'invalid_params')
    problem(await faq({ arguments: { query: 'x'.repeat(70000) } }), 413, 'over_bound')
    problem(await faq('query=1', { headers: { 'content-type': 'application/x-www-form-urlencoded' } }), 415, 'unsupported_media_type')
    problem(await faq(FAQ, { headers: { accept: 'text/html' } }), 406, 'not_acceptable')
  })

  test('there are no routes but those of the document, and no methods but theirs', async () => {
    for (const path of ['/v1', '/v1/', '/v1/tools/', '/v1/tools/desk__search_faq/', '/v1/tools/desk/search_faq/call', '/v1/tools//call', '/v1/openapi'])
      problem(await rest(token, 'GET', path), 404, 'not_found')
    for (const { path, method } of rest.operations)
      for (const other of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'].filter((m) => m !== method)) {
        const answer = await rest(token, other, path.replace(/\{\w+\}/, 'desk__search_faq'))
        problem(answer, 405, 'method_not_allowed')
        assert.equal(answer.headers.get('allow'), method)
      }
  })

  test('a Host or an Origin that nobody named is refused before anything else', async () => {
    const evil = await rest(token, 'GET', '/v1/tools', { headers: { origin: 'https://evil.example' } })
    problem(evil, 403, 'origin_refused')
    const rebound = await wire(gate.port, { method: 'GET', path: '/v1/tools', fields: [['Host', 'evil.example']] })
    assert.match(rebound.head, /^HTTP\/1.1 403 [^]*content-type: application\/problem\+json/i)
  })

  test('a slash that hides in a name is refused by the codec', async () => {
    problem(await rest(token, 'POST', '/v1/tools/desk%2Fsearch_faq/call', { body: FAQ }), 400, 'malformed')
  })

  test('the type of a problem leads to what its code means', async () => {
    const { json: { type, code } } = await faq('[]')
    const meaning = await rest(null, 'GET', new URL(type).pathname)
    assert.deepEqual([meaning.json.code, meaning.json.status], [code, 400])
    const page = gate.cli(['errors', code]).stdout
    for (const words of [meaning.json.meaning, meaning.json.when, meaning.json.todo]) assert.ok(page.includes(words), words)
    problem(await rest(null, 'GET', '/v1/errors/nothing'), 404, 'not_found')
  })
})

test('every operation of the document was tried, and did what it is for', () => {
  const done = rest.operations.map((o) => `${o.operationId} 200`)
  assert.deepEqual(done.filter((o) => !rest.seen.has(o)), [])
})
