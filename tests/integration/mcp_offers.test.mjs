// What servers offer beside tools: prompts, resources, templates and completions, in both eras, allowed by the server.
// areas: mcp, connect, whitelist, execute
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { npmServer, startGate, until } from './lib/gate.mjs'
import { startEverything } from './lib/servers.mjs'

const ALL = ['resources:read:server:everything', 'prompts:get:server:everything', 'resources:read:server:http', 'prompts:get:server:http']
let gate, everything, agent, stranger

before(async () => {
  everything = await startEverything()
  gate = await startGate({
    servers: { everything: npmServer('server-everything', 'stdio'), http: { url: everything.url } },
    session: { max_tool_calls: 2, rate: '10000/minute' },
    agents: { max_concurrent_sessions: 100 },
    scopes: [{ when: { agent_type: 'reader' }, add: ALL }, { when: { agent_type: 'narrow' }, add: ['prompts:get:server:http'] }],
  })
  agent = await gate.agent({ type: 'reader' })
  stranger = await gate.agent({ type: 'stranger' })
})

after(async () => {
  await gate?.stop()
  await everything?.stop()
})

for (const [era, connect] of [['2026-07-28', 'modernClient'], ['2025-11-25', 'legacyClient']]) {
  test(`${era}: prompts are listed under their server's name and got`, async () => {
    const client = await gate[connect](gate.token(agent))
    assert.ok(client.getServerCapabilities().prompts)
    const { prompts } = await client.listPrompts()
    assert.ok(prompts.some((p) => p.name === 'everything__simple-prompt'))
    assert.ok(prompts.some((p) => p.name === 'http__args-prompt' && p.arguments.some((a) => a.name === 'city' && a.required)))
    const got = await client.getPrompt({ name: 'http__args-prompt', arguments: { city: 'Oslo' } })
    assert.match(got.messages[0].content.text, /Oslo/)
    await client.close()
  })

  test(`${era}: resources keep their URIs; one that only a template knows is read too`, async () => {
    const client = await gate[connect](gate.token(agent))
    const { resources } = await client.listResources()
    assert.ok(resources.length > 0)
    const [first] = (await client.readResource({ uri: resources[0].uri })).contents
    assert.equal(first.uri, resources[0].uri)
    assert.ok(first.text?.length > 0 || first.blob?.length > 0)
    const { resourceTemplates } = await client.listResourceTemplates()
    assert.ok(resourceTemplates.some((t) => t.uriTemplate === 'demo://resource/dynamic/text/{resourceId}'))
    const [made] = (await client.readResource({ uri: 'demo://resource/dynamic/text/7' })).contents
    assert.match(made.text, /7/)
    await client.close()
  })

  test(`${era}: an argument of a prompt is completed`, async () => {
    const client = await gate[connect](gate.token(agent))
    const { completion } = await client.complete({ ref: { type: 'ref/prompt', name: 'everything__completable-prompt' },
                                                   argument: { name: 'department', value: 'S' } })
    assert.deepEqual(completion.values, ['Sales', 'Support'])
    await client.close()
  })

  test(`${era}: one server alone has no prefix`, async () => {
    const client = await gate[connect](gate.token(agent), '/mcp/http')
    const { prompts } = await client.listPrompts()
    assert.ok(prompts.every((p) => !p.name.includes('__')))
    assert.match((await client.getPrompt({ name: 'simple-prompt' })).messages[0].content.text, /./)
    await client.close()
  })

  test(`${era}: what nobody allowed is not declared, not listed and refused with the scope that is missing`, async () => {
    const token = gate.token(stranger)
    const client = await gate[connect](token)
    assert.equal(client.getServerCapabilities().prompts, undefined)
    assert.equal(client.getServerCapabilities().resources, undefined)
    await client.close()
    for (const [method, params] of [['prompts/get', { name: 'http__simple-prompt' }],
                                    ['completion/complete', { ref: { type: 'ref/prompt', name: 'http__completable-prompt' }, argument: { name: 'x', value: '' } }]]) {
      const answer = await gate.modern(token, method, params, { headers: method === 'prompts/get' ? { 'mcp-name': params.name } : {} })
      assert.equal(answer.status, 403)
      assert.match(answer.headers.get('www-authenticate'), /scope="prompts:get:server:http"/)
    }
  })
}

test('a rule may allow the prompts of one server and nothing else', async () => {
  const client = await gate.modernClient(gate.token(await gate.agent({ type: 'narrow' })))
  const { prompts } = await client.listPrompts()
  assert.ok(prompts.length > 0 && prompts.every((p) => p.name.startsWith('http__')))
  assert.equal(client.getServerCapabilities().resources, undefined)
  await client.close()
})

test('what is not there is named, with the code of the era', async () => {
  const token = gate.token(agent)
  const unknown = await gate.modern(token, 'resources/read', { uri: 'nowhere://x' }, { headers: { 'mcp-name': 'nowhere://x' } })
  assert.equal(unknown.json.error.code, -32602)
  assert.equal(unknown.json.error.data.uri, 'nowhere://x')
  const legacy = await gate.legacyClient(token)
  await assert.rejects(legacy.readResource({ uri: 'nowhere://x' }), { code: -32002 })
  await assert.rejects(legacy.getPrompt({ name: 'http__nothing' }), /Unknown prompt/)
  await legacy.close()
})

test('each is on record before it leaves and when it is back, and takes none of the session\'s calls', async () => {
  const session = gate.open(agent, '--user', 'alice', '--tier', 'standard')
  const client = await gate.modernClient(session.access_token)
  for (let i = 0; i < 4; i++) await client.getPrompt({ name: 'http__simple-prompt' })
  await client.readResource({ uri: 'demo://resource/dynamic/text/3' })
  await client.close()
  const mine = await until('all on record', () => {
    const all = gate.audit().filter((e) => e.sessionId === session.sessionId)
    return all.filter((e) => e.event === 'REQUEST_RESULT').length === 5 && all
  })
  const read = mine.find((e) => e.event === 'RESOURCE_READ')
  assert.deepEqual(read.parameters, { uri: 'demo://resource/dynamic/text/3' })
  assert.match(read.toolName, /^(everything|http)\/demo:/)
  assert.equal(read.triggerUserId, 'alice')
  assert.equal(mine.find((e) => e.intentSeq === read.seq).result, 'success')
  assert.equal(mine.filter((e) => e.event === 'PROMPT_GET').length, 4)
  assert.equal(gate.json(['session', 'show', session.sessionId]).usedToolCalls, 0)
})
